"""Similar photos: a vector index and what each of its vectors is."""
