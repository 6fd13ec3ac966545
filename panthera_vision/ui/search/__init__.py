"""The search app: which photos of the collection look most like the visitor's."""
