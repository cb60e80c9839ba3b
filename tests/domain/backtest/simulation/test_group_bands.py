"""Bands of groups to the edge, and of what has left its band alone: against a second solver, examples, properties."""

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from domain.backtest.drift_band import BandDestination, BandScope, BandTrigger, BandWidth, DriftBand
from domain.backtest.group_bands import BREACH, destination
from domain.backtest.simulation.arrays import ANY_BREACH, TO_EDGE, TO_FRACTION, TO_TARGET, Bands
from domain.backtest.specification import Fill
from domain.market_data.missing import MissingDataPolicy
from tests.domain.backtest.simulation.test_band_examples import held, simulated

NAN = float("nan")
WIDE = BandWidth(absolute=0.1)
FIVE_POINTS = BandWidth(absolute=0.05)
WEIGHTS = {"A": 0.35, "B": 0.35, "C": 0.3}
GROUP_IS_OUT = {"A": [35.0, 38.0], "B": [35.0, 38.0], "C": [30.0, 24.0]}
BOTH = {"both": ("A", "B")}


def bands_of(absolute: np.ndarray, members: np.ndarray, group_absolute: np.ndarray, **more: Any) -> Bands:
    count = len(absolute)
    fields = {"trigger": ANY_BREACH, "only_breached": False, "destination": TO_EDGE, "fraction": 1.0} | more
    return Bands(
        absolute=absolute, relative=np.full(count, np.inf), cash_absolute=np.inf, cash_relative=np.inf,
        group_members=members, group_absolute=group_absolute, group_relative=np.full(len(members), np.inf),
        by_program=True, most_tracking_variance=np.inf, risk_aversion=0.0, horizon_years=1.0, periods_per_year=252.0,
        window=252, is_on=True, **fields,
    )  # fmt: skip


def test_a_group_goes_to_its_edge() -> None:
    """A and B at .38 each are one point above .75 together: each sells half of it, and C buys it."""
    band = DriftBand(WIDE, by_group={"both": FIVE_POINTS}, destination=BandDestination.EDGE)
    record = simulated(GROUP_IS_OUT, WEIGHTS, band, groups=BOTH)
    assert held(record, GROUP_IS_OUT, WEIGHTS, 1) == pytest.approx([37.5, 37.5, 25.0], rel=1e-12)
    assert record.indices.tolist() == [0, 1]


def test_the_members_of_a_group_go_to_their_targets() -> None:
    """Only what has left its band is given a destination; C takes what keeps the sum."""
    weights = {"A": 0.3, "B": 0.3, "C": 0.2, "D": 0.2}
    values = {"A": [30.0, 34.0], "B": [30.0, 34.0], "C": [20.0, 14.0], "D": [20.0, 18.0]}
    band = DriftBand(WIDE, by_group={"both": FIVE_POINTS}, scope=BandScope.BREACHED)
    record = simulated(values, weights, band, groups=BOTH)
    assert held(record, values, weights, 1) == pytest.approx([30.0, 30.0, 18.0, 22.0], rel=1e-12)


def test_a_part_of_the_way_for_the_members_of_a_group() -> None:
    band = DriftBand(
        WIDE, by_group={"both": FIVE_POINTS}, scope=BandScope.BREACHED, destination=BandDestination.FRACTION,
        fraction=0.5,
    )  # fmt: skip
    record = simulated(GROUP_IS_OUT, WEIGHTS, band, groups=BOTH)
    assert held(record, GROUP_IS_OUT, WEIGHTS, 1) == pytest.approx([36.5, 36.5, 27.0], rel=1e-12)


def test_cash_takes_what_nothing_else_can() -> None:
    """C is halted: A and B sell half a point each, which stays in cash."""
    values = {"A": [35.0, 35.0, 38.0, 38.0], "B": [35.0, 35.0, 38.0, 38.0], "C": [30.0, 24.0, NAN, 24.0]}
    values["C"][1] = 24.0
    band = DriftBand(BandWidth(absolute=0.2), by_group={"both": FIVE_POINTS}, destination=BandDestination.EDGE)
    record = simulated(values, WEIGHTS, band, groups=BOTH, missing_data=MissingDataPolicy.ASSET_STATES)
    assert record.units[1] * np.array([38.0, 38.0, 24.0]) / np.array([35.0, 35.0, 30.0]) == pytest.approx(
        [37.5, 37.5, 24.0], rel=1e-12
    )
    assert record.cash[1] == pytest.approx(1.0, rel=1e-11)


