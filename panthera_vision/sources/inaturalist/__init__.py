"""Observations asked of iNaturalist's API, for those who have no export. Knows no pipeline."""
