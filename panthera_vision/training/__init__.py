"""Fine-tuning: dataset, augmentation, optimizer, trainer, calibration, history."""
