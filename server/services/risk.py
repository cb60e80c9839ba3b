"""AnalyzeRisk and EstimateRiskModel: load the data and the benchmark, report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.market_data.source import MarketInput
from domain.risk.estimate import EstimatedRiskModel, RiskModelSpecification, estimate
from domain.risk.flow import RiskAssessment, assess
from domain.risk.specification import RiskSpecification
from server.execution.lanes import Lanes, OnProgress
from server.ports import PriceSelection
from server.services.market_data import MarketData, StoredInput

THREAD_VALUES = 200_000
"""Values of a panel (dates x assets) that are analysed in a thread, in a few milliseconds."""

Benchmark = PricePanel | ReturnPanel | PriceSelection


@dataclass(frozen=True, slots=True)
class RiskCommand:
    """What to analyse."""

    data: MarketInput | PriceSelection
    specification: RiskSpecification
    benchmark: Benchmark | None = None
    stored_groups: tuple[str, ...] = ()
    drawdown_series: bool = False

    @property
    def is_light(self) -> bool:
        """Whether it asks for nothing that takes long, or holds the interpreter."""
        wanted = self.specification
        heavy = (wanted.measures, wanted.rolling, wanted.validation, wanted.clustering, wanted.estimation.is_heavy)
        return not any(heavy) and not wanted.missing_data.keeps_gaps


@dataclass(frozen=True, slots=True)
class RiskModelCommand:
    """What to estimate."""

    data: PricePanel | ReturnPanel | PriceSelection
    specification: RiskModelSpecification


class Risk:
    """Reports risk; nothing is stored."""

    def __init__(self, market_data: MarketData, lanes: Lanes) -> None:
        self._market_data = market_data
        self._lanes = lanes

    async def analyze(self, command: RiskCommand, deadline: float | None) -> RiskAssessment:
        """The report of a command."""
        data = await self._market_data.load(command.data)
        benchmark: PricePanel | ReturnPanel | StoredInput | None
        if isinstance(command.benchmark, PriceSelection):
            benchmark = await self._market_data.stored(command.benchmark)
        else:
            benchmark = command.benchmark
        groups = await self._groups(command.stored_groups)
        work = partial(_assess, replace(command.specification, stored_groups=groups), data, benchmark)
        if isinstance(data, Moments) and command.is_light:
            return await self._lanes.inline(work, deadline)
        if command.is_light and _values(data) <= THREAD_VALUES:
            return await self._lanes.thread(work, deadline)
        return await self._lanes.process(work, deadline)

    async def estimate(self, command: RiskModelCommand, deadline: float | None) -> EstimatedRiskModel:
        """The risk model of a command."""
        data = await self._market_data.load(command.data)
        return await self._lanes.process(partial(_estimate, command.specification, data), deadline)

    async def _groups(self, names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        found = await self._market_data.groups(names)
        for i, name in enumerate(names):
            if name not in found:
                raise InvalidInput(f"stored_groups[{i}]", f"no stored instrument carries the label {name!r}")
        return found


def _assess(
    specification: RiskSpecification,
    data: MarketInput | StoredInput,
    benchmark: PricePanel | ReturnPanel | StoredInput | None,
    on_progress: OnProgress,
) -> RiskAssessment:
    on_progress()
    opened = data.open() if isinstance(data, StoredInput) else data
    compared = benchmark.open() if isinstance(benchmark, StoredInput) else benchmark
    return assess(specification, opened, compared, on_progress)


def _estimate(
    specification: RiskModelSpecification, data: MarketInput | StoredInput, on_progress: OnProgress
) -> EstimatedRiskModel:
    on_progress()
    opened = data.open() if isinstance(data, StoredInput) else data
    if not isinstance(opened, PricePanel | ReturnPanel):
        raise ValueError("a risk model is estimated from prices or returns")
    return estimate(specification, opened, on_progress)


def _values(data: MarketInput | StoredInput) -> int:
    if isinstance(data, StoredInput):
        return data.rows * len(data.symbols)
    return data.covariance.size if isinstance(data, Moments) else data.values.size
