"""What the classification and the search pipeline share."""

__version__ = "0.1.0"
