"""Four times the request takes about four times the work, and what would not fit into memory is refused by name."""

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from absfinance.v1 import objective_pb2

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import MarketHistory, WeightSchedule
from domain.cancellation import never_cancelled
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput, NotSupported
from domain.estimation.clustering import Linkage, Tree, cluster_count, tree_of
from domain.estimation.codependence import distance_correlation, signed
from domain.estimation.gaps import _patterns, maximum_likelihood
from domain.estimation.moments import Estimation, estimate_moments, scenario_moments
from domain.estimation.views import View, view_matrix
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.market_data.snapshot import Quote, Snapshot
from domain.optimization.clustering.hierarchical import distance_of
from domain.optimization.problem.feasible_set import feasible_set
from domain.optimization.problem.market_model import MarketModel
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import resolve
from domain.optimization.request.constraints import RiskContributionBounds, Turnover, WeightBounds
from domain.optimization.request.objectives import Hierarchical, HierarchicalMethod, MinRisk
from domain.optimization.request.specification import GroupReference, Specification
from domain.optimization.solve import solve
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.request import Limits, ReallocationRequest
from domain.risk.flow import assess
from domain.risk.measures import RiskMeasure
from domain.risk.specification import RiskSpecification
from domain.risk.stress import AssetShocks, Scenario, StressedPortfolio
from domain.risk.stress_windows import worst_stretches
from server.converters.objective import objective_from_proto

BETWEEN = 9.0
"""Above the 4 that a linear cost grows by when the request grows by four, and below the 16 of a quadratic one."""


def names(count: int) -> tuple[str, ...]:
    return tuple(f"S{i:06d}" for i in range(count))


def factor_budgets(count: int) -> Callable[[], object]:
    budget = objective_pb2.RiskBudget()
    for name in names(count):
        budget.factor_budgets.add(factor=name, budget=1.0).loadings.add(symbol="A", loading=1.0)
    objective = objective_pb2.Objective(risk_budget=budget)
    return lambda: objective_from_proto(objective)


def schedule(count: int) -> Callable[[], object]:
    days = np.arange(10_000, 10_000 + count, dtype=np.int32)
    weights = WeightSchedule(tuple((int(day), {"A": 0.4, "B": 0.6}) for day in days))
    prices = 100.0 + np.random.default_rng(1).random((count, 2))
    specification = BacktestSpecification(
        (weights,), rebalancing=Rebalancing(BuyAndHold()), costs=CostModel(LinearCost(10.0))
    )
    panel = PricePanel.of(("A", "B"), days, prices)

    def simulated() -> object:
        return run(prepare(specification, panel), lambda _: None, never_cancelled)

    return simulated


def decisions_by_a_schedule(count: int) -> Callable[[], object]:
    weights = WeightSchedule(tuple((day, {"A": 1.0}) for day in range(count)))
    days = np.arange(count, dtype=np.int32)
    histories = [MarketHistory(("A",), days[i : i + 1], np.ones((1, 1)), np.zeros(1), 252.0) for i in range(count)]
    return lambda: [weights.decide(history, never_cancelled) for history in histories]


def named_groups(count: int) -> Callable[[], object]:
    symbols = names(40)
    references = tuple(GroupReference(f"c{i}", f"g{i}", upper=1.0) for i in range(count))
    specification = Specification(MinRisk(), constraints=references)
    listed = {f"g{i}": (symbols[i % 40],) for i in range(count)}
    market_model = MarketModel(Moments.of(symbols, np.zeros(40), np.eye(40), 252), None)
    return lambda: feasible_set(resolve(specification.with_groups(listed), market_model))


def accounts_with_a_group_each(count: int) -> Callable[[], object]:
    """What a batch does: all groups looked up so far are offered to every account."""
    listed = {f"g{i}": ("A",) for i in range(count)}
    accounts = [Specification(MinRisk(), constraints=(GroupReference("c", f"g{i}", upper=1.0),)) for i in range(count)]
    return lambda: [account.with_groups(listed) for account in accounts]


def shocks(count: int) -> Callable[[], object]:
    symbols = names(count)
    portfolio = StressedPortfolio(symbols, np.zeros(count), None)
    scenario = Scenario("all", AssetShocks(dict.fromkeys(symbols, -0.1)))
    return lambda: portfolio.results([scenario])


def worst_windows(count: int) -> Callable[[], object]:
    returns = np.where(np.arange(count) % 2 == 0, -1e-6 * np.arange(count), 0.01)
    panel = ReturnPanel.of(("A",), np.arange(count, dtype=np.int32), returns)
    return lambda: worst_stretches(panel, np.ones(1), 1, count)


