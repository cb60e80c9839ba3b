"""What must hold of every risk report, whatever the returns are."""

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import ReturnPanel
from domain.risk.analyzer import analyze
from domain.risk.correlation import Clustering
from domain.risk.figure import Absent, known
from domain.risk.flow import assess
from domain.risk.measures import RiskMeasure
from domain.risk.query import RiskQuery
from domain.risk.report import RiskReport
from domain.risk.rolling import Rolling
from domain.risk.specification import RiskSpecification
from domain.risk.stress import AssetShocks, CorrelationStress, Scenario, WorstWindows
from domain.risk.validation.request import ValidationRequest
from tests.families import generated

LEVELS = st.floats(0.55, 0.995)
FAST = tuple(measure for measure in RiskMeasure if "RL" not in measure)  # the relativistic ones take a search each


def market(seed: int, count: int = 120, size: int = 4) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values: np.ndarray = generator.standard_t(4, (count, size)) * 0.01 + 0.0003
    return np.clip(values, -0.4, None)


def report(values: np.ndarray, weights: np.ndarray, **more: Any) -> RiskReport:
    symbols = [f"S{i}" for i in range(values.shape[1])]
    return analyze(RiskQuery(ReturnPanel.of(symbols, range(100, 100 + len(values)), values), weights, 252, **more))


SEEDS = st.integers(0, 10_000)


@given(SEEDS, LEVELS)
def test_a_tail_is_worse_than_where_it_begins(seed: int, level: float) -> None:
    found = report(market(seed), np.full(4, 0.25), confidence_level=level)
    for one in fields(found.value_at_risk):
        begins, mean = getattr(found.value_at_risk, one.name), getattr(found.conditional_value_at_risk, one.name)
        if not isinstance(mean, Absent):
            assert mean >= begins - 1e-12, one.name
    assert known(found.entropic_value_at_risk) >= known(found.conditional_value_at_risk.historical) - 1e-12


@given(SEEDS, st.floats(0.1, 3.0))
def test_risk_grows_with_the_portfolio(seed: int, factor: float) -> None:
    values, weights = market(seed), np.array([0.4, 0.3, 0.2, 0.1])
    one = report(values, weights, measures=FAST)
    more = report(values, factor * weights, measures=FAST)
    for small, large in zip(one.measures, more.measures, strict=True):
        assert large.value == pytest.approx(factor**small.measure.degree * known(small.value), rel=1e-8, abs=1e-15)
    assert known(more.dispersion.volatility_annual) == pytest.approx(
        factor * known(one.dispersion.volatility_annual), rel=1e-10
    )
    assert more.dispersion.skewness == pytest.approx(one.dispersion.skewness, rel=1e-7, abs=1e-9)


@given(SEEDS, st.floats(-0.01, 0.01))
def test_a_sure_gain_moves_the_tail_and_not_the_spread(seed: int, gain: float) -> None:
    values, weights = market(seed), np.full(4, 0.25)
    before, after = report(values, weights), report(values + gain, weights)
    for tail in ("value_at_risk", "conditional_value_at_risk"):
        for name in ("historical", "gaussian", "cornish_fisher"):
            moved = known(getattr(getattr(before, tail), name)) - gain
            assert known(getattr(getattr(after, tail), name)) == pytest.approx(moved, abs=1e-12)
    assert known(after.entropic_value_at_risk) == pytest.approx(known(before.entropic_value_at_risk) - gain, abs=1e-12)
    for name in ("volatility_annual", "semi_deviation", "mean_absolute_deviation", "gini_mean_difference"):
        assert known(getattr(after.dispersion, name)) == pytest.approx(known(getattr(before.dispersion, name)))


@given(SEEDS, LEVELS)
def test_together_is_not_worse_than_apart(seed: int, level: float) -> None:
    values = market(seed)
    one, other = np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.0, 0.2, 0.3, 0.5])

    def tails(weights: np.ndarray) -> tuple[float | None, float | None]:
        found = report(values, weights, confidence_level=level)
        return known(found.conditional_value_at_risk.historical), known(found.entropic_value_at_risk)

    for together, first, second in zip(tails(one + other), tails(one), tails(other), strict=True):
        assert together <= first + second + 1e-12


@given(SEEDS, LEVELS)
def test_drawdowns_keep_their_order(seed: int, level: float) -> None:
    found = report(market(seed), np.array([0.7, 0.5, -0.3, 0.1]), confidence_level=level, worst_drawdowns=1000)
    falls = found.drawdowns
    deepest, tail = known(falls.max_drawdown), known(falls.conditional_drawdown_at_risk)
    assert 0.0 <= known(falls.pain_index) <= known(falls.ulcer_index) <= deepest < 1.0
    assert known(falls.pain_index) - 1e-12 <= tail <= deepest + 1e-12
    assert [fall.depth for fall in falls.worst] == sorted((fall.depth for fall in falls.worst), reverse=True)
    assert falls.average_drawdown == pytest.approx(np.mean([fall.depth for fall in falls.worst]) if falls.worst else 0)
    spans = sorted((fall.peak, fall.recovery) for fall in falls.worst if fall.peak and fall.recovery)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


