"""Schedules beside published figures, a dense linear system, and a solver that shares nothing with ours."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.reallocation.optimal_execution.almgren_chriss import (
    ExecutionSchedule,
    even_trajectory,
    execution_cost,
    optimal_schedule,
)
from domain.reallocation.optimal_execution.problem import MOST_PERIODS, ExecutionProblem, PriceModel
from tests.domain.reallocation.optimal_execution.problems import SHARES, published, random_problem


def test_the_published_example_of_one_asset() -> None:
    problem = published([SHARES])
    found = optimal_schedule(problem)
    kappa = np.arccosh(1.0 + 1e-6 * 0.95**2 / (2.5e-6 - 0.125e-6) / 2.0)
    assert kappa == pytest.approx(0.6071, abs=5e-5)
    expected = SHARES * np.sinh(kappa * np.arange(5, -1, -1)) / np.sinh(kappa * 5)
    assert found.remaining[:, 0] == pytest.approx(expected)
    assert round(found.cost.total) == 911_227
    assert round(found.cost.standard_deviation) == 603_431
    assert found.optimal
    even = execution_cost(problem, even_trajectory(problem))
    assert round(even.total) == 662_500
    assert round(even.standard_deviation) == 1_040_673


@pytest.mark.parametrize(
    ("units", "rho", "remaining", "cost", "deviation"),
    [
        ([1e6, 1e6], 0.0, [541_956, 289_854, 147_897, 62_142], 1_822_454, 853_380),
        ([1e6, 1e6], 0.8, [446_463, 198_308, 85_795, 31_965], 2_201_672, 895_894),
        ([1e6, -1e6], 0.8, [721_627, 498_097, 312_423, 150_493], 1_376_307, 566_538),
    ],
)
def test_the_examples_of_two_assets(
    units: list[float], rho: float, remaining: list[int], cost: int, deviation: int
) -> None:
    found = optimal_schedule(published(units, rho))
    for i, sign in enumerate(np.sign(units)):
        assert [round(sign * x) for x in found.remaining[1:-1, i]] == remaining
    assert round(found.cost.total) == cost
    assert round(found.cost.standard_deviation) == deviation
    assert found.optimal


def test_a_position_that_nobody_wants_is_opened_only_as_a_hedge() -> None:
    hedged = optimal_schedule(published([SHARES, 0.0], 0.8, hedge=True))
    assert round(hedged.remaining[1, 1]) == -137_582
    plain = optimal_schedule(published([SHARES, 0.0], 0.8))
    assert not plain.remaining[:, 1].any()
    assert plain.remaining[:, 0] == pytest.approx(optimal_schedule(published([SHARES])).remaining[:, 0])
    assert hedged.cost.standard_deviation < plain.cost.standard_deviation


def test_an_asset_that_would_be_oversold_stops_at_zero() -> None:
    problem = published([SHARES, 1e5], 0.8)
    assert optimal_schedule(published([SHARES, 1e5], 0.8, hedge=True)).remaining[2, 1] < 0.0
    found = optimal_schedule(problem)
    assert found.remaining[1:, 1] == pytest.approx(np.zeros(5), abs=1e-4)
    assert found.optimal


def test_limits_are_used_in_full_before_the_curve_begins() -> None:
    found = optimal_schedule(published([SHARES], largest=np.full((5, 1), 3e5)))
    rest = optimal_schedule(published([4e5], periods=3))
    assert found.remaining[:3, 0] == pytest.approx([1e6, 7e5, 4e5])
    assert found.remaining[2:, 0] == pytest.approx(rest.remaining[:, 0])
    assert found.optimal
    assert not found.remainder.any()


def test_what_the_limits_leave_is_the_remainder() -> None:
    found = optimal_schedule(published([SHARES, -SHARES], 0.5, largest=np.array([[1.5e5, 5e5]] * 5)))
    assert found.remainder.tolist() == [2.5e5, 0.0]
    assert found.remaining[-1].tolist() == [2.5e5, 0.0]
    assert found.remaining[:, 0] == pytest.approx(np.linspace(1e6, 2.5e5, 6))
    assert found.optimal


def test_a_halted_period_is_skipped() -> None:
    found = optimal_schedule(published([SHARES], largest=np.array([[0.0], [np.inf], [0.0], [np.inf], [0.0]])))
    assert found.trades[[0, 2, 4], 0] == pytest.approx([0.0] * 3)
    assert found.trades.sum() == pytest.approx(SHARES)


def test_without_aversion_or_risk_every_period_trades_the_same() -> None:
    for problem in (published([3.0, -5.0], 0.3, risk_aversion=0.0), published([3.0, -5.0], volatility=0.0)):
        assert optimal_schedule(problem).remaining == pytest.approx(even_trajectory(problem))


def test_haste_does_not_overflow() -> None:
    found = optimal_schedule(published([SHARES], risk_aversion=1e12, periods=MOST_PERIODS))
    assert found.remaining[1:, 0] == pytest.approx(np.zeros(MOST_PERIODS), abs=1e-6)
    assert np.isfinite(found.cost.total)


def test_one_period_trades_all() -> None:
    assert optimal_schedule(published([SHARES, -2.0], 0.5, periods=1)).trades.tolist() == [[SHARES, -2.0]]


def by_linear_system(problem: ExecutionProblem) -> Matrix:
    """The block-tridiagonal system, as one dense matrix."""
    size, inner, tau = len(problem.units), problem.periods - 1, problem.period_length
    if not inner:
        return np.array([problem.units, np.zeros(size)])
    impact = np.diag(problem.impact) / tau
    matrix, right = np.zeros((inner * size, inner * size)), np.zeros(inner * size)
    for k in range(inner):
        rows = slice(k * size, (k + 1) * size)
        matrix[rows, rows] = problem.risk_aversion * tau * covariance(problem) + 2.0 * impact
        if k:
            matrix[rows, (k - 1) * size : k * size] = -impact
        if k + 1 < inner:
            matrix[rows, (k + 1) * size : (k + 2) * size] = -impact
    right[:size] = impact @ problem.units
    return np.vstack([problem.units, np.linalg.solve(matrix, right).reshape(inner, size), np.zeros(size)])


def covariance(problem: ExecutionProblem) -> Matrix:
    correlation = problem.prices.correlation
    scale = problem.prices.volatilities
    return np.diag(scale**2) if correlation is None else correlation * np.outer(scale, scale)


@given(st.integers(0, 10**6))
def test_without_limits_it_solves_the_linear_system(seed: int) -> None:
    problem = random_problem(np.random.default_rng(seed), hedge=True, limited=False)
    assert optimal_schedule(problem).remaining == pytest.approx(by_linear_system(problem), abs=1e-9)


def value(problem: ExecutionProblem, remaining: Matrix) -> float:
    """Expected cost + risk aversion x variance, summed as it is written."""
    total = 0.0
    for before, after in itertools.pairwise(remaining):
        trade = before - after
        total += float(trade @ (problem.impact * trade)) / problem.period_length
        risk = float(after @ covariance(problem) @ after)
        total += problem.risk_aversion * problem.period_length * risk
    return total


def by_general_solver(problem: ExecutionProblem, start: Vector, trades: Matrix, lower: Matrix, upper: Matrix) -> float:
    """The least value of scipy's SLSQP."""
    periods, size = trades.shape

    def held(flat: Vector) -> Matrix:
        return np.vstack([start, start - np.cumsum(flat.reshape(periods, size), axis=0)])

    sums = LinearConstraint(np.tile(np.eye(size), periods), start, start)
    scale = max(value(problem, held(trades.ravel())), 1e-9)
    bounds = list(zip(lower.ravel(), upper.ravel(), strict=True))
    answer = minimize(
        lambda flat: value(problem, held(flat)) / scale, trades.ravel(), method="SLSQP", bounds=bounds,
        constraints=[sums], options={"maxiter": 500, "ftol": 1e-12},
    )  # fmt: skip
    return float(answer.fun) * scale


