"""The content of input files, and of standard input, whose name is "-"."""

import gzip
import sys
import zlib
from pathlib import Path
from typing import Any

import typer

GZIPPED = b"\x1f\x8b"
"""How gzipped content begins, which no text does."""


def input_argument(content: str) -> Any:
    """An argument that is a file with this content, or "-"."""
    return typer.Argument(dir_okay=False, help=f"{content} - is standard input.")


def called(path: Path) -> str:
    """The name of an input in an error."""
    return "standard input" if _is_standard_input(path) else str(path)


def content_of(path: Path) -> bytes:
    """The content of a file or of standard input, unzipped where it is gzipped.

    Raises BadParameter for what cannot be read, and for standard input that a second option names.
    """
    if _is_standard_input(path):
        content = _standard_input()
    elif not path.is_file():
        raise typer.BadParameter(f"no such file: {path}")
    else:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise typer.BadParameter(f"{path} cannot be read: {error}") from None
    try:
        return gzip.decompress(content) if path.suffix == ".gz" or content.startswith(GZIPPED) else content
    except (OSError, EOFError, zlib.error) as error:
        raise typer.BadParameter(f"{called(path)} cannot be read: {error}") from None


def text_of(content: bytes, path: Path) -> str:
    """The text of an input; raises BadParameter for what is no UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{called(path)} cannot be read: {error}") from None


def _is_standard_input(path: Path) -> bool:
    return str(path) == "-"


def _standard_input() -> bytes:
    if sys.stdin.closed:
        raise typer.BadParameter("standard input can be one file only: name a file for the other")
    with sys.stdin.buffer as stream:
        return stream.read()
