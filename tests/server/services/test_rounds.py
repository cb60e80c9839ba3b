"""Tasks that ask for stored data: they run again with it, and end where they would ask for ever."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from server.commands.call import Call
from server.commands.stored import DataRequest, RequestKey, StoredData
from server.execution.process_pool import ProcessPool
from server.services.rounds import MAX_ROUNDS, in_rounds
from tests.owners import OWNER

KEY = RequestKey("r", b"body")


def ask(names: tuple[str, ...], found: StoredData | None, control: Any) -> DataRequest | list[str]:
    """Asks for one portfolio after the other."""
    known = list(found.portfolios) if found is not None else []
    return known if known == list(names) else DataRequest(portfolios=(names[len(known)],))


def ask_for_ever(found: StoredData | None, control: Any) -> DataRequest:
    return DataRequest(portfolios=("x",))


def tell(found: StoredData | None, control: Any, report: Callable[[RequestKey], None]) -> str:
    report(KEY)
    return "done"


async def collect(request: DataRequest, known: StoredData | None) -> StoredData:
    before = {} if known is None else known.portfolios
    return StoredData(portfolios={**before, request.portfolios[0]: b""})


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b")])
async def test_a_task_runs_again_with_what_it_asked_for(pool: ProcessPool, names: tuple[str, ...]) -> None:
    outcome, found = await in_rounds(pool, partial(ask, names), Call(OWNER), collect)
    assert outcome == list(names) == list(found.portfolios)


async def test_a_task_that_asks_for_ever_is_ended(pool: ProcessPool) -> None:
    asked: list[DataRequest] = []

    async def counted(request: DataRequest, known: StoredData | None) -> StoredData:
        asked.append(request)
        return await collect(request, known)

    with pytest.raises(RuntimeError, match="keeps asking"):
        await in_rounds(pool, ask_for_ever, Call(OWNER), counted)
    assert len(asked) == MAX_ROUNDS


async def test_what_the_store_raises_ends_it(pool: ProcessPool) -> None:
    async def missing(request: DataRequest, known: StoredData | None) -> StoredData:
        raise KeyError("a")

    with pytest.raises(KeyError):
        await in_rounds(pool, partial(ask, ("a",)), Call(OWNER), missing)


async def test_the_key_of_the_request_is_told(pool: ProcessPool) -> None:
    keys: list[RequestKey] = []

    async def look_up(key: RequestKey) -> None:
        keys.append(key)

    outcome, _ = await in_rounds(pool, tell, Call(OWNER), collect, look_up)
    assert (outcome, keys) == ("done", [KEY])

    async def answered_before(key: RequestKey) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await in_rounds(pool, tell, Call(OWNER), collect, answered_before)
