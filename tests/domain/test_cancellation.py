"""The caller can stop every computation whose time depends on the request, soon and wherever it is."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Optimized, WeightSchedule
from domain.cancellation import CancellationCheck, never_cancelled
from domain.errors import Cancelled, SolverTimedOut
from domain.estimation.clustering import Linkage, cluster_count, tree_of
from domain.estimation.codependence import distance_correlation, information, kendall, signed
from domain.estimation.denoising import Denoised
from domain.estimation.factor_model import FactorMethod, FactorModel
from domain.estimation.gaps import maximum_likelihood, pairwise
from domain.estimation.moments import Estimation, Views, estimate_moments, pooled_scenarios
from domain.estimation.network import Graph, connections_of, within
from domain.estimation.sparse import GraphicalLasso, LocalGlobal
from domain.estimation.stepwise import Criterion, Direction
from domain.estimation.views import View
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.market_data.snapshot import Quote, Snapshot
from domain.optimization.frontier import trace_frontier
from domain.optimization.problem.resolve import build_problem, estimation_diagnostics
from domain.optimization.request.constraints import Cardinality
from domain.optimization.request.objectives import CodependenceMeasure, Hierarchical, HierarchicalMethod, MinRisk
from domain.optimization.request.similarity_constraints import AssetNetwork, ClusterLimit, NetworkLimit
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.request import Limits, ReallocationRequest
from domain.risk.estimate import RiskModelSpecification, estimate
from domain.risk.flow import assess
from domain.risk.measures import RiskMeasure
from domain.risk.rolling import Rolling
from domain.risk.specification import RiskSpecification
from domain.risk.stress import EVERY_WINDOW, Scenario
from domain.risk.validation.request import ValidationRequest

GENERATOR = np.random.default_rng(12)
SIZE, PERIODS = 30, 200
NAMES = tuple(f"A{i}" for i in range(SIZE))
DATES = np.arange(14_000, 14_000 + PERIODS, dtype=np.int32)
VALUES = GENERATOR.normal(0.0005, 0.01, (PERIODS, SIZE)) + GENERATOR.normal(0.0, 0.008, (PERIODS, 1))
RETURNS = ReturnPanel.of(NAMES, DATES, VALUES)
PRICES = PricePanel.of(NAMES, DATES, 100.0 * np.cumprod(1.0 + VALUES, axis=0))
GAPPED = np.where(GENERATOR.random(VALUES.shape) < 0.05, np.nan, VALUES)
CODEPENDENCE = signed(np.corrcoef(VALUES.T))
STEPWISE = FactorModel(NAMES[:4], FactorMethod.STEPWISE, Direction.BACKWARD, Criterion.AIC)
POOLED = Estimation(views=Views((View({"A0": 1.0}, 0.1),), pooled=True))
MARKET = Snapshot({name: Quote(50.0, average_daily_volume=1e4) for name in NAMES})


def specification(**wanted: object) -> Specification:
    return Specification(**{"objective": MinRisk(), "periods_per_year": 252.0, **wanted})


def simulated(check: CancellationCheck) -> object:
    strategies = (
        Optimized(specification(), 60, "least"),
        WeightSchedule(tuple((int(day), {"A0": 1.0}) for day in DATES[80::10]), "schedule"),
    )
    plan = prepare(BacktestSpecification(strategies), PRICES, None, check)
    return run(plan, lambda _: None, check)


def report(check: CancellationCheck) -> object:
    wanted = RiskSpecification(
        dict.fromkeys(NAMES, 1.0 / SIZE),
        periods_per_year=252.0,
        measures=(RiskMeasure.CONDITIONAL_VALUE_AT_RISK, RiskMeasure.ENTROPIC_VALUE_AT_RISK),
        rolling=Rolling(50, ()),
        stress=(Scenario("all", EVERY_WINDOW),),
        validation=ValidationRequest(window=100, simulations=1000),
        estimation=Estimation(covariance=Denoised()),
    )
    return assess(wanted, RETURNS, None, check)


def posed(check: CancellationCheck, **wanted: object) -> object:
    return build_problem(specification(**wanted), RETURNS, check)


WORK: dict[str, tuple[Callable[[CancellationCheck], object], int]] = {
    "stepwise factors": (
        lambda check: estimate_moments(RETURNS, Estimation(covariance=STEPWISE), 252.0, check),
        SIZE - 4,
    ),
    "denoising": (lambda check: estimate_moments(RETURNS, Estimation(covariance=Denoised()), 252.0, check), 10),
    "graphical lasso": (
        lambda check: estimate_moments(RETURNS, Estimation(covariance=GraphicalLasso(0.1)), 252.0, check),
        2,
    ),
    "a chordal network": (
        lambda check: estimate_moments(RETURNS, Estimation(covariance=LocalGlobal()), 252.0, check),
        SIZE,
    ),
    "gaps by likelihood": (lambda check: maximum_likelihood(GAPPED, check), 100),
    "gaps pair by pair": (lambda check: pairwise(GAPPED, check), 1),
    "entropy pooling": (
        lambda check: pooled_scenarios(Scenarios.from_returns(RETURNS), POOLED, 252.0, check),
        2,
    ),
    "Kendall's tau": (lambda check: kendall(VALUES, check), SIZE * (SIZE - 1) // 2),
    "mutual information": (lambda check: information(VALUES, check), SIZE * (SIZE - 1) // 2),
    "distance correlation": (lambda check: distance_correlation(VALUES, check), 2),
    "bubbles": (lambda check: tree_of(CODEPENDENCE, Linkage.DBHT, check), SIZE),
    "clusters": (lambda check: cluster_count(tree_of(CODEPENDENCE, Linkage.WARD), CODEPENDENCE.distance, 10, check), 4),
    "a filtered graph": (
        lambda check: connections_of(CODEPENDENCE, Graph.TRIANGULATED_MAXIMALLY_FILTERED, check),
        SIZE - 4,
    ),
    "a spanning tree": (lambda check: connections_of(CODEPENDENCE, Graph.MINIMUM_SPANNING_TREE, check), SIZE - 1),
    "neighbours": (
        lambda check: within(connections_of(CODEPENDENCE, Graph.MINIMUM_SPANNING_TREE), 5, check),
        4,
    ),
    "a problem with a network": (
        lambda check: posed(
            check, constraints=(NetworkLimit("n", AssetNetwork(codependence=CodependenceMeasure.KENDALL)),)
        ),
        SIZE * (SIZE - 1) // 2,
    ),
    "a problem with clusters": (lambda check: posed(check, constraints=(ClusterLimit("c", Linkage.DBHT),)), SIZE),
    "diagnosis": (
        lambda check: estimation_diagnostics(specification(), RETURNS, build_problem(specification(), RETURNS), check),
        1,
    ),
    "a hierarchy": (
        lambda check: solve(
            build_problem(
                specification(
                    objective=Hierarchical(HierarchicalMethod.HERC, codependence=CodependenceMeasure.DISTANCE)
                ),
                RETURNS,
            ),
            check,
        ),
        10,
    ),
    "a selection": (
        lambda check: solve(build_problem(specification(constraints=(Cardinality("count", 8),)), RETURNS), check),
        20,
    ),
    "a frontier": (lambda check: list(trace_frontier(build_problem(specification(), RETURNS), 5, check)), 10),
    "a risk report": (report, 30),
    "a risk model": (
        lambda check: estimate(
            RiskModelSpecification(periods_per_year=252.0, missing_data=MissingDataPolicy.MAXIMUM_LIKELIHOOD),
            ReturnPanel.of(NAMES, DATES, GAPPED),
            check,
        ),
        100,
    ),
    "a backtest": (simulated, 20),
    "a reallocation": (
        lambda check: reallocate(
            ReallocationRequest(
                Portfolio(dict.fromkeys(NAMES[:15], 2000.0)),
                MARKET,
                dict.fromkeys(NAMES[15:], 1.0 / 15),
                limits=Limits(max_participation=0.05),
                horizon_days=5,
            ),
            check,
        ),
        10,
    ),
}


@pytest.mark.parametrize(("work", "least"), WORK.values(), ids=WORK)
def test_it_stops_at_every_check(work: Callable[[CancellationCheck], object], least: int) -> None:
    times = []
    work(lambda: times.append(time.perf_counter()))
    assert len(times) >= least
    for place in {1, len(times) // 2, len(times)} - {0}:
        with pytest.raises(Cancelled):
            work(stopping_at(place))


def stopping_at(place: int) -> CancellationCheck:
    left = place

    def check() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Cancelled("the caller no longer waits for it")

    return check


@pytest.mark.alone
@pytest.mark.parametrize(
    "work",
    [
        lambda check: kendall(np.tile(VALUES, (10, 1)), check),
        lambda check: distance_correlation(np.tile(VALUES, (8, 1)), check),
        lambda check: maximum_likelihood(GAPPED, check),
        report,
        simulated,
    ],
    ids=["Kendall's tau", "distance correlation", "gaps", "a risk report", "a backtest"],
)
def test_no_long_time_passes_between_two_checks(work: Callable[[CancellationCheck], object]) -> None:
    work(never_cancelled)  # loads the libraries
    times = [time.thread_time()]
    work(lambda: times.append(time.thread_time()))
    assert max(np.diff(times)) < 0.5  # a tenth of a second, and room for a slow machine


def test_a_draft_of_a_backtest_that_ran_out_of_time_is_not_a_plan() -> None:
    # What goes wrong with a decision is a value of its date; that nobody waits any longer is not.
    problem = specification(estimation=Estimation(covariance=Denoised()))
    asked = BacktestSpecification((Optimized(problem, 60),))

    def late() -> None:
        raise SolverTimedOut("the time limit ran out before the answer was found")

    with pytest.raises(SolverTimedOut):
        prepare(asked, PRICES, None, late)


def test_stopping_leaves_no_part_of_an_answer_behind() -> None:
    problem = build_problem(specification(constraints=(Cardinality("count", 8),)), RETURNS)
    with pytest.raises(Cancelled):
        solve(problem, stopping_at(10))
    np.testing.assert_array_equal(solve(problem).weights, solve(problem).weights)
