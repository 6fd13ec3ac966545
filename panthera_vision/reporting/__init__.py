"""Render thumbnails, contact sheets, HTML pages and figures."""
