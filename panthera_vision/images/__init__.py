"""Read photo files: decode untrusted bytes within bounds. Imports no torch."""
