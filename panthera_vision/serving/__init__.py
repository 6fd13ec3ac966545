"""HTTP service: classification and similarity search of uploaded photos."""
