"""Draw the synthetic demo set: pictures of the five species, and a table in an export's form."""

from panthera_vision.synthetic.dataset import draw_demo_set

__all__ = ["draw_demo_set"]
