"""The first results of a list that the server sends in pages."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from absfin.requests import PAGE_SIZE

Limit = Annotated[int, typer.Option(min=1, help="Most to list, the newest first.")]
Label = Annotated[str, typer.Option(help="Only those with this label.")]
Everybody = Annotated[bool, typer.Option("--all", help="Those of everybody with their owners, for admins.")]


def newest(page: Callable[[int, str], Any], limit: int) -> tuple[list[Any], str]:
    """At most `limit` summaries, and the token of the next page. `page` gets a size and a token."""
    found: list[Any] = []
    token = ""
    while True:
        one = page(min(PAGE_SIZE, limit - len(found)), token)
        found.extend(one.summaries)
        token = one.next_page_token
        if not token or len(found) >= limit:
            return found, token


def say_there_are_more(token: str, limit: int) -> None:
    """Says on standard error that the list is longer."""
    if token:
        print(f"there are more than {limit}: --limit N lists N", file=sys.stderr)  # noqa: T201  # it is no answer
