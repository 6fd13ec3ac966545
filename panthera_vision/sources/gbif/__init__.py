"""Read downloads of GBIF: Darwin Core archives, and simple tables with a table of media."""
