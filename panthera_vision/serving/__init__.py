"""Answers for other programs over HTTP: the species on a photo, and photos that look like it."""
