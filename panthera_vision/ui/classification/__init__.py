"""The classification app: its pages, and what they keep in memory."""
