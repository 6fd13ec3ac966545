"""Tell web addresses from file paths."""

from urllib.parse import urlsplit


def is_local(address: str) -> bool:
    """Return whether a photo's address is a file path rather than a URL."""
    return "://" not in address


def is_web_address(address: str) -> bool:
    """Return whether an address is an http or https URL with a host, not a script or a file."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