def check_limits(problem: ExecutionProblem, found: ExecutionSchedule) -> tuple[Matrix, Matrix]:
    """Asserts what a schedule must keep; returns its bounds."""
    largest = np.inf if problem.largest_trades is None else problem.largest_trades
    most = np.broadcast_to(largest, found.trades.shape)
    assert (np.abs(found.trades) <= most + 1e-9).all()
    assert found.remaining[0] == pytest.approx(problem.units)
    assert found.remaining[-1] == pytest.approx(found.remainder, abs=1e-9)
    expected = np.sign(problem.units) * np.maximum(np.abs(problem.units) - most.sum(axis=0), 0.0)
    assert found.remainder == pytest.approx(expected, abs=1e-9)
    if problem.hedge:
        return -np.minimum(most, 1e3), np.minimum(most, 1e3)
    signs = np.sign(problem.units)
    assert (found.trades * signs >= -1e-9).all(), "an asset is both bought and sold"
    assert not found.trades[:, signs == 0.0].any()
    size = np.minimum(most, np.abs(problem.units))
    return np.where(signs > 0, 0.0, -size), np.where(signs > 0, size, 0.0)


@given(st.integers(0, 10**6), st.booleans())
def test_no_other_schedule_within_the_limits_is_better(seed: int, hedge: bool) -> None:
    problem = random_problem(np.random.default_rng(seed), hedge)
    found = optimal_schedule(problem)
    lower, upper = check_limits(problem, found)
    traded = found.remaining - found.remainder
    other = by_general_solver(problem, traded[0], np.clip(found.trades, lower, upper), lower, upper)
    own = value(problem, traded)
    assert own <= other * (1.0 + 1e-6) + 1e-9
    assert found.gap <= 1e-7


