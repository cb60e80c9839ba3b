"""TraceFrontier: all of a frontier by one task, or its points by several at once."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from absfinance.v1.optimization_service_pb2 import TraceFrontierRequest

from domain.market_data.moments import Moments
from domain.optimization.frontier import (
    frontier_ends,
    needs_separate_problems,
    portfolios_between,
    spaced_returns,
    trace_frontier,
)
from domain.optimization.problem.bound_warnings import bound_warnings
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.specification import Specification
from domain.optimization.solution import Solution
from domain.records import dataclass
from domain.warnings import ResultWarning
from server.commands.optimization import TraceCommand, Traced
from server.commands.stored import DataRequest, StoredData
from server.converters.message import message_from_bytes
from server.converters.optimization import trace_command_from_proto, traced_to_proto
from server.execution.control import Control
from server.ports.panels import StoredPanelRef
from server.tasks.optimize import opened, selections, with_stored_groups
from server.tasks.refusing import locating, refusing
from server.tasks.stored_market import currency_warnings, instruments_needed, instruments_of

CHUNK = 4
"""Points that one task takes together."""

HEAVY_ASSETS = 130
HEAVY_WORK = 100_000_000
"""From here on (assets; dates x assets squared) a point takes long enough to be a task of its own."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The first point and the last, and the annual returns of those between."""

    highest: bytes
    least: bytes
    returns: tuple[float, ...]


@refusing
@locating(TraceFrontierRequest)
def plan(request: bytes, found: StoredData | None, control: Control) -> DataRequest | Ends | None:
    """The ends of a frontier whose points are shared out between tasks; None where one task should trace all of it."""
    command = trace_command_from_proto(message_from_bytes(TraceFrontierRequest, request))
    if found is None and (needed := _data_request(command)):
        return needed
    found = found or StoredData()
    if needed := instruments_needed(command.data, found):
        return needed
    if command.points <= CHUNK or not _is_heavy(command, found):
        return None
    problem = _problem(command, found, control)
    if not needs_separate_problems(problem, command.points):
        return None
    start = time.perf_counter()
    highest, least = frontier_ends(problem, control)
    each = 0.5 * (time.perf_counter() - start)
    returns = spaced_returns(highest, least, command.points)
    first = Traced(0, highest, each, _warnings(command, problem, found))
    last = Traced(command.points - 1, least, each)
    return Ends(_bytes(first), _bytes(last), tuple(returns))


@refusing
@locating(TraceFrontierRequest)
def whole(request: bytes, found: StoredData, control: Control, report: Callable[[bytes], None]) -> None:
    """Reports every portfolio, from the highest return down, as it is found."""
    command = trace_command_from_proto(message_from_bytes(TraceFrontierRequest, request))
    problem = _problem(command, found, control)
    for traced in _timed(0, trace_frontier(problem, command.points, control), _warnings(command, problem, found)):
        report(traced)


@refusing
@locating(TraceFrontierRequest)
def points(request: bytes, found: StoredData, first: int, returns: Sequence[float], control: Control) -> list[bytes]:
    """Points next to each other, numbered from the first."""
    command = trace_command_from_proto(message_from_bytes(TraceFrontierRequest, request))
    return list(_timed(first, portfolios_between(_problem(command, found, control), returns, control)))


def _data_request(command: TraceCommand) -> DataRequest:
    return DataRequest(
        panels=selections(command.data),
        groups=tuple(command.specification.missing_groups()),
        instruments=instruments_of(command.data),
    )


def _problem(command: TraceCommand, found: StoredData, control: Control) -> Problem:
    return build_problem(with_stored_groups(command.specification, found), opened(found.input(command.data)), control)


def _warnings(command: TraceCommand, problem: Problem, found: StoredData) -> tuple[ResultWarning, ...]:
    factors = command.specification.estimation.factors
    return (*bound_warnings(problem), *currency_warnings(command.data, found, factors))


def _timed(first: int, solutions: Iterable[Solution], warnings: tuple[ResultWarning, ...] = ()) -> Iterator[bytes]:
    start = time.perf_counter()
    for index, solution in enumerate(solutions, first):
        now = time.perf_counter()
        yield _bytes(Traced(index, solution, now - start, warnings))
        start, warnings = now, ()


def _bytes(traced: Traced) -> bytes:
    encoded: bytes = traced_to_proto(traced).SerializeToString()
    return encoded


def _is_heavy(command: TraceCommand, found: StoredData) -> bool:
    """Whether a point takes long, and what all points need does not: every task estimates for itself."""
    specification: Specification = command.specification
    if specification.estimation.is_heavy or specification.estimation.is_pooled:
        return False
    data = found.input(command.data)
    match data:
        case Moments():
            assets, work = len(data.symbols), 0
        case StoredPanelRef():
            assets, work = len(data.symbols), data.rows * len(data.symbols) ** 2
        case _:
            panel = opened(data)
            assets, work = len(panel.symbols), panel.values.size * len(panel.symbols)  # type: ignore[union-attr]
    return not specification.is_quick or assets > HEAVY_ASSETS or work > HEAVY_WORK
