"""Names of stored resources: a bare id stands for the full name."""

from collections.abc import Iterable

import typer

RESULTS = ("backtests", "optimizations", "reallocations")


def full_name(text: str, *collections: str) -> str:
    """The full name: "mine" is "backtests/mine" where the first collection is backtests.

    Raises BadParameter for a name of no such collection, or an empty one.
    """
    collection, mark, identifier = text.strip().rpartition("/")
    if not identifier:
        raise typer.BadParameter(f"{text!r} is no name: give {_forms(collections)}, or ID alone")
    if not mark:
        return f"{collections[0]}/{identifier}"
    if collection not in collections:
        raise typer.BadParameter(f"{text!r} is not the name of one of these: {_forms(collections)}")
    return f"{collection}/{identifier}"


def full_names(texts: Iterable[str], *collections: str) -> list[str]:
    """The full name of each."""
    return [full_name(text, *collections) for text in texts]


def _forms(collections: Iterable[str]) -> str:
    return ", ".join(f"{collection}/ID" for collection in collections)
