"""Optimize: load the data, run the engine in the lane that suits it, save the answer."""

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from domain.errors import Cancelled, DomainError, SolverTimedOut
from domain.estimation.diagnostics import EstimationDiagnostics
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput
from domain.optimization.feasible import feasible_set
from domain.optimization.frontier import between, ends, goes_by_points, spaced_returns, trace
from domain.optimization.infeasibility import conflict, is_feasible
from domain.optimization.problem import Problem
from domain.optimization.solution import Solution
from domain.optimization.solve import solve
from domain.optimization.specification import (
    Specification,
    Universe,
    diagnosis,
    pose,
    state,
    trading_costs,
    universe_of,
)
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

BATCH_CHUNK = 50
"""Accounts that go to a worker together: sending the universe along costs about as much as solving for one."""

BATCH_CHUNKS_AT_ONCE = 8

FRONTIER_CHUNK = 4
"""Points of a frontier that go to a worker together."""

FRONTIER_CHUNKS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class OptimizeCommand:
    """What to optimise, and how the answer is kept."""

    data: MarketInput | PriceSelection
    specification: Specification
    means_known: bool  # False where the caller gave moments without expected returns
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    validate_only: bool = False
    check_feasibility: bool = False  # with validate_only
    diagnose_estimation: bool = False


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
class BatchCommand:
    """What all accounts of a batch share."""

    data: MarketInput | PriceSelection
    specification: Specification
    means_known: bool


