"""What a file is, by its first bytes.

Rules: content decides; the name only breaks a tie, because an Office file is a zip and a PDF's name proves nothing.
Does not open the file: a PDF that begins well may still be broken.
"""

from __future__ import annotations

from edoc.envelopes.media import media_type

PDF = "application/pdf"
OCTETS = "application/octet-stream"

_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Microsoft's compound file: doc, xls, ppt
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
)


def content_type(name: str, head: bytes) -> str:
    """Return the media type of a file by its first kilobyte `head`, and by `name` where the bytes leave it open."""
    if b"%PDF-" in head[:1024]:  # ISO 32000-1, annex H: readers accept the header within the first 1024 bytes
        return PDF
    for magic, media in _MAGIC:
        if head.startswith(magic):
            return media
    named = media_type(name)
    if head.startswith(_ZIP):
        return named if named != PDF else "application/zip"
    if head.startswith(_COMPOUND):
        return named if named != PDF else "application/x-ole-storage"
    return OCTETS if named == PDF else named