@given(SEEDS, st.permutations(range(4)))
def test_the_order_of_assets_does_not_matter(seed: int, order: list[int]) -> None:
    values, weights = market(seed), np.array([0.4, 0.3, 0.2, 0.1])
    measures = (RiskMeasure.CONDITIONAL_VALUE_AT_RISK, RiskMeasure.ULCER_INDEX, RiskMeasure.VARIANCE)
    plain, turned = (
        report(values, weights, measures=measures),
        report(values[:, order], weights[order], measures=measures),
    )
    for name, figure in plain.figures.items():
        if isinstance(figure, Absent):
            assert turned.figures[name] == figure
        else:
            assert known(turned.figures[name]) == pytest.approx(figure, rel=1e-7, abs=1e-12), name
    for one, other in zip(plain.measures, turned.measures, strict=True):
        assert one.contributions is not None
        assert other.contributions is not None
        assert other.contributions.by_asset == pytest.approx(one.contributions.by_asset[order], rel=1e-7, abs=1e-14)


@given(SEEDS, LEVELS)
@generated(10)
def test_contributions_add_up_to_every_measure(seed: int, level: float) -> None:
    weights = np.array([0.6, 0.5, -0.3, 0.1])
    found = report(market(seed, 60), weights, confidence_level=level, measures=tuple(RiskMeasure))
    for one in found.measures:
        assert one.contributions is not None
        assert one.contributions.by_asset.sum() == pytest.approx(known(one.value), rel=1e-10, abs=1e-15), one.measure


NUMBERS = st.one_of(
    st.floats(-0.99, 3.0),
    st.sampled_from([0.0, -1.0, 1e-12, -1e-12, 0.01, 1e-300, 50.0]),
)


@given(
    st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=25),
    st.lists(st.floats(-2, 2), min_size=3, max_size=3),
    st.floats(0.01, 0.999),
    st.sampled_from([1.0, 12.0, 252.0, 365.25]),
)
@generated(60)
def test_no_figure_is_ever_infinite(rows: list[list[float]], held: list[float], level: float, periods: float) -> None:
    """Everything at once on data of the worst kind: numbers, reasons, or one typed error."""
    values = np.array(rows)
    panel = ReturnPanel.of("ABC", range(len(values)), values)
    weights = dict(zip("ABC", held, strict=True))
    usual = RiskSpecification(
        holdings=weights,
        confidence_level=level,
        periods_per_year=periods,
        leveraged=True,
        measures=FAST,
        groups={"g": ("A", "B")},
        proposed_weights={"A": 1.0},
        stress=(
            Scenario("shock", AssetShocks({"g": -0.5}, propagate=True)),
            Scenario("worst", WorstWindows(1, 3)),
            Scenario("together", CorrelationStress(1.0, 0.7, 2.0)),
        )
        if len(values) > 1
        else (),
        clustering=Clustering(),
    )
    benchmark = ReturnPanel.of("M", range(1, len(values) + 1), values[:, :1])
    for specification in (usual, replace(usual, rolling=Rolling(2, ())), _validated(usual, len(values))):
        try:
            found = assess(specification, panel, benchmark)
        except DomainError:
            if len(values) >= 4:
                raise
            continue
        for path, number in _numbers(found, ""):
            assert math.isfinite(number), path


def _validated(specification: RiskSpecification, count: int) -> RiskSpecification:
    return replace(specification, validation=ValidationRequest(window=max(1, count // 2), simulations=100))


def _numbers(part: Any, path: str) -> Iterator[tuple[str, float]]:
    """Every number of a report but those that are documented as NaN where they are not defined."""
    if is_dataclass(part) and not isinstance(part, ReturnPanel):
        for one in fields(part):
            if one.name not in ("correlation", "rolling", "r_squared"):
                yield from _numbers(getattr(part, one.name), f"{path}.{one.name}")
    elif isinstance(part, tuple | list):
        for i, entry in enumerate(part):
            yield from _numbers(entry, f"{path}[{i}]")
    elif isinstance(part, np.ndarray) and part.dtype.kind == "f":
        for i, entry in enumerate(part.ravel().tolist()):
            yield f"{path}[{i}]", entry
    elif isinstance(part, float):
        yield path, part


@pytest.mark.parametrize("policy", [MissingDataPolicy.MAXIMUM_LIKELIHOOD, MissingDataPolicy.PAIRWISE])
def test_an_asset_without_values_is_refused(policy: MissingDataPolicy) -> None:
    values = market(1)[:, :2].copy()
    values[:, 1] = np.nan
    specification = RiskSpecification({"A": 1.0}, periods_per_year=252, missing_data=policy)
    with pytest.raises(DomainError, match="B has no value from 1970-01-01 to"):
        assess(specification, ReturnPanel.of("AB", range(len(values)), values))
