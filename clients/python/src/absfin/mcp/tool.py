"""What a tool is: a name, arguments with a schema, and a function that asks the engine."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from absfin.aio import Client
from absfin.mcp.arguments import Arguments

A = TypeVar("A", bound=Arguments)
T = TypeVar("T")

Report = Callable[[float, str], Awaitable[None]]
"""Tells the caller of a tool the fraction of the work that is done, and where it stands; fractions must increase."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a tool works with, beside its arguments."""

    client: Client
    report: Report


def closing(items: AsyncIterator[T]) -> aclosing[AsyncGenerator[T, None]]:
    """Ends the call that items come from together with a block, also before the last item."""
    return aclosing(cast("AsyncGenerator[T, None]", items))  # the client's iterators are generators


async def leading(items: AsyncIterator[T], limit: int) -> tuple[list[T], bool]:
    """At most `limit` items, and whether there are more."""
    found: list[T] = []
    async with closing(items) as every:
        async for one in every:
            if len(found) == limit:
                return found, True
            found.append(one)
    return found, False


Answer = dict[str, Any]
"""What a tool answers: what JSON can say, and dates."""


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """A tool. One that `stores` changes what the server keeps; the others change nothing."""

    arguments: type[A]
    run: Callable[[Call, A], Awaitable[Answer]]
    stores: bool = False
    repeatable: bool = True  # whether a second call with the same arguments changes nothing more

    @property
    def name(self) -> str:
        """The name that it is called by."""
        return self.run.__name__

    @property
    def description(self) -> str:
        """What it does, for the model that chooses between tools."""
        return inspect.cleandoc(self.run.__doc__ or "")
