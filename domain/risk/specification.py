"""Specification of a risk report, without its data.

`build_query` joins both into a `RiskQuery`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector, group_members, known_members
from domain.errors import InvalidInput
from domain.estimation.expected_returns import SampleMean
from domain.estimation.moments import Estimation, estimate_moments
from domain.market_data.missing import MissingDataPolicy, complete
from domain.market_data.moments import Moments
from domain.market_data.panel import Panel, PricePanel, ReturnPanel, Scenarios
from domain.market_data.source import MarketInput, infer_periods_per_year
from domain.portfolio import Portfolio, weights_by_symbol
from domain.records import dataclass
from domain.risk.conventions import OURS, Conventions
from domain.risk.correlation import Clustering
from domain.risk.factors import FactorDecomposition, principal_components, regressed
from domain.risk.filtered import DECAY
from domain.risk.measures import RiskMeasure
from domain.risk.prepared import Prepared, prepared
from domain.risk.query import WORST_DRAWDOWNS, RiskQuery
from domain.risk.relative import Comparison, compare
from domain.risk.rolling import Rolling
from domain.risk.stress import Scenario
from domain.risk.validation.request import ValidationRequest

Factors = PricePanel | ReturnPanel | int
"""Series of factors, or a number of principal components."""

MOST_MEMBERSHIPS = 50_000_000
"""Groups x symbols of one report: 50 MB."""


@dataclass(frozen=True, slots=True)
class RiskSpecification:
    """Weights by symbol or a portfolio in units, and the parts and parameters of the report."""

    holdings: Mapping[str, float] | Portfolio
    confidence_level: float = 0.95
    periods_per_year: float | None = None
    risk_free_rate_annual: float = 0.0
    missing_data: MissingDataPolicy = MissingDataPolicy.FAIL
    leveraged: bool = False
    minimum_acceptable_return_annual: float = 0.0
    estimation: Estimation = field(default_factory=Estimation)
    measures: tuple[RiskMeasure, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stored_groups: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # members that are not in the input are ignored
    factors: Factors | None = None
    benchmark_weights: Mapping[str, float] | None = None
    rolling: Rolling | None = None
    stress: tuple[Scenario, ...] = ()
    proposed_weights: Mapping[str, float] | None = None
    validation: ValidationRequest | None = None
    worst_drawdowns: int = WORST_DRAWDOWNS
    decay: float = DECAY
    clustering: Clustering | None = None
    conventions: Conventions = OURS
    expected_returns_given: bool = True  # False for moments without expected returns


def build_query(
    specification: RiskSpecification,
    data: MarketInput,
    benchmark: PricePanel | ReturnPanel | None = None,
    check_cancelled: CancellationCheck = never_cancelled,
) -> tuple[RiskQuery, Prepared]:
    """The query of a specification on data, and the treatment of missing values.

    Raises InvalidInput with the field named: unknown symbols, weights above 1 without leverage, missing values under
    FAIL, a benchmark of another kind or without common dates.
    """
    assets = _assets(specification, data)
    weights = _weights(specification, assets)
    ready = prepared(data, specification.missing_data, specification.periods_per_year, check_cancelled)
    periods = periods_of(specification.periods_per_year, data, ready)
    check_estimation(specification.estimation, ready)
    _only_covariance(specification.estimation)
    moments = ready.moments
    if specification.estimation.factors and isinstance(ready.data, ReturnPanel):
        moments = estimate_moments(ready.data, specification.estimation, periods, check_cancelled)
        ready, data = without_factors(specification.estimation, ready), assets
    query = RiskQuery(
        data=ready.data,
        weights=weights,
        periods_per_year=periods,
        confidence_level=specification.confidence_level,
        risk_free_rate_annual=specification.risk_free_rate_annual,
        comparison=None if benchmark is None else _comparison(ready, data, benchmark),
        # Prices show the day before the first return; returns alone do not.
        start=ready.start,
        minimum_acceptable_return_annual=specification.minimum_acceptable_return_annual,
        benchmark_weights=None
        if specification.benchmark_weights is None
        else weights_by_symbol("benchmark_weights", specification.benchmark_weights, data.symbols, leveraged=True),
        estimation=specification.estimation,
        model_moments=moments,
        measures=specification.measures,
        groups=_groups(specification, data.symbols),
        factors=_factors(specification, ready, data),
        decay=specification.decay,
        worst_drawdowns=specification.worst_drawdowns,
        conventions=specification.conventions,
        expected_returns_given=specification.expected_returns_given,
    )
    return query, ready


def periods_of(given: float | None, data: MarketInput, ready: Prepared) -> float:
    """Periods per year of the remaining data: after dates were dropped, a return may span several of them."""
    if isinstance(data, Moments):
        return data.periods_per_year
    kept = ready.panel if ready.panel is not None and ready.moments is None else data
    return infer_periods_per_year(given, kept)


def without_factors(estimation: Estimation, ready: Prepared) -> Prepared:
    """Data of the assets alone: the factors of an estimation are not part of the report."""
    if not estimation.factors or not isinstance(ready.data, ReturnPanel) or ready.panel is None:
        return ready
    return replace(ready, data=estimation.assets_of(ready.data), panel=estimation.assets_of(ready.panel))


def check_estimation(estimation: Estimation, ready: Prepared) -> None:
    """Raises InvalidInput for estimators where the moments are known already."""
    if estimation.is_pooled:
        raise InvalidInput("estimation.views", "entropy pooling is supported by Optimize only; leave it out")
    if not estimation.estimates_something and estimation.views is None:
        return
    if ready.moments is not None and ready.missing is not None:
        policy = ready.missing.policy
        raise InvalidInput(
            "estimation", f"{policy} already estimates the moments; leave out other estimators, or drop dates"
        )
    if ready.missing is None:
        raise InvalidInput("estimation", "needs prices or returns as the input; leave it out with moments or scenarios")


def _only_covariance(estimation: Estimation) -> None:
    """A report describes past returns; only the covariance of its risk model may be estimated otherwise."""
    if estimation.views is not None:
        raise InvalidInput(
            "estimation.views", "must be left out: a report describes past returns, and views are expectations"
        )
    if estimation.expected_returns != SampleMean():
        raise InvalidInput("estimation.expected_returns", "must be left out: a report uses the mean of its own returns")


def _assets(specification: RiskSpecification, data: MarketInput) -> MarketInput:
    """The input without the factors of the estimation, which may have no weight."""
    held, estimation = specification.holdings, specification.estimation
    if not isinstance(data, PricePanel | ReturnPanel):
        return data
    if isinstance(held, Portfolio):
        estimation.only_assets("holdings", held.quantities)
    else:
        estimation.only_assets("weights", held)
    return estimation.assets_of(data)


def _weights(specification: RiskSpecification, data: MarketInput) -> Vector:
    held = specification.holdings
    if isinstance(held, Portfolio):
        if not isinstance(data, PricePanel):
            raise InvalidInput("holdings", "need prices or market_data as the input: they are valued at the last price")
        by_symbol = held.weights(data.symbols, data.values[-1])
        return weights_by_symbol("holdings", by_symbol, data.symbols, leveraged=True)
    return weights_by_symbol("weights", held, data.symbols, leveraged=specification.leveraged)


def _comparison(ready: Prepared, data: MarketInput, benchmark: PricePanel | ReturnPanel) -> Comparison:
    if isinstance(data, Moments | Scenarios):
        raise InvalidInput("benchmark", "needs prices or returns as the input, to compare date by date")
    if type(data) is not type(benchmark):
        raise InvalidInput("benchmark", "must be of the input's kind: prices with prices, returns with returns")
    if ready.panel is None:
        return Comparison(np.zeros((0, len(data.symbols))), np.zeros(0))
    # Where gaps were left to an estimator, periods per year are those of all dates, else of those that are left.
    return compare(ready.panel, benchmark, data.dates if ready.moments is not None else None, ready.dropped)


def _groups(specification: RiskSpecification, symbols: tuple[str, ...]) -> dict[str, NDArray[np.bool_]]:
    known = set(symbols)
    for i, (name, members) in enumerate(specification.groups.items()):
        group_members(f"groups[{i}]", name, members)
    known_members("groups", specification.groups, symbols)
    for i, name in enumerate(specification.groups):
        if name in known or name in specification.stored_groups:
            rule = f"{name} is also the name of a {'symbol' if name in known else 'stored group'}; rename the group"
            raise InvalidInput(f"groups[{i}].name", rule)
    for i, (name, members) in enumerate(specification.stored_groups.items()):
        if known.isdisjoint(members):
            raise InvalidInput(f"stored_groups[{i}]", f"{name!r} has no member among the symbols of the input")
    everything = {**specification.stored_groups, **specification.groups}
    if len(everything) * len(symbols) > MOST_MEMBERSHIPS:
        count = f"{len(everything):,} x {len(symbols):,}"
        raise InvalidInput("groups", f"groups x symbols must be at most {MOST_MEMBERSHIPS:,}, are {count}")
    position = {symbol: i for i, symbol in enumerate(symbols)}
    return {name: _mask(members, position) for name, members in everything.items()}


def _mask(members: Iterable[str], position: Mapping[str, int]) -> NDArray[np.bool_]:
    """Which of the symbols are members; stored groups may have others as well."""
    inside = np.zeros(len(position), dtype=bool)
    inside[[position[member] for member in members if member in position]] = True
    return inside


def _factors(specification: RiskSpecification, ready: Prepared, data: MarketInput) -> FactorDecomposition | None:
    """The factors' returns over the same periods as the assets'."""
    if specification.factors is None:
        return None
    return decomposition(specification.factors, ready, data)


def decomposition(factors: Factors, ready: Prepared, data: MarketInput) -> FactorDecomposition:
    """The part of a panel's returns that factors explain. Raises InvalidInput with the path of the field."""
    if not isinstance(ready.data, ReturnPanel) or ready.panel is None:
        raise InvalidInput("factors", "need prices or returns as the input, with their dates")
    if isinstance(factors, int):
        try:
            return principal_components(ready.data, factors)
        except InvalidInput as error:
            raise InvalidInput("factors.principal_components", error.rule) from None
    if type(factors) is not type(data):
        raise InvalidInput("factors.series", "must be of the input's kind: prices with prices, returns with returns")
    if isinstance(factors, PricePanel):
        factors = factors.without_worthless()
    try:
        series = _on_dates(complete(factors, MissingDataPolicy.FAIL), ready.panel)
    except InvalidInput as error:
        raise error.with_path_prefix("factors.series") from None
    return regressed(ready.data, series.returns() if isinstance(series, PricePanel) else series)


def _on_dates(factors: PricePanel | ReturnPanel, panel: Panel) -> PricePanel | ReturnPanel:
    """The factors on the dates of a panel, so that returns of prices are over the same periods."""
    inside = np.isin(factors.dates, panel.dates)
    if inside.sum() < len(panel.dates):
        missed = panel.dates[~np.isin(panel.dates, factors.dates)][0]
        raise InvalidInput("dates", f"must have every date of the input, miss {np.datetime64(int(missed), 'D')}")
    return type(factors)(factors.symbols, factors.dates[inside], factors.values[inside])
