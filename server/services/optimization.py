"""Optimize: load the data, run the engine in the lane that suits it, save the answer."""

import hashlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from domain.costs.linear import LinearCost
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput
from domain.optimization.frontier import trace
from domain.optimization.problem import Problem
from domain.optimization.solution import Solution
from domain.optimization.solve import solve
from domain.optimization.specification import Specification, state
from server.execution.lanes import Lanes, OnProgress
from server.ports import AnswerDraft, AnswerPage, AnswerRecord, AnswerStore, PriceSelection
from server.services.market_data import MarketData, StoredInput

INLINE_ASSETS = 60
"""Up to here a direct solve takes about a millisecond: less than other calls would notice."""

INLINE_WORK = 2_000_000
"""Multiplications of a covariance (dates x assets squared) that are done inline, about a millisecond as well."""

THREAD_ASSETS = 130
"""Up to here daqp solves, which lets other threads run; above, a process keeps the server answering."""

THREAD_WORK = 100_000_000


@dataclass(frozen=True, slots=True)
class OptimizeCommand:
    """What to optimise, and how the answer is kept."""

    data: MarketInput | PriceSelection
    specification: Specification
    means_known: bool  # False where the caller gave moments without expected returns
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    costs: LinearCost | None = None
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class TraceCommand:
    """Whose frontier, and how much of it."""

    data: MarketInput | PriceSelection
    specification: Specification
    points: int  # 0 for all corner portfolios


@dataclass(frozen=True, slots=True)
class Traced:
    """One portfolio of a frontier."""

    index: int
    solution: Solution
    solve_seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A solution, the problem it belongs to, and how long it took."""

    problem: Problem
    solution: Solution
    solve_seconds: float


@dataclass(frozen=True, slots=True)
class PricedAnswer:
    """An answer with the cost of getting there from the current weights, as a fraction of net asset value."""

    answer: Answer
    cost: float | None
    means_known: bool


class Optimization:
    """Solves problems and keeps the answers."""

    def __init__(
        self,
        market_data: MarketData,
        store: AnswerStore,
        lanes: Lanes,
        encode: Callable[[PricedAnswer], bytes],
    ) -> None:
        self._market_data = market_data
        self._store = store
        self._lanes = lanes
        self._encode = encode

    async def optimize(self, command: OptimizeCommand, deadline: float | None) -> AnswerRecord | None:
        """The stored answer, or None where the command only asked to check it."""
        if command.request_id and (known := await self._store.find(command.request_id, command.body)):
            return known
        data = await self._market_data.load(command.data)
        specification = await self._with_groups(command.specification)
        if command.validate_only:
            state(specification, _in_memory(data))
            return None
        answer = await self._solved(specification, data, deadline)
        encoded = self._encode(PricedAnswer(answer, _cost(command, answer), command.means_known))
        version = data.fingerprint if isinstance(data, StoredInput) else ""
        fingerprint = hashlib.sha256(command.body + version.encode()).hexdigest()
        return await self._store.save(AnswerDraft(encoded, fingerprint, command.body, command.request_id))

    async def trace(self, command: TraceCommand, deadline: float | None) -> AsyncGenerator[Traced]:
        """Portfolios of the frontier, from the highest return down, as they are found."""
        data = await self._market_data.load(command.data)
        specification = await self._with_groups(command.specification)
        assets, work = _size(data)
        heavy = not specification.risk_measure.is_quadratic or assets > THREAD_ASSETS or work > THREAD_WORK
        task = partial(_traced, specification, data, command.points)
        async with aclosing(self._lanes.stream(task, deadline, heavy=heavy)) as found:
            async for traced in found:
                yield traced

    async def get(self, optimization_id: str) -> AnswerRecord:
        """A stored answer."""
        return await self._store.get(optimization_id)

    async def list(self, token: str, size: int) -> AnswerPage:
        """A page of stored answers, newest first."""
        return await self._store.list(token, size)

    async def _with_groups(self, specification: Specification) -> Specification:
        missing = specification.missing_groups()
        return specification.with_groups(await self._market_data.groups(missing)) if missing else specification

    async def _solved(
        self, specification: Specification, data: MarketInput | StoredInput, deadline: float | None
    ) -> Answer:
        limit = time.monotonic() + specification.options.time_limit_seconds
        deadline = limit if deadline is None else min(limit, deadline)
        assets, work = _size(data)
        # A program over scenarios takes a second with many of them, whoever solves it.
        over_scenarios = not specification.risk_measure.is_quadratic
        if over_scenarios or assets > THREAD_ASSETS or work > THREAD_WORK:
            return await self._lanes.process(partial(_answer, specification, data), deadline)
        run: Callable[[OnProgress], Answer] = partial(_answer, specification, data)
        if assets > INLINE_ASSETS or work > INLINE_WORK:
            return await self._lanes.thread(run, deadline)
        return await self._lanes.inline(run, deadline)


def _answer(specification: Specification, data: MarketInput | StoredInput, on_progress: OnProgress) -> Answer:
    """Runs in any lane; stored prices are opened where it runs."""
    problem = state(specification, _in_memory(data))
    start = time.perf_counter()
    solution = solve(problem, on_progress)
    return Answer(problem, solution, time.perf_counter() - start)


def _traced(
    specification: Specification,
    data: MarketInput | StoredInput,
    points: int,
    on_progress: OnProgress,
    report: Callable[[Traced], None],
) -> None:
    """Runs in a thread or a process."""
    start = time.perf_counter()
    for index, solution in enumerate(trace(state(specification, _in_memory(data)), points, on_progress)):
        now = time.perf_counter()
        report(Traced(index, solution, now - start))
        start = now


def _in_memory(data: MarketInput | StoredInput) -> MarketInput:
    return data.open() if isinstance(data, StoredInput) else data


def _size(data: MarketInput | StoredInput) -> tuple[int, int]:
    """Assets, and what a covariance of them takes."""
    match data:
        case Moments():
            return len(data.symbols), 0
        case StoredInput():
            return len(data.symbols), data.rows * len(data.symbols) ** 2
        case PricePanel() | ReturnPanel() | Scenarios():
            return len(data.symbols), data.values.size * len(data.symbols)


def _cost(command: OptimizeCommand, answer: Answer) -> float | None:
    current = answer.problem.current_weights
    if command.costs is None or current is None:
        return None
    return command.costs.of_trades(answer.solution.symbols, answer.solution.weights - current)
