"""Collect observations from the iNaturalist API, and read exports from iNaturalist."""
