"""Names of resources, such as "portfolios/main"."""

import re

_NAME = re.compile(r"[A-Za-z]{1,32}/[A-Za-z0-9_-]{1,64}", re.ASCII)


def resource_or_nothing(text: str) -> str:
    """The text where it is the name of a resource, else an empty one: callers may send anything in its place."""
    return text if _NAME.fullmatch(text) else ""
