"""Texts of a caller's choice in databases, which have no NUL: PostgreSQL nowhere, SQLite not in JSON."""

from collections.abc import Iterable

_ESCAPE = "\x01"
_NUL = f"{_ESCAPE}0"


def kept_text(text: str) -> str:
    """A text without NUL that stands for this one alone. Almost all are kept as they are."""
    return text.replace(_ESCAPE, _ESCAPE * 2).replace("\x00", _NUL)


def kept_texts(texts: Iterable[str]) -> list[str]:
    """The same of each of some texts."""
    return [kept_text(text) for text in texts]


def text_of_kept(kept: str) -> str:
    """The text that is kept so."""
    return _ESCAPE.join(part.replace(_NUL, "\x00") for part in kept.split(_ESCAPE * 2))
