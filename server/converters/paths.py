"""Field paths: a complaint from the domain is sent on with the place of the field in the request."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from domain.checks import distinct_symbols
from domain.errors import InvalidInput


@contextmanager
def error_path(prefix: str) -> Iterator[None]:
    """Puts a prefix before the field of every InvalidInput that leaves the block."""
    try:
        yield
    except InvalidInput as error:
        raise error.with_path_prefix(prefix) from None


def require_unique(path: str, symbols: Sequence[str]) -> None:
    """Raises InvalidInput at the first symbol that appears twice or has invisible characters at its ends."""
    distinct_symbols(path, symbols, ".symbol")
