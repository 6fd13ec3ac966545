"""Measurements that the documentation quotes: each writes a page with its commands and figures."""
