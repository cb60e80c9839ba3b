"""Runs a task that may need something from the store: it asks, the store answers, it runs again with what was found."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from server.commands.call import Call
from server.commands.stored import DataRequest, RequestKey, StoredData
from server.execution.process_pool import ProcessPool

T = TypeVar("T")

MAX_ROUNDS = 8
"""Every task knows all its needs after three; more would be a fault of the task, and the limit ends it."""


async def in_rounds(
    pool: ProcessPool,
    task: Callable[..., DataRequest | T],
    call: Call,
    collect: Callable[[DataRequest, StoredData | None], Awaitable[StoredData]],
    on_key: Callable[[RequestKey], Awaitable[None]] | None = None,
) -> tuple[T, StoredData]:
    """The outcome of `task(found, control=...)`, and what the store had for it.

    With `on_key`, the task is handed `report` too, for the key of its request: it is looked up while the task goes on,
    which stops where `on_key` raises. Raises what `collect` and `on_key` raise.
    """
    found: StoredData | None = None
    for _ in range(MAX_ROUNDS):
        outcome = await pool.run(partial(task, found), call.deadline, on_key, caller=call.caller)
        if not isinstance(outcome, DataRequest):
            return outcome, found or StoredData()
        found = await collect(outcome, found)
    raise RuntimeError("a task keeps asking for what it was given")
