"""Tokens of pages that are ordered by a sequence, newest first."""

from domain.errors import InvalidInput

MAX_DIGITS = 18


def sequence_of(token: str) -> int | None:
    """The sequence a page ends before, None for the first page. Raises InvalidInput for a token that is not ours."""
    if not token:
        return None
    if not token.isascii() or not token.isdigit() or len(token) > MAX_DIGITS:
        raise InvalidInput("page_token", "is not a token of an earlier page")
    return int(token)