def test_the_edge_of_a_group_is_filled_with_its_delay() -> None:
    values = {"A": [35.0, 35.0, 38.0, 35.0], "B": [35.0, 35.0, 38.0, 35.0], "C": [30.0, 30.0, 24.0, 30.0]}
    band = DriftBand(WIDE, by_group={"both": FIVE_POINTS}, destination=BandDestination.EDGE)
    record = simulated(values, WEIGHTS, band, groups=BOTH, fill=Fill.NEXT_CLOSE)
    assert record.indices.tolist() == [1, 3]
    assert held(record, values, WEIGHTS, 3) == pytest.approx([37.5, 37.5, 25.0], rel=1e-12)


@pytest.mark.parametrize(("relative_aversion", "trades"), [(1.01, 2), (0.99, 1)])
def test_the_edge_of_a_group_has_to_be_worth_its_cost(relative_aversion: float, trades: int) -> None:
    """Benefit a year against cost over the horizon, worked out from the two returns that are known."""
    values = {"A": [35.0, 35.5, 38.0], "B": [35.0, 35.2, 38.0], "C": [30.0, 31.0, 24.0]}
    levels = np.array([values[name] for name in "ABC"]).T
    returns = levels[1:] / levels[:-1] - 1.0
    before, after, target = np.array([0.38, 0.38, 0.24]), np.array([0.375, 0.375, 0.25]), np.array([0.35, 0.35, 0.3])
    fall = float(np.var(returns @ (before - target), ddof=1) - np.var(returns @ (after - target), ddof=1)) * 252.0
    breakeven = 0.01 * 0.02 * 5.0 / (0.5 * fall)
    band = DriftBand(
        WIDE, by_group={"both": FIVE_POINTS}, destination=BandDestination.EDGE, trigger=BandTrigger.COST_BENEFIT,
        risk_aversion=relative_aversion * breakeven, horizon_days=73,
    )  # fmt: skip
    assert len(simulated(values, WEIGHTS, band, 100.0, groups=BOTH).indices) == trades


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, Bands]:
    rng = np.random.default_rng(seed)
    count, groups = int(rng.integers(3, 8)), int(rng.integers(1, 4))
    target = rng.dirichlet(np.ones(count)) * rng.choice([1.0, 0.9])
    drifted = target * np.exp(rng.normal(0.0, 0.3, count))
    weights = drifted / (drifted.sum() + 1.0 - target.sum())
    members = rng.random((groups, count)) < 0.5
    return (
        weights, target,
        bands_of(rng.uniform(0.01, 0.15, count), members, rng.uniform(0.01, 0.1, groups)),
    )  # fmt: skip


def second_solver(weights: np.ndarray, target: np.ndarray, bands: Bands) -> tuple[float, float, float]:
    """Least remainder for cash, least sum of trades and least sum of squares to the edges, each by a conic solver."""
    x, members = cp.Variable(len(weights)), bands.group_members.astype(float)
    inside = [cp.abs(x - target) <= bands.absolute, cp.abs(members @ (x - target)) <= bands.group_absolute]
    remainder = cp.Problem(cp.Minimize(cp.abs(cp.sum(x - weights))), inside).solve(solver=cp.CLARABEL)
    inside.append(cp.abs(cp.sum(x - weights)) <= max(remainder, 0.0) + 1e-9)
    traded = cp.Problem(cp.Minimize(cp.norm1(x - weights)), inside).solve(solver=cp.CLARABEL)
    inside.append(cp.norm1(x - weights) <= traded + 1e-8)
    return remainder, traded, cp.Problem(cp.Minimize(cp.sum_squares(x - weights)), inside).solve(solver=cp.CLARABEL)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_edges_against_a_second_solver(seed: int) -> None:
    weights, target, bands = random_case(seed)
    goal = destination(weights, target, np.ones(len(weights), np.bool_), bands)
    left = np.abs(weights - target) > bands.absolute + BREACH
    groups_left = np.abs(bands.group_members @ (weights - target)) > bands.group_absolute + BREACH
    if not left.any() and not bands.group_members[groups_left].any():
        assert np.array_equal(goal, weights)
        return
    remainder, traded, squares = second_solver(weights, target, bands)
    assert (np.abs(goal - target) <= bands.absolute + 1e-12).all()
    assert (np.abs(bands.group_members @ (goal - target)) <= bands.group_absolute + 1e-9).all()
    assert abs(float((goal - weights).sum())) == pytest.approx(remainder, abs=1e-7)
    if remainder < 1e-10:
        assert goal.sum() == pytest.approx(weights.sum(), abs=1e-9)
    assert np.abs(goal - weights).sum() == pytest.approx(traded, abs=1e-6)
    assert ((goal - weights) ** 2).sum() == pytest.approx(squares, abs=1e-6)


