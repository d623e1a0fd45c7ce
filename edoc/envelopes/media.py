"""Media types of files by their extension: what the manifest says of an attachment.

Rules: the table is ours, because the system's differs from host to host and the answer is sealed.  Does not look into
files: a name can lie, and nothing is decided by a media type.
"""

from __future__ import annotations

from edoc.envelopes.asic import extension

_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "rtf": "application/rtf",
    "txt": "text/plain",
    "csv": "text/csv",
    "xml": "application/xml",
    "json": "application/json",
    "zip": "application/zip",
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
}


def media_type(name: str) -> str:
    """Return the media type for a file called `name`, ``application/octet-stream`` for one that is not in the table."""
    return _TYPES.get(extension(name), "application/octet-stream")
