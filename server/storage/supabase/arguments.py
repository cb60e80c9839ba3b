"""How texts of a caller's choice are sent to functions of the database, and how a write is named."""

import uuid

_ESCAPE = "\x01"
_NUL = f"{_ESCAPE}0"


def sent_text(text: str) -> str:
    """A text as PostgreSQL keeps it, which has no NUL. Others with control characters are sent in other words too."""
    return text.replace(_ESCAPE, _ESCAPE * 2).replace("\x00", _NUL)


def received_text(stored: str) -> str:
    """The text that was sent so."""
    return _ESCAPE.join(part.replace(_NUL, "\x00") for part in stored.split(_ESCAPE * 2))


def write_token() -> str:
    """Names a write: sent again under the same name, because its answer was lost, it is done once."""
    return str(uuid.uuid4())
