"""Measure the speed of the package against common baselines, interleaved."""
