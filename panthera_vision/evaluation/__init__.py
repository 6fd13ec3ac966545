"""Evaluate a classifier: metrics, calibration, OOD detection, error analysis and model card."""
