"""AnalyzeRisk: load the data and the benchmark, report."""

from dataclasses import dataclass
from functools import partial

from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.market_data.source import MarketInput
from domain.risk.analyzer import RiskReport, analyze
from domain.risk.specification import RiskSpecification, pose
from server.execution.lanes import Lanes, OnProgress
from server.ports import PriceSelection
from server.services.market_data import MarketData, StoredInput

INLINE_VALUES = 50_000
"""Values of a panel (dates x assets) that are analysed inline, in about a millisecond."""

THREAD_VALUES = 2_000_000

Benchmark = PricePanel | ReturnPanel | PriceSelection


@dataclass(frozen=True, slots=True)
class RiskCommand:
    """What to analyse."""

    data: MarketInput | PriceSelection
    specification: RiskSpecification
    benchmark: Benchmark | None = None


class Risk:
    """Reports risk; nothing is stored."""

    def __init__(self, market_data: MarketData, lanes: Lanes) -> None:
        self._market_data = market_data
        self._lanes = lanes

    async def analyze(self, command: RiskCommand, deadline: float | None) -> RiskReport:
        """The report of a command."""
        data = await self._market_data.load(command.data)
        benchmark: PricePanel | ReturnPanel | StoredInput | None
        if isinstance(command.benchmark, PriceSelection):
            benchmark = await self._market_data.stored(command.benchmark)
        else:
            benchmark = command.benchmark
        work = partial(_report, command.specification, data, benchmark)
        size = _values(data)
        if size > THREAD_VALUES:
            return await self._lanes.process(work, deadline)
        if size > INLINE_VALUES:
            return await self._lanes.thread(work, deadline)
        return await self._lanes.inline(work, deadline)


def _report(
    specification: RiskSpecification,
    data: MarketInput | StoredInput,
    benchmark: PricePanel | ReturnPanel | StoredInput | None,
    on_progress: OnProgress,
) -> RiskReport:
    on_progress()
    opened = data.open() if isinstance(data, StoredInput) else data
    compared = benchmark.open() if isinstance(benchmark, StoredInput) else benchmark
    return analyze(pose(specification, opened, compared))


def _values(data: MarketInput | StoredInput) -> int:
    if isinstance(data, StoredInput):
        return data.rows * len(data.symbols)
    return data.covariance.size if isinstance(data, Moments) else data.values.size
