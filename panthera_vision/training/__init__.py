"""Fine-tuning: augmentation, recipe, loop and history."""
