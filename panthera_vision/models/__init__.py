"""Backbones, the classifier, its preprocessing, OOD head and checkpoints."""
