"""Compute and draw the figures of the pages about quality and data."""
