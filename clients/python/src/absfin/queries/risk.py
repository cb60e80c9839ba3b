"""Calls of RiskService."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from absfinance.v1 import risk_service_pb2 as pb
from absfinance.v1.estimation_pb2 import Estimation
from absfinance.v1.panel_pb2 import MissingDataPolicy
from absfinance.v1.panel_pb2 import Panel as PanelProto
from absfinance.v1.risk_service_pb2_grpc import RiskServiceStub

from absfin.choices import MissingData, choice
from absfin.data import Holdings, MarketInput, Prices, Returns, Stored, input_fields, panel_of, weights_to_proto
from absfin.queries.base import AssembledQuery, Rpc, UnaryQuery
from absfin.risk import RiskModel, RiskModelAssembler, RiskOptions, factor_options
from absfin.risk_report import RiskReport
from absfin.significance import StrategyComparison


@dataclass(frozen=True)
class AnalyzeRiskQuery(UnaryQuery[RiskReport]):
    """The risk of constant weights (fractions of net asset value), or of holdings in units and cash.

    `benchmark` is a Panel or pandas series of the kind of the data, or a stored symbol; `options` requests measures,
    stress scenarios, rolling figures and more.
    """

    RPC: ClassVar = Rpc(RiskServiceStub, "AnalyzeRisk")

    data: MarketInput
    weights: Mapping[str, float] | Holdings
    _: KW_ONLY
    benchmark: Any = None
    confidence_level: float | None = None  # in (0, 1); 0.95 if None
    risk_free_rate_annual: float | None = None
    missing_data: MissingData = "fail"
    periods_per_year: float | None = None  # inferred from the dates of prices if None
    allow_leverage: bool = False
    options: RiskOptions | None = None

    def __post_init__(self) -> None:
        choice(MissingDataPolicy, "missing_data", self.missing_data)

    def request(self) -> pb.AnalyzeRiskRequest:
        """One risk report."""
        return pb.AnalyzeRiskRequest(
            **input_fields(self.data, self.periods_per_year),
            **self._portfolio_fields(),
            **self._benchmark_fields(),
            confidence_level=self.confidence_level,
            risk_free_rate_annual=self.risk_free_rate_annual,
            missing_data=choice(MissingDataPolicy, "missing_data", self.missing_data),
            allow_leverage=self.allow_leverage,
            **(self.options or RiskOptions()).to_fields(),
        )

    def answer(self, response: pb.AnalyzeRiskResponse) -> RiskReport:
        """The figures."""
        return RiskReport.from_proto(response)

    def _portfolio_fields(self) -> dict[str, Any]:
        if isinstance(self.weights, Holdings):
            held = self.weights.to_proto()
            return {"holdings": held.holdings, "cash": held.cash}
        return {"weights": weights_to_proto(self.weights)}

    def _benchmark_fields(self) -> dict[str, Any]:
        if self.benchmark is None:
            return {}
        if isinstance(self.benchmark, str):
            return {"benchmark_symbol": self.benchmark}
        table = self.benchmark.panel if isinstance(self.benchmark, Prices | Returns) else self.benchmark
        return {"benchmark": panel_of(table).to_proto()}


@dataclass(frozen=True)
class CompareStrategiesQuery(UnaryQuery[StrategyComparison]):
    """Whether strategies beat a benchmark, the number of strategies considered.

    `returns` is a Panel or pandas frame of simple returns per period, a column for each strategy that was tried;
    `benchmark` has one column on the same dates, or is None for 0. Give excess returns where cash earns something.
    """

    RPC: ClassVar = Rpc(RiskServiceStub, "CompareStrategies")

    returns: Any
    benchmark: Any = None
    _: KW_ONLY
    block_length: float | None = None  # periods; chosen from the data if None
    resamples: int | None = None  # 1000 if None
    seed: int = 0
    significance_level: float | None = None  # 0.05 if None: probability of naming any strategy wrongly
    segments: int | None = None  # of the cross-validation, even; 16 if None

    def request(self) -> pb.CompareStrategiesRequest:
        """One comparison."""
        return pb.CompareStrategiesRequest(
            returns=_returns_to_proto(self.returns),
            benchmark=None if self.benchmark is None else _returns_to_proto(self.benchmark),
            block_length=self.block_length,
            resamples=self.resamples,
            seed=self.seed,
            significance_level=self.significance_level,
            segments=self.segments,
        )

    def answer(self, response: pb.CompareStrategiesResponse) -> StrategyComparison:
        """The figures."""
        return StrategyComparison.from_proto(response)


def _returns_to_proto(table: Any) -> PanelProto:
    """A table of returns, also one that is wrapped as such."""
    return panel_of(table.panel if isinstance(table, Returns) else table).to_proto()


@dataclass(frozen=True)
class EstimateRiskModelQuery(AssembledQuery[RiskModel]):
    """Moments of N assets per period, with their diagnostics, factors and simulated returns."""

    RPC: ClassVar = Rpc(RiskServiceStub, "EstimateRiskModel")

    data: Prices | Returns | Stored
    _: KW_ONLY
    estimation: Estimation | None = None
    missing_data: MissingData = "fail"
    periods_per_year: float | None = None  # inferred from the dates of prices if None
    factors: Any = None  # a Panel or pandas frame of the kind of the data, or a number of principal components
    simulation: pb.SimulationOptions | None = None

    def __post_init__(self) -> None:
        choice(MissingDataPolicy, "missing_data", self.missing_data)

    def request(self) -> pb.EstimateRiskModelRequest:
        """One risk model."""
        return pb.EstimateRiskModelRequest(
            **input_fields(self.data, self.periods_per_year),
            estimation=self.estimation,
            missing_data=choice(MissingDataPolicy, "missing_data", self.missing_data),
            factors=None if self.factors is None else factor_options(self.factors),
            simulation=self.simulation,
        )

    def assembler(self) -> RiskModelAssembler:
        """Joins the arrays."""
        return RiskModelAssembler()