@dataclass(frozen=True, slots=True)
class BatchAccount:
    """One account, its specification complete but for stored groups."""

    key: str
    specification: Specification | Exception  # why its message is none
    fingerprint: str


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What came of an account: the answer as a converter wrote it, or an error."""

    account: BatchAccount
    result: bytes | Exception


@dataclass(frozen=True, slots=True)
class Answer:
    """A solution, the problem it belongs to, and how long it took."""

    problem: Problem
    solution: Solution
    solve_seconds: float
    diagnostics: EstimationDiagnostics | None = None  # where they were asked for


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
            check = _checked_feasible if command.check_feasibility else _checked
            lane = self._lanes.process if command.check_feasibility else self._lanes.inline
            await lane(partial(check, specification, data), deadline)
            return None
        answer = await self._solved(specification, data, deadline, diagnose=command.diagnose_estimation)
        encoded = self._encode(PricedAnswer(answer, _cost(command.specification, answer), command.means_known))
        version = data.fingerprint if isinstance(data, StoredInput) else ""
        fingerprint = hashlib.sha256(command.body + version.encode()).hexdigest()
        return await self._store.save(AnswerDraft(encoded, fingerprint, command.body, command.request_id))

    async def trace(self, command: TraceCommand, deadline: float | None) -> AsyncGenerator[Traced]:
        """Portfolios of the frontier, from the highest return down, as they are found."""
        data = await self._market_data.load(command.data)
        specification = await self._with_groups(command.specification)
        assets, work = _size(data)
        heavy = not specification.is_quick or assets > THREAD_ASSETS or work > THREAD_WORK
        # Every worker estimates for itself: what takes long to estimate is better done once.
        shared = not (specification.estimation.is_heavy or specification.estimation.is_pooled)
        if heavy and shared and command.points > FRONTIER_CHUNK:
            found = self._traced_by_points(specification, data, command.points, deadline)
        else:
            task = partial(_traced, specification, data, command.points)
            found = self._lanes.stream(task, deadline, heavy=heavy)
        async with aclosing(found) as portfolios:
            async for traced in portfolios:
                yield traced

    async def _traced_by_points(
        self, specification: Specification, data: MarketInput | StoredInput, points: int, deadline: float | None
    ) -> AsyncGenerator[Traced]:
        """The points of a frontier by several workers at once, in their order."""
        both = await self._lanes.process(partial(_traced_ends, specification, data, points), deadline)
        if both is None:
            task = partial(_traced, specification, data, points)
            async with aclosing(self._lanes.stream(task, deadline, heavy=True)) as found:
                async for traced in found:
                    yield traced
            return
        highest, least = both
        yield highest
        returns = spaced_returns(highest.solution, least.solution, points)
        chunks = [
            partial(_traced_between, specification, data, start + 1, returns[start : start + FRONTIER_CHUNK])
            for start in range(0, len(returns), FRONTIER_CHUNK)
        ]
        running: deque[asyncio.Task[list[Traced]]] = deque()
        try:
            while chunks or running:
                while chunks and len(running) < FRONTIER_CHUNKS_AT_ONCE:
                    running.append(asyncio.create_task(self._lanes.process(chunks.pop(0), deadline)))
                for traced in await running[0]:
                    yield traced
                running.popleft()
        finally:
            for one in running:
                one.cancel()
        yield least

    async def batch(
        self, command: BatchCommand, accounts: AsyncIterator[BatchAccount], deadline: float | None
    ) -> AsyncGenerator[BatchOutcome]:
        """An outcome for each account, in any order. Accounts are read no faster than outcomes are taken."""
        data = await self._market_data.load(command.data)
        universe = await self._lanes.thread(partial(_universe, command.specification, data), deadline)
        work = partial(_solved_batch, universe, command.means_known, self._encode)
        running: set[asyncio.Task[list[BatchOutcome]]] = set()
        try:
            async for chunk in _chunks(self._complete(accounts)):
                # A batch that fits one chunk does not wait for a process to start, but for what only one may load.
                heavy = len(chunk) == BATCH_CHUNK or not all(_is_quick(account) for account in chunk)
                lane = self._lanes.process if heavy else self._lanes.thread
                running.add(asyncio.create_task(lane(partial(work, chunk), deadline)))
                while len(running) >= BATCH_CHUNKS_AT_ONCE:
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for outcome in _outcomes(done):
                        yield outcome
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for outcome in _outcomes(done):
                    yield outcome
        finally:
            for task in running:
                task.cancel()

    async def _complete(self, accounts: AsyncIterator[BatchAccount]) -> AsyncIterator[BatchAccount]:
        """Accounts with the stored groups that they name, each looked up once."""
        known: dict[str, tuple[str, ...]] = {}
        async for account in accounts:
            specification = account.specification
            if isinstance(specification, Specification):
                missing = [group for group in specification.missing_groups() if group not in known]
                known |= await self._market_data.groups(missing)
                if specification.missing_groups():
                    account = replace(account, specification=specification.with_groups(known))
            yield account

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
        self, specification: Specification, data: MarketInput | StoredInput, deadline: float | None, *, diagnose: bool
    ) -> Answer:
        limit = time.monotonic() + specification.options.time_limit_seconds
        deadline = limit if deadline is None else min(limit, deadline)
        assets, work = _size(data)
        # A program over scenarios or cones takes a second with many of them, whoever solves it.
        if not specification.is_quick or assets > THREAD_ASSETS or work > THREAD_WORK:
            return await self._lanes.process(partial(_answer, specification, data, diagnose), deadline)
        run: Callable[[OnProgress], Answer] = partial(_answer, specification, data, diagnose)
        if assets > INLINE_ASSETS or work > INLINE_WORK:
            return await self._lanes.thread(run, deadline)
        return await self._lanes.inline(run, deadline)


def _checked(specification: Specification, data: MarketInput | StoredInput, on_progress: OnProgress) -> None:
    """That the problem can be posed."""
    on_progress()
    state(specification, _in_memory(data))


def _checked_feasible(specification: Specification, data: MarketInput | StoredInput, on_progress: OnProgress) -> None:
    """That some weights keep all limits as well. Raises InfeasibleProblem."""
    problem = state(specification, _in_memory(data))
    on_progress()
    limits = feasible_set(problem)
    if not is_feasible(limits):
        raise conflict(limits)


def _answer(
    specification: Specification, data: MarketInput | StoredInput, diagnose: bool, on_progress: OnProgress
) -> Answer:
    """Runs in any lane; stored prices are opened where it runs."""
    known = _in_memory(data)
    problem = state(specification, known)
    start = time.perf_counter()
    solution = solve(problem, on_progress)
    seconds = time.perf_counter() - start
    return Answer(problem, solution, seconds, diagnosis(specification, known, problem) if diagnose else None)


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


def _traced_ends(
    specification: Specification, data: MarketInput | StoredInput, points: int, on_progress: OnProgress
) -> tuple[Traced, Traced] | None:
    """The first point and the last; None where the critical line has all of them sooner."""
    problem = state(specification, _in_memory(data))
    if not goes_by_points(problem, points):
        return None
    start = time.perf_counter()
    highest, least = ends(problem, on_progress)
    each = 0.5 * (time.perf_counter() - start)
    return Traced(0, highest, each), Traced(points - 1, least, each)


def _traced_between(
    specification: Specification,
    data: MarketInput | StoredInput,
    first: int,
    returns: Sequence[float],
    on_progress: OnProgress,
) -> list[Traced]:
    """Points next to each other, numbered from the first."""
    found: list[Traced] = []
    start = time.perf_counter()
    for solution in between(state(specification, _in_memory(data)), returns, on_progress):
        now = time.perf_counter()
        found.append(Traced(first + len(found), solution, now - start))
        start = now
    return found


def _universe(specification: Specification, data: MarketInput | StoredInput, on_progress: OnProgress) -> Universe:
    on_progress()
    return universe_of(specification, _in_memory(data))


async def _chunks(accounts: AsyncIterator[BatchAccount]) -> AsyncIterator[list[BatchAccount]]:
    chunk: list[BatchAccount] = []
    async for account in accounts:
        chunk.append(account)
        if len(chunk) == BATCH_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _outcomes(done: set[asyncio.Task[list[BatchOutcome]]]) -> Iterator[BatchOutcome]:
    for task in done:
        yield from task.result()


def _solved_batch(
    universe: Universe,
    means_known: bool,
    encode: Callable[[PricedAnswer], bytes],
    accounts: Sequence[BatchAccount],
    on_progress: OnProgress,
) -> list[BatchOutcome]:
    """Runs in a thread or a process; what goes wrong with one account is its outcome."""
    found: list[BatchOutcome] = []
    for account in accounts:
        on_progress()
        found.append(BatchOutcome(account, _account_result(universe, means_known, encode, account, on_progress)))
    return found


def _is_quick(account: BatchAccount) -> bool:
    return isinstance(account.specification, Exception) or account.specification.is_quick


def _account_result(
    universe: Universe,
    means_known: bool,
    encode: Callable[[PricedAnswer], bytes],
    account: BatchAccount,
    on_progress: OnProgress,
) -> bytes | Exception:
    if isinstance(account.specification, Exception):
        return account.specification
    start = time.perf_counter()
    try:
        problem = pose(account.specification, universe)
        solution = solve(problem, on_progress)
    except (Cancelled, SolverTimedOut):
        raise
    except DomainError as error:
        return error
    answer = Answer(problem, solution, time.perf_counter() - start)
    return encode(PricedAnswer(answer, _cost(account.specification, answer), means_known))


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


def _cost(specification: Specification, answer: Answer) -> float | None:
    """Of all trades, whether the objective counts it or not."""
    problem = answer.problem
    if problem.current_weights is None:
        return None
    costs = trading_costs(specification, problem) if problem.costs is None else problem.costs
    return None if costs is None else costs.of(answer.solution.weights)
