"""Measure quality, speed and search; `make benchmark-…` writes the pages beside these modules."""
