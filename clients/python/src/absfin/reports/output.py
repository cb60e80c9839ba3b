"""Writes a report; the ending of the file's name says how."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from absfin.reports.document import Report
from absfin.reports.html import html_of
from absfin.reports.pages import pages_of

FORMATS: Mapping[str, Callable[[Report], bytes]] = {
    ".html": lambda report: html_of(report).encode(),
    ".pdf": lambda report: pages_of(report, "pdf"),
    ".png": lambda report: pages_of(report, "png"),
}
"""Ending of a file's name -> content of the file."""


class UnsupportedFormat(ValueError):
    """A file whose name has an ending that no report is written as."""


class MissingRenderer(ImportError):
    """The packages that draw charts are not installed."""


def check_format(path: Path) -> None:
    """Raises UnsupportedFormat, before anything is asked of the server."""
    if path.suffix.lower() not in FORMATS:
        ending = f"cannot write {path.suffix!r} files" if path.suffix else f"{path.name!r} has no ending"
        raise UnsupportedFormat(f"{ending}: a report is written as {', '.join(FORMATS)}")


def write_report(report: Report, path: Path) -> None:
    """Writes one file, whole or not at all.

    Raises:
        UnsupportedFormat: The name does not end in one of FORMATS.
        MissingRenderer: The extra `report` is not installed.
        OSError: The file cannot be written.
    """
    check_format(path)
    try:
        content = FORMATS[path.suffix.lower()](report)
    except ImportError as error:
        raise MissingRenderer("reports need vl-convert and typst: pip install 'absfin[report]'") from error
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
