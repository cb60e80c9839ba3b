"""The files of a page: read once when the listener starts, so that no request reaches the disk."""

import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path

from domain.records import dataclass

INDEX = "index.html"
"""The file that is served at `/`."""

MOST_FILES, MOST_BYTES = 1000, 64 * 1024 * 1024

HEADERS = (
    # Vega-Lite writes styles of its own into what it draws; scripts come from this address alone, none from text.
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("cache-control", "no-cache"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
"""Of every file."""

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""Where the registry of a machine could say otherwise: a browser runs a script of no other type."""


class WrongPages(Exception):
    """The folder cannot be served; the message says why."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content_type: str
    body: bytes


def read_pages(folder: Path) -> Mapping[str, File]:
    """The files of a folder by their path in an address, and its index at `/`. Raises WrongPages."""
    try:
        return _read(folder)
    except OSError as error:
        raise WrongPages(f"cannot be read: {error.filename}: {error.strerror}") from None


def _read(folder: Path) -> dict[str, File]:
    if not (folder / INDEX).is_file():
        raise WrongPages(f"must be the folder of a built page, with {INDEX}, which {folder} does not have")
    found: dict[str, File] = {}
    size = 0
    for path in _files(folder):
        body = path.read_bytes()
        size += len(body)
        if len(found) >= MOST_FILES or size > MOST_BYTES:
            raise WrongPages(f"must be a folder of at most {MOST_FILES} files and {MOST_BYTES >> 20} MiB")
        found[f"/{path.relative_to(folder).as_posix()}"] = File(_content_type(path), body)
    return {**found, "/": found[f"/{INDEX}"]}


def _files(folder: Path) -> list[Path]:
    """Links are left out: they could lead out of the folder."""
    found = []
    for parent, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith("."))
        paths = (Path(parent, name) for name in sorted(files) if not name.startswith("."))
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
        if len(found) > MOST_FILES:
            break
    return found


def _content_type(path: Path) -> str:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
