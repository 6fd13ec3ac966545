"""Many photos answered in one go: which files, in bounded memory, to a table that can go on."""
