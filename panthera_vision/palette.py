"""Colours that colour-blind eyes tell apart, and markers for those who see none."""

# Okabe and Ito, "Color Universal Design", 2008, without their black and yellow.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# For matplotlib; as Vega names them below.
MARKERS = ("s", "o", "^", "D", "v", "P")
SHAPES = ("square", "circle", "triangle-up", "diamond", "triangle-down", "cross")
