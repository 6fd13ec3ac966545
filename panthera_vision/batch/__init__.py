"""Classify or search with many photo files: input files, streaming, tables, resume log."""
