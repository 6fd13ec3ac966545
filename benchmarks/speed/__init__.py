"""How fast the package is beside the ordinary ways, measured in turns."""
