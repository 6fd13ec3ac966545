"""The synthetic demo set: drawn pictures of five coats, and a table about them."""

from panthera_vision.synthetic.dataset import draw_demo_set

__all__ = ["draw_demo_set"]