@given(st.integers(0, 10**6), st.sampled_from([0.5, 1.0]))
@settings(max_examples=60, deadline=None)
def test_what_has_left_goes_to_its_destination(seed: int, fraction: float) -> None:
    weights, target, bands = random_case(seed)
    kind = TO_TARGET if fraction == 1.0 else TO_FRACTION
    bands = bands._replace(only_breached=True, destination=kind, fraction=fraction)
    goal = destination(weights, target, np.ones(len(weights), np.bool_), bands)
    left = np.abs(weights - target) > bands.absolute + BREACH
    groups_left = np.abs(bands.group_members @ (weights - target)) > bands.group_absolute + BREACH
    left |= bands.group_members[groups_left].any(axis=0)
    assert goal[left] == pytest.approx((weights + fraction * (target - weights))[left], abs=1e-12)
    assert (np.abs(goal - target)[~left] <= bands.absolute[~left] + 1e-12).all() or not left.any()


def test_what_cannot_be_traded_is_not() -> None:
    """The group's edge is out of reach: its other member goes as far as its own band lets it."""
    members = np.array([[True, True, False]])
    bands = bands_of(np.full(3, 0.1), members, np.array([0.05]))
    weights, target = np.array([0.5, 0.35, 0.15]), np.array([0.35, 0.35, 0.3])
    goal = destination(weights, target, np.array([False, True, True]), bands)
    assert goal == pytest.approx([0.5, 0.25, 0.25], abs=1e-12)


def test_five_hundred_assets_in_forty_groups() -> None:
    rng = np.random.default_rng(3)
    count, groups = 500, 40
    target = np.full(count, 1.0 / count)
    drifted = target * np.exp(rng.normal(0.0, 0.2, count))
    weights = drifted / drifted.sum()
    members = rng.integers(0, groups, count) == np.arange(groups)[:, None]
    bands = bands_of(np.full(count, 0.0006), members, np.full(groups, 0.001))
    goal = destination(weights, target, np.ones(count, np.bool_), bands)
    assert (np.abs(goal - target) <= bands.absolute + 1e-12).all()
    assert (np.abs(members @ (goal - target)) <= bands.group_absolute + 1e-9).all()
    assert goal.sum() == pytest.approx(1.0, abs=1e-12)


@given(st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_cash_groups_and_assets_are_inside_where_they_can_be(seed: int) -> None:
    """Cash has a band too; a second solver says whether there are such weights. Then nothing more is traded."""
    rng = np.random.default_rng(seed)
    weights, target, bands = random_case(seed)
    cash = float(rng.uniform(0.002, 0.03))
    bands = bands._replace(cash_absolute=cash)
    movable = rng.random(len(weights)) < 0.9
    found = destination(weights, target, movable, bands)
    lower = np.where(movable, target - bands.absolute, weights)
    upper = np.where(movable, target + bands.absolute, weights)
    sums = np.vstack([bands.group_members.astype(float), np.ones(len(weights))])
    width = np.append(bands.group_absolute, cash)
    if abs(1.0 - target.sum()) < 1e-9:  # without a target cash has no band
        sums, width = sums[:-1], width[:-1]
    feasible = linprog(
        np.zeros(len(weights)),
        A_ub=np.vstack([sums, -sums]),
        b_ub=np.concatenate([sums @ target + width, width - sums @ target]),
        bounds=np.column_stack([lower, upper]),
    ).success
    assert found[~movable] == pytest.approx(weights[~movable], abs=0.0)
    if not feasible:
        return
    assert (found >= lower - 1e-9).all()
    assert (found <= upper + 1e-9).all()
    assert (np.abs(sums @ (found - target)) <= width + 1e-9).all()
    assert destination(found, target, movable, bands) == pytest.approx(found, abs=1e-12)
