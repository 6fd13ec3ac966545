"""Networks, their preprocessing and their checkpoints. Knows no tables and no pipeline's files."""
