"""The pages of the classification app."""
