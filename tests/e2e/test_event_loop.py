"""The server answers everybody at all times: its event loop computes nothing, and work ends with its deadline."""

import os
import random
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from tests.e2e.audit import MAX_HEALTH_SECONDS, Audit, health_probe
from tests.e2e.contract_grid import CONSTRAINTS, INPUTS, OBJECTIVES, SIZES, Cell, kinds, whole_grid
from tests.e2e.invalid_requests import Sent, invalid_requests
from tests.e2e.raw_calls import UNTYPED, Ended, RawCalls
from tests.families import thinned

pytestmark = pytest.mark.alone

OPTIMIZE = "OptimizationService/Optimize"

WHOLE = bool(os.environ.get("ABSFIN_WHOLE_GRID"))
"""The long suite runs the whole grid, otherwise a sample of it."""

SAMPLE = 200
PARTS = 4
BATCH = 25
WIDTH = 4

SEED = 20

TYPICAL_HEALTH_SECONDS = 0.1
"""The longest wait of half of the batches stays below this, ten times what an idle machine needs."""


def cells() -> list[Cell]:
    grid = whole_grid()
    random.Random(SEED).shuffle(grid)  # a sample, no secret
    return grid if WHOLE else grid[:SAMPLE]


def test_every_kind_of_the_contract_has_an_example() -> None:
    for name, (members, examples) in kinds().items():
        assert examples == members, f"{name}: tests/e2e/contract_grid.py needs an example of each"


EXAMPLES = [Cell(objective, "weight_bounds", "returns", SIZES[0]) for objective in OBJECTIVES]
EXAMPLES += [Cell("min_risk", constraint, "returns", SIZES[0]) for constraint in CONSTRAINTS]
EXAMPLES += [Cell("min_risk", "weight_bounds", source, size) for source in INPUTS for size in SIZES]


@pytest.mark.parametrize("cell", EXAMPLES, ids=str)
def test_examples_are_valid(calls: RawCalls, cell: Cell) -> None:
    [end] = calls.at_once(OPTIMIZE, [(cell.request(30.0, validate_only=True), 60.0)], 1)
    assert end.code == "OK", end


@pytest.mark.timeout(7200 if WHOLE else 240)
@pytest.mark.parametrize("part", thinned(range(PARTS), PARTS))
def test_the_grid_never_holds_the_event_loop(audit: Audit, calls: RawCalls, part: int) -> None:
    """Calls end in a typed way, and neither they nor their workers outlive their deadlines."""
    rng = random.Random(SEED + part)
    asked, waits, late, untyped = cells()[part::PARTS], [], [], []
    codes: Counter[str] = Counter()
    start = time.monotonic()
    for first in range(0, len(asked), BATCH):
        batch = asked[first : first + BATCH]
        requests = [limited(cell, rng) for cell in batch]
        with health_probe(audit.server.address) as probe:
            ends = calls.at_once(OPTIMIZE, requests, WIDTH)
            if not audit.stops_by(time.monotonic()):
                late.append([str(cell) for cell in batch])
        waits.append(probe.longest)
        codes.update(end.code for end in ends)
        untyped += [(str(cell), end) for cell, end in zip(batch, ends, strict=True) if end.code in UNTYPED]
    print(codes, [round(wait * 1e3) for wait in waits], round(time.monotonic() - start), "s")  # noqa: T201
    assert not audit.long_callbacks(start)
    assert not untyped
    assert not late
    assert max(waits) <= MAX_HEALTH_SECONDS
    assert statistics.median_low(waits) < TYPICAL_HEALTH_SECONDS  # of two waits the median is their mean


def limited(cell: Cell, rng: random.Random) -> tuple[bytes, float]:
    """A request and its timeout: the solver's own limit ends it, or the caller's patience."""
    seconds = rng.uniform(0.5, 1.0)
    return (cell.request(seconds), seconds + 0.5) if rng.random() < 0.5 else (cell.request(30.0), seconds)


INVALID = 2000
INVALID_SECONDS = 120.0


@pytest.mark.timeout(240)
def test_invalid_requests_never_hold_the_event_loop(audit: Audit, calls: RawCalls) -> None:
    """Random changes of valid requests, to every method of the contract."""
    start = time.monotonic()
    requests = invalid_requests(random.Random(SEED))

    def end_of(sent: Sent) -> Ended:
        return calls.single(sent.method, sent.data, 1.0, streams=sent.streams)

    codes: Counter[str] = Counter()
    waits, untyped = [], []
    with ThreadPoolExecutor(WIDTH) as pool:
        while codes["INVALID_ARGUMENT"] < INVALID:
            assert time.monotonic() - start < INVALID_SECONDS, codes
            batch = list(islice(requests, 500))
            with health_probe(audit.server.address) as probe:
                ends = list(pool.map(end_of, batch))
            waits.append(probe.longest)
            codes.update(end.code for end in ends)
            untyped += [one for one in zip(batch, ends, strict=True) if one[1].code in UNTYPED]
    assert audit.stops_by(time.monotonic()), codes
    assert not audit.long_callbacks(start)
    assert not untyped, untyped[0]
    assert max(waits) <= MAX_HEALTH_SECONDS
    assert statistics.median_low(waits) < TYPICAL_HEALTH_SECONDS  # of two waits the median is their mean
