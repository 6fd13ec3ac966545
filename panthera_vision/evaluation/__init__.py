"""How good a classifier is: metrics, tables and pictures."""
