"""Requests, built once for both twins."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from absfinance.v1.backtest_pb2 import AnalysisOptions, Benchmark, Execution, Fill, Rebalancing, Strategy
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.cost_pb2 import CostModel
from absfinance.v1.estimation_pb2 import (
    CovarianceEstimator,
    Estimation,
    ExpectedReturnsEstimator,
    ExponentialWeighting,
    SampleEstimator,
)
from absfinance.v1.market_data_service_pb2 import ImportPricesRequest
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeRequest, TraceFrontierRequest
from absfinance.v1.panel_pb2 import MissingDataPolicy, PriceField
from absfinance.v1.portfolio_pb2 import Thresholds
from absfinance.v1.reallocation_pb2 import ReallocationLimits
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from absfinance.v1.risk_measure_pb2 import RiskMeasure
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, EstimateRiskModelRequest, SimulationOptions

from absfin.choices import choice
from absfin.constraints import Constraint
from absfin.costs import Costs
from absfin.data import (
    Holdings,
    MarketInput,
    Panel,
    Prices,
    Quote,
    Returns,
    Stored,
    input_fields,
    panel_of,
    weights_to_proto,
)
from absfin.objectives import Objective
from absfin.risk import RiskOptions, factor_options

CHUNK_VALUES = 100_000
"""Values in a message of an import: 0.8 MB, well below the 4 MiB a message may have."""

Progress = Callable[[int, int], None]
"""Told how many values of how many have been sent."""


def optimize_request(
    data: MarketInput,
    objective: Objective,
    *,
    constraints: Iterable[Constraint] = (),
    risk_measure: str = "variance",
    confidence_level: float | None = None,
    current_weights: Mapping[str, float] | None = None,
    ewma_half_life: float | None = None,
    estimation: Estimation | None = None,
    missing_data: str = "fail",
    costs: Costs | None = None,
    diagnose_estimation: bool = False,
    request_id: str = "",
    validate_only: bool = False,
) -> OptimizeRequest:
    """One optimisation problem."""
    return OptimizeRequest(
        **input_fields(data),
        objective=objective,
        constraints=constraints,
        risk_measure=choice(RiskMeasure, "risk_measure", risk_measure),
        confidence_level=confidence_level,
        current_weights=weights_to_proto(current_weights or {}),
        estimation=estimation if ewma_half_life is None else _ewma(ewma_half_life),
        missing_data=choice(MissingDataPolicy, "missing_data", missing_data),
        costs=costs,
        diagnose_estimation=diagnose_estimation,
        request_id=request_id or new_request_id(),
        validate_only=validate_only,
    )


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a batch: what it holds, and what it asks for beside what all share."""

    key: str
    current_weights: Mapping[str, float] = field(default_factory=dict)
    constraints: Sequence[Constraint] = ()  # one with the label of a shared one takes its place
    objective: Objective | None = None  # instead of the shared one


def universe_request(
    data: MarketInput,
    objective: Objective,
    *,
    constraints: Iterable[Constraint] = (),
    risk_measure: str = "variance",
    confidence_level: float | None = None,
    estimation: Estimation | None = None,
    missing_data: str = "fail",
    costs: Costs | None = None,
) -> OptimizeBatchRequest:
    """The first message of a batch: what all accounts share."""
    spec = OptimizeSpec(
        objective=objective,
        constraints=constraints,
        risk_measure=choice(RiskMeasure, "risk_measure", risk_measure),
        confidence_level=confidence_level,
        estimation=estimation,
        missing_data=choice(MissingDataPolicy, "missing_data", missing_data),
        costs=costs,
    )
    return OptimizeBatchRequest(universe=OptimizeBatchRequest.Universe(**input_fields(data), spec=spec))


def account_request(account: Account) -> OptimizeBatchRequest:
    """A further message of a batch."""
    return OptimizeBatchRequest(
        account=OptimizeBatchRequest.Account(
            key=account.key,
            current_weights=weights_to_proto(account.current_weights),
            constraints=account.constraints,
            objective=account.objective,
        )
    )


def frontier_request(
    data: MarketInput,
    points: int = 0,
    *,
    constraints: Iterable[Constraint] = (),
    risk_measure: str = "variance",
    confidence_level: float | None = None,
    estimation: Estimation | None = None,
    missing_data: str = "fail",
) -> TraceFrontierRequest:
    """The frontier of a problem."""
    return TraceFrontierRequest(
        **input_fields(data),
        points=points,
        constraints=constraints,
        risk_measure=choice(RiskMeasure, "risk_measure", risk_measure),
        confidence_level=confidence_level,
        estimation=estimation,
        missing_data=choice(MissingDataPolicy, "missing_data", missing_data),
    )


def risk_request(
    data: MarketInput,
    weights: Mapping[str, float] | Holdings,
    *,
    benchmark: Any = None,
    confidence_level: float | None = None,
    risk_free_rate_annual: float | None = None,
    missing_data: str = "fail",
    allow_leverage: bool = False,
    options: RiskOptions | None = None,
) -> AnalyzeRiskRequest:
    """A risk report of weights, or of holdings in units and cash.

    `benchmark` is a Panel or pandas series of the data's kind, or the name of a stored symbol.
    """
    fields = input_fields(data)
    if isinstance(benchmark, str):
        fields["benchmark_symbol"] = benchmark
    elif benchmark is not None:
        table = benchmark.panel if isinstance(benchmark, Prices | Returns) else benchmark
        fields["benchmark"] = panel_of(table).to_proto()
    if isinstance(weights, Holdings):
        held = weights.to_proto()
        fields |= {"holdings": held.holdings, "cash": held.cash}
    else:
        fields["weights"] = weights_to_proto(weights)
    return AnalyzeRiskRequest(
        **fields,
        confidence_level=confidence_level,
        risk_free_rate_annual=risk_free_rate_annual,
        missing_data=choice(MissingDataPolicy, "missing_data", missing_data),
        allow_leverage=allow_leverage,
        **(options or RiskOptions()).to_fields(),
    )


