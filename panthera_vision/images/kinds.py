"""List the image formats that are read, with their file name suffixes: one list for all."""

from pathlib import Path

import pillow_heif

# Pillow's name of each format, in the order in which the decoders are tried, and its suffixes.
# AVIF comes before HEIF: both may call themselves "mif1", and HEIF's decoder lacks AV1.
SUFFIXES_BY_FORMAT = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi", ".mpo"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "AVIF": (".avif", ".avifs"),
    "HEIF": (".heic", ".heif", ".hif", ".heics", ".heifs"),
}
FORMATS = tuple(SUFFIXES_BY_FORMAT)  # no other decoder is tried
SUFFIXES = tuple(suffix for suffixes in SUFFIXES_BY_FORMAT.values() for suffix in suffixes)
KINDS = "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, HEIC"  # as people call the formats

pillow_heif.register_heif_opener()


def is_named_as_photo(path: Path) -> bool:
    """Return whether the file name has the suffix of an image format."""
    return path.suffix.lower() in SUFFIXES