def whole_lots(count: int) -> Callable[[], object]:
    symbols = names(count)
    request = ReallocationRequest(
        Portfolio(dict.fromkeys(symbols[: count // 2], 10.0), 1e6),
        Snapshot({symbol: Quote(100.0 + i % 7, average_daily_volume=1e5) for i, symbol in enumerate(symbols)}),
        dict.fromkeys(symbols[count // 4 :], 1.0 / count),
        limits=Limits(max_participation=0.1),
        horizon_days=5,
    )
    return lambda: reallocate(request)


def views(count: int) -> Callable[[], object]:
    symbols = names(50)
    opinions = tuple(View({symbols[i % 50]: 1.0}, 0.05) for i in range(count))
    return lambda: view_matrix(symbols, opinions, 252.0)


def gaps(count: int) -> Callable[[], object]:
    known = np.random.default_rng(2).random((count, 24)) > 0.5
    return lambda: _patterns(known)


COSTS: dict[str, tuple[Callable[[int], Callable[[], object]], int]] = {
    "factor budgets": (factor_budgets, 2500),
    "a schedule": (schedule, 800),
    "decisions by a schedule": (decisions_by_a_schedule, 1500),
    "named groups": (named_groups, 800),
    "accounts with a group each": (accounts_with_a_group_each, 3000),
    "shocks": (shocks, 1500),
    "worst windows": (worst_windows, 8000),
    "whole lots": (whole_lots, 800),
    "views": (views, 4000),
    "patterns of gaps": (gaps, 4000),
}


@pytest.mark.alone
@pytest.mark.parametrize(("made", "size"), COSTS.values(), ids=COSTS)
def test_four_times_the_request_takes_four_times_the_work(
    made: Callable[[int], Callable[[], object]], size: int
) -> None:
    small, large = made(size), made(4 * size)
    for _ in range(3):  # another process may take the time of one attempt
        ratio = fastest(large) / fastest(small)
        if ratio < BETWEEN:
            return
    pytest.fail(f"four times the request takes {ratio:.1f} times as long")


def fastest(work: Callable[[], object]) -> float:
    """CPU time, the least of some runs."""
    times = []
    for _ in range(4):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return max(min(times), 1e-4)


def test_a_long_horizon_ends_where_nothing_is_left_to_trade() -> None:
    market = Snapshot({"A": Quote(100.0, average_daily_volume=1e9), "B": Quote(1e9, average_daily_volume=1e9)})
    request = ReallocationRequest(Portfolio({"A": 1.0}, 50.0), market, {"B": 1.0}, horizon_days=10**9)
    assert reallocate(request).plan.trades[-1].day == 1


# Trees of many assets.


def chain(size: int) -> Tree:
    """Each merge takes in one asset more."""
    merges = np.zeros((size - 1, 4))
    merges[:, 0] = np.arange(1, size)
    merges[0, 1] = 0
    merges[1:, 1] = np.arange(size, 2 * size - 2)
    merges[:, 2], merges[:, 3] = np.arange(1, size), np.arange(2, size + 1)
    return Tree(merges)


def test_a_tree_of_two_thousand_assets_in_a_chain() -> None:
    size = 2000
    tree = chain(size)
    assert sorted(tree.order.tolist()) == list(range(size))
    assert [len(part) for part in tree.cut(3)] == [1, 1, size - 2]
    assert cluster_count(tree, np.ones((size, size)) - np.eye(size), 10) >= 1


def test_clusters_are_counted_as_by_cutting_anew_each_time() -> None:
    generator = np.random.default_rng(5)
    codependence = signed(np.corrcoef(generator.normal(size=(60, 40)).T))
    tree = tree_of(codependence, Linkage.WARD)
    spreads = [-np.inf]
    for count in range(2, 9):
        inner = [codependence.distance[np.ix_(part, part)] for part in tree.cut(count)]
        spreads.append(sum(float(one[np.triu_indices(len(one), 1)].std()) for one in inner if len(one) > 1))
    found = np.array(spreads)
    assert (
        cluster_count(tree, codependence.distance, 10) == int(np.argmax(found[2:] + found[:-2] - 2 * found[1:-1])) + 1
    )


@pytest.mark.parametrize("method", [HierarchicalMethod.HRP, HierarchicalMethod.HERC])
@pytest.mark.parametrize("linkage", [Linkage.SINGLE, Linkage.DBHT])
def test_a_hierarchy_of_assets_in_a_chain(method: HierarchicalMethod, linkage: Linkage) -> None:
    # Correlation rho^|i - j| as of a random walk: neighbours are the closest, and one linkage chains them all.
    size = 1200 if linkage is Linkage.SINGLE else 300
    places = np.arange(size)
    covariance = 0.9995 ** np.abs(places[:, None] - places) * (1.0 + 1e-3 * np.eye(size))
    problem = Problem(
        Moments.of(names(size), np.zeros(size), covariance, 252),
        Hierarchical(method, linkage, optimal_order=False),
    )
    weights = solve(problem).weights
    assert weights.min() > 0.0
    assert float(weights.sum()) == pytest.approx(1.0)


# What takes no more memory than it must.


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_distance_correlation_holds_no_matrix_of_dates_for_each_asset() -> None:
    returns = np.random.default_rng(6).normal(size=(2000, 12))
    assert peak(lambda: distance_correlation(returns)) < 12 * 2000 * 2000 * 8 / 2


def test_distance_correlation_is_that_of_the_double_centred_distances() -> None:
    returns = np.random.default_rng(6).normal(size=(1500, 3))  # several blocks
    centred = []
    for column in returns.T:
        away = np.abs(column[:, None] - column)
        centred.append(away - away.mean(axis=0) - away.mean(axis=1)[:, None] + away.mean())
    product = np.array([[(a * b).mean() for b in centred] for a in centred])
    own = np.sqrt(np.diag(product))
    np.testing.assert_allclose(distance_correlation(returns), np.sqrt(product / np.outer(own, own)), atol=1e-12)


def test_distances_between_columns_take_no_cube_of_assets() -> None:
    codependence = signed(np.corrcoef(np.random.default_rng(8).normal(size=(50, 300)).T))
    objective = Hierarchical(between_columns=True)
    assert peak(lambda: distance_of(codependence, objective)) < 300**3 * 8 / 4
    expected = np.linalg.norm(codependence.distance[:, None, :] - codependence.distance[None, :, :], axis=2)
    np.testing.assert_allclose(distance_of(codependence, objective), expected, atol=1e-12)


def test_a_tail_of_all_scenarios_needs_no_square_of_them() -> None:
    generator = np.random.default_rng(9)
    values = generator.normal(0.001, 0.01, (9000, 2))
    scenarios = Scenarios.of(("A", "B"), values)
    problem = Problem(
        scenario_moments(scenarios, 252),
        MinRisk(),
        RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
        confidence_level=0.4,
        scenarios=scenarios,
    )
    found = None

    def solved() -> None:
        nonlocal found
        found = solve(problem)

    assert peak(solved) < 9000**2 * 8 / 2
    assert found is not None
    tilted = [problem.risk.of(np.array([w, 1.0 - w])) for w in np.linspace(0.0, 1.0, 201)]
    assert found.risk <= min(tilted) + 1e-12


MANY = 5000


def wide_returns() -> ReturnPanel:
    return ReturnPanel.of(names(MANY), np.arange(3, dtype=np.int32), np.tile([[0.01], [-0.01], [0.02]], MANY))


def wide_scenarios() -> Scenarios:
    return Scenarios.of(names(MANY), np.tile([[0.01], [-0.01], [0.02]], MANY))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a covariance": (lambda: estimate_moments(wide_returns(), Estimation(), 252), "symbols: must name 4,000 at most"),
    "a covariance of scenarios": (lambda: scenario_moments(wide_scenarios(), 252), "symbols: must name 4,000 at most"),
    "a covariance with gaps": (
        lambda: maximum_likelihood(np.where(wide_returns().values < 0.0, np.nan, 0.01)),
        "symbols: must name 4,000 at most",
    ),
    "a risk report": (
        lambda: assess(RiskSpecification({"S000000": 1.0}, periods_per_year=252), wide_returns()),
        "symbols: must name 4,000 at most",
    ),
    "groups": (
        lambda: assess(
            RiskSpecification(
                {"S000000": 1.0},
                periods_per_year=252,
                groups={f"g{i}": ("S000000",) for i in range(11_000)},
            ),
            wide_returns(),
        ),
        "groups: groups x symbols must be at most 50,000,000",
    ),
    "constraints": (
        lambda: feasible_set(
            Problem(
                Moments(names(MANY), np.zeros(MANY), np.broadcast_to(0.0, (MANY, MANY)), 252.0),
                MinRisk(),
                constraints=tuple(WeightBounds(f"c{i}", upper=1.0) for i in range(10_001)),
            )
        ),
        "constraints: constraints x symbols may be 50,000,000 at most",
    ),
}


@pytest.mark.parametrize(("asked", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_into_memory_is_refused_by_name(asked: Callable[[], object], rule: str) -> None:
    def refused() -> None:
        with pytest.raises(InvalidInput) as error:
            asked()
        assert rule in str(error.value)

    assert peak(refused) < 100_000_000


def test_too_many_coefficients_of_a_turnover_limit_are_refused() -> None:
    size = 3600
    problem = Problem(
        Moments(names(size), np.zeros(size), np.broadcast_to(0.0, (size, size)), 252.0),
        MinRisk(),
        constraints=(Turnover("trades", 0.1),),
        current_weights=np.full(size, 1.0 / size),
    )
    with pytest.raises(NotSupported, match=r"may have 50,000,000 coefficients at most.*3,600 symbols"):
        feasible_set(problem).polytope()


def test_upper_bounds_on_contributions_of_many_assets_are_refused() -> None:
    size = 80
    deviations = np.linspace(0.1, 0.5, size)
    moments = Moments.of(names(size), np.zeros(size), np.outer(deviations, deviations) * (0.5 + 0.5 * np.eye(size)), 1)
    with pytest.raises(NotSupported, match="about 50 assets at most"):
        solve(Problem(moments, MinRisk(), constraints=(RiskContributionBounds("caps", upper=0.02),)))