def risk_model_request(
    data: Prices | Returns | Stored,
    *,
    estimation: Estimation | None = None,
    missing_data: str = "fail",
    factors: Any = None,
    simulation: SimulationOptions | None = None,
) -> EstimateRiskModelRequest:
    """A risk model of many assets."""
    return EstimateRiskModelRequest(
        **input_fields(data),
        estimation=estimation,
        missing_data=choice(MissingDataPolicy, "missing_data", missing_data),
        factors=None if factors is None else factor_options(factors),
        simulation=simulation,
    )


def backtest_request(
    data: Prices | Returns | Stored,
    strategy: Strategy | Sequence[Strategy],
    *,
    rebalancing: Rebalancing | None = None,
    fill: str = "next_close",
    commission_bps: float = 0.0,
    half_spread_bps: float = 0.0,
    initial_capital: float | None = None,
    benchmarks: Iterable[str | Strategy] = (),
    risk_free_rate_annual: float | None = None,
    missing_data: str = "fail",
    request_id: str = "",
    wait_seconds: float = 0.0,
) -> BacktestRequest:
    """One backtest."""
    several = () if isinstance(strategy, Strategy) else tuple(strategy)
    request = BacktestRequest(
        **input_fields(data),
        strategy=strategy if isinstance(strategy, Strategy) else None,
        strategies=several,
        rebalancing=rebalancing,
        execution=Execution(fill=choice(Fill, "fill", fill)),
        costs=CostModel(commission_bps=commission_bps, half_spread_bps=half_spread_bps),
        initial_capital=initial_capital,
        benchmarks=[Benchmark(symbol=b) if isinstance(b, str) else Benchmark(strategy=b) for b in benchmarks],
        analysis=AnalysisOptions(risk_free_rate_annual=risk_free_rate_annual),
        missing_data=choice(MissingDataPolicy, "missing_data", missing_data),
        request_id=request_id or new_request_id(),
    )
    request.wait.FromNanoseconds(round(wait_seconds * 1e9))
    return request


def reallocate_request(
    portfolio: Holdings | str,
    market: Stored | Iterable[Quote],
    target: Mapping[str, float] | OptimizeSpec | None = None,
    *,
    max_utilization: float | None = None,
    drift_band: float | None = None,
    max_participation: float | None = None,
    min_trade_value: float | None = None,
    cash_floor: float | None = None,
    max_turnover: float | None = None,
    fractional: bool = False,
    commission_bps: float = 0.0,
    half_spread_bps: float = 0.0,
    horizon_days: int = 1,
    request_id: str = "",
    validate_only: bool = False,
) -> ReallocateRequest:
    """One reallocation of positions, or of a stored portfolio by its name."""
    request = ReallocateRequest(
        limits=ReallocationLimits(
            max_participation=max_participation,
            min_trade_value=min_trade_value,
            cash_floor=cash_floor,
            max_turnover=max_turnover,
            fractional=fractional,
        ),
        costs=CostModel(commission_bps=commission_bps, half_spread_bps=half_spread_bps),
        horizon_days=horizon_days,
        request_id=request_id or new_request_id(),
        validate_only=validate_only,
    )
    if isinstance(portfolio, str):
        request.portfolio_name = portfolio
    else:
        request.portfolio.CopyFrom(portfolio.to_proto())
    if isinstance(market, Stored):
        request.market_data.CopyFrom(market.to_proto())
    else:
        request.snapshot.assets.extend(quote.to_proto() for quote in market)
    if isinstance(target, OptimizeSpec):
        request.target_optimize.CopyFrom(target)
    elif target is not None:
        request.target_weights.weights.extend(weights_to_proto(target))
    if max_utilization is not None or drift_band is not None:
        request.thresholds.CopyFrom(Thresholds(max_utilization=max_utilization, drift_band=drift_band))
    return request


def new_request_id() -> str:
    """An id that nobody else has: with it a call that is repeated is carried out once."""
    return secrets.token_hex(16)


def import_requests(
    panel: Panel, *, field: str, source: str, import_id: str, on_progress: Progress | None
) -> Iterator[ImportPricesRequest]:
    """Header, chunks of whole rows, footer. The header is made at once: a wrong argument is the caller's error here."""
    header = ImportPricesRequest.Header(
        import_id=import_id or new_request_id(),
        field=choice(PriceField, "field", field),
        source=source,
    )
    return _import_pieces(header, panel, on_progress)


def _import_pieces(
    header: ImportPricesRequest.Header, panel: Panel, on_progress: Progress | None
) -> Iterator[ImportPricesRequest]:
    yield ImportPricesRequest(header=header)
    total, rows = panel.values.size, max(1, CHUNK_VALUES // len(panel.symbols))
    for start in range(0, len(panel.dates), rows):
        part = Panel(panel.symbols, panel.dates[start : start + rows], panel.values[start : start + rows])
        yield ImportPricesRequest(chunk=part.to_proto())
        if on_progress:
            on_progress(min((start + rows) * len(panel.symbols), total), total)
    yield ImportPricesRequest(footer=ImportPricesRequest.Footer(value_count=total))


def _ewma(half_life: float) -> Estimation:
    return Estimation(
        expected_returns=ExpectedReturnsEstimator(sample=SampleEstimator()),
        covariance=CovarianceEstimator(ewma=ExponentialWeighting(half_life=half_life)),
    )
