"""Frames as functions of the database take them: the length of the header, the header as JSON, then the contents."""

import json
from collections.abc import Mapping


def sent_frame(header: Mapping[str, object], *contents: bytes) -> bytes:
    """A frame to send; the header says how many bytes each of the contents has."""
    encoded = json.dumps(header).encode()
    return b"".join((len(encoded).to_bytes(4, "big"), encoded, *contents))