@given(st.integers(0, 10**6))
def test_the_gap_of_a_worse_schedule_is_at_least_its_distance(seed: int) -> None:
    from domain.reallocation.optimal_execution.objective import optimality_gap
    from domain.reallocation.optimal_execution.trade_bounds import TradeBounds

    problem = random_problem(np.random.default_rng(seed), limited=False)
    size = np.abs(problem.units)
    bounds = TradeBounds(
        np.broadcast_to(np.where(problem.units > 0, 0.0, -size), (problem.periods, len(size))),
        np.broadcast_to(np.where(problem.units > 0, size, 0.0), (problem.periods, len(size))),
        problem.units,
    )
    even, best = even_trajectory(problem), optimal_schedule(problem).remaining
    worse = value(problem, even)
    assert optimality_gap(problem, bounds, even) * worse >= worse - value(problem, best) - 1e-9 * worse


@given(st.integers(0, 10**6), st.floats(1.0, 4.0))
def test_wider_limits_never_cost_more(seed: int, factor: float) -> None:
    problem = random_problem(np.random.default_rng(seed))
    largest = np.asarray(problem.largest_trades) + np.abs(problem.units)  # all can be traded
    narrow = ExecutionProblem(problem.units, problem.prices, problem.risk_aversion, problem.periods, 0.8, largest / 2.0)
    wide = ExecutionProblem(
        problem.units, problem.prices, problem.risk_aversion, problem.periods, 0.8, largest / 2.0 * factor
    )
    before, after = optimal_schedule(narrow), optimal_schedule(wide)
    if not before.remainder.any():
        assert value(problem, after.remaining) <= value(problem, before.remaining) * (1.0 + 1e-9) + 1e-9


