"""Counts of trials, in every store: each sweep once, those before it alone, and of one owner."""

import asyncio

import pytest

from domain.sweep.tried import EarlierTrials, SharpeSums
from server.ports.storage import Storage
from server.ports.tried_trials import TriedTrials
from tests.owners import OWNER

SUMS = SharpeSums(3, 0.1 + 0.2, 1e-3)


def counts(storage: Storage) -> TriedTrials:
    assert storage.jobs.tried is not None
    return storage.jobs.tried


async def test_a_sweep_is_counted_once_and_knows_those_before_it(storage: Storage) -> None:
    tried = counts(storage)
    assert await tried.begin(OWNER, "first", {"data": 3}) == EarlierTrials()
    await tried.scored(OWNER, "first", SUMS)
    assert await tried.begin(OWNER, "second", {"data": 5}) == EarlierTrials(3, SUMS)
    # Whoever takes a sweep over hears the same, whatever has been counted since.
    assert await tried.begin(OWNER, "first", {"data": 3}) == EarlierTrials()
    assert await tried.begin(OWNER, "second", {"data": 5}) == EarlierTrials(3, SUMS)
    assert await tried.begin(OWNER, "third", {"data": 1}) == EarlierTrials(8, SUMS)


async def test_ratios_take_the_place_of_those_before(storage: Storage) -> None:
    tried = counts(storage)
    await tried.begin(OWNER, "first", {"data": 3})
    await tried.scored(OWNER, "first", SUMS)
    await tried.scored(OWNER, "first", SharpeSums(2, -0.5, 0.25))
    await tried.begin(OWNER, "second", {"data": 4})
    await tried.scored(OWNER, "second", SUMS)
    found = await tried.begin(OWNER, "third", {"data": 1})
    assert (found.count, found.sums.count) == (7, 5)
    assert found.sums.total == pytest.approx(-0.2)
    assert found.sums.squares == pytest.approx(0.251)


async def test_other_data_and_other_owners_do_not_count(storage: Storage) -> None:
    tried = counts(storage)
    await tried.begin(OWNER, "first", {"data": 3})
    assert await tried.begin(OWNER, "second", {"other": 4}) == EarlierTrials()
    assert await tried.begin("users/other", "third", {"data": 5}) == EarlierTrials()
    assert (await tried.begin(OWNER, "fourth", {"data": 1, "other": 1})).count == 7


async def test_of_sweeps_that_begin_at_once_each_is_before_or_after_another(storage: Storage) -> None:
    tried = counts(storage)
    found = await asyncio.gather(*(tried.begin(OWNER, f"e{k}", {"data": 1}) for k in range(6)))
    assert sorted(one.count for one in found) == list(range(6))