def test_the_cost_is_that_of_trading_as_a_simulation_counts_it() -> None:
    problem = random_problem(np.random.default_rng(7), limited=False)
    found = optimal_schedule(problem)
    prices, tau = problem.prices, problem.period_length
    moved, cost = np.zeros(len(problem.units)), np.zeros(len(problem.units))
    for trade in found.trades:
        # A sale lowers the price for those after it, and is itself paid less.
        cost += trade * (moved + prices.fixed * np.sign(trade) + prices.temporary * trade / tau)
        moved += prices.permanent * trade
    assert found.cost.expected == pytest.approx(cost)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"periods": 0}, "periods"),
        ({"periods": MOST_PERIODS + 1}, "periods"),
        ({"risk_aversion": -1.0}, "risk_aversion"),
        ({"risk_aversion": np.nan}, "risk_aversion"),
        ({"period_length": 0.0}, "period_length"),
        ({"period_length": 21.0}, "temporary[0]"),
        ({"units": np.array([1.0, np.nan])}, "units[1]"),
        ({"units": np.ones(3)}, "units"),
        ({"largest_trades": np.ones((2, 2))}, "largest_trades"),
        ({"largest_trades": -np.ones((5, 2))}, "largest_trades"),
    ],
)
def test_what_is_no_problem(change: dict[str, object], field: str) -> None:
    good = published([1.0, 2.0], 0.5)
    given = {"units": good.units, "prices": good.prices, "risk_aversion": 1e-6, "periods": 5} | change
    with pytest.raises(InvalidInput) as caught:
        ExecutionProblem(**given)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"temporary": np.array([1.0, -1.0])}, "temporary[1]"),
        ({"permanent": np.array([1.0])}, "permanent"),
        ({"volatilities": np.array([1.0, np.inf])}, "volatilities[1]"),
        ({"correlation": np.ones(3)}, "correlation"),
        ({"correlation": np.array([[1.0, 0.5], [0.4, 1.0]])}, "correlation"),
        ({"correlation": np.array([[1.0, 1.5], [1.5, 1.0]])}, "correlation"),
        ({"correlation": np.array([[1.0, 0.5], [0.5, 0.9]])}, "correlation[3]"),
    ],
)
def test_what_is_no_model_of_prices(change: dict[str, object], field: str) -> None:
    ones = np.ones(2)
    given = {"temporary": ones, "permanent": ones, "fixed": ones, "volatilities": ones} | change
    with pytest.raises(InvalidInput) as caught:
        PriceModel(**given)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_what_is_too_large_is_refused_and_not_tried() -> None:
    size = 700
    correlation = np.where(np.eye(size) > 0.0, 1.0, 0.5)
    prices = PriceModel(np.ones(size), np.zeros(size), np.zeros(size), np.ones(size), correlation)
    units = np.linspace(-1.0, 2.0, size)
    with pytest.raises(InvalidInput, match="leave the correlation out"):
        optimal_schedule(ExecutionProblem(units, prices, 1.0, 20))
    hedged = optimal_schedule(ExecutionProblem(units, prices, 1.0, 20, hedge=True))
    assert hedged.remaining.shape == (21, size)
    with pytest.raises(InvalidInput, match="2000000"):
        ExecutionProblem(units, prices, 1.0, 3000)


@pytest.mark.parametrize("hedge", [False, True])
@pytest.mark.parametrize("rho", [None, 0.3])
def test_limits_that_leave_one_choice_for_every_asset(rho: float | None, hedge: bool) -> None:
    """A quarter of the units may be traded in each of four periods."""
    units = np.array([100.0, -50.0])
    found = optimal_schedule(published(units.tolist(), rho, np.full((4, 2), [25.0, 12.5]), hedge, periods=4))
    assert found.remaining == pytest.approx(np.outer([1.0, 0.75, 0.5, 0.25, 0.0], units))
    assert found.optimal


def test_a_correlation_is_of_at_most_a_thousand_assets() -> None:
    with pytest.raises(InvalidInput, match="must be of at most 1000 assets, is of 1001") as raised:
        published([1.0] * 1001, 0.1)
    assert raised.value.field == "correlation"
    assert published([1.0] * 1000, 0.1).prices.correlation is not None
