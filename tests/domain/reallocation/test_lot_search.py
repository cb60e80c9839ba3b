"""The bound and the search of small problems of lots, from no trades, beside all of their plans."""

import itertools
import math
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.reallocation.lot_search.curves import Curves, least_count
from domain.reallocation.lot_search.enumeration import enumerate_plans
from domain.reallocation.lot_search.exchange import Prices, _nearby, _State
from domain.reallocation.lot_search.narrowing import most_deviation, narrowed
from domain.reallocation.lot_search.options import Options, cost_range, worth_looking_at
from domain.reallocation.lot_search.priced_terms import PricedTerms
from domain.reallocation.lot_search.problem import Limits, LotProblem
from domain.reallocation.lot_search.relaxation import relax
from domain.reallocation.lot_search.search import Incumbent, _by_squares, best_lots
from domain.reallocation.lot_search.specific_risk import Covariance, SplitRisk

KINDS = list(itertools.product([False, True], [False, True], [False, True], [0.0, 2.0]))


def random_problem(seed: int, tracking: bool, fees: bool, impact: bool, aversion: float) -> LotProblem:
    """Four assets with a purchase and a sale of up to four lots each."""
    draw, count = np.random.default_rng(seed), 4
    value = np.tile(draw.uniform(0.03, 0.12, count), 2)
    held = draw.integers(0, 5, count).astype(np.float64)
    values = held * value[:count]
    cash = float(draw.uniform(0.0, 0.6))
    total = values.sum() + cash
    weights = draw.dirichlet(np.ones(count)) * draw.choice([1.0, 0.8])
    loads = draw.normal(size=(count, draw.choice([2, 4])))
    ones, none = np.ones(2 * count), np.zeros(2 * count)
    curves = Curves(
        sign=np.repeat([1.0, -1.0], count),
        value=value / total,
        least=ones * draw.choice([1.0, 2.0]),
        most=np.concatenate([4.0 * np.ones(count), held]),
        usable=4.0 * ones,
        spread=ones * draw.choice([0.0, 0.001, 0.02]),
        commission=ones * draw.choice([0.0, 0.01]),
        per_lot=none,
        least_commission=0.002 if fees else 0.0,
        most_commission=float(draw.choice([math.inf, 0.004])) if fees else math.inf,
        fixed=float(draw.choice([0.0, 0.001, 0.01])) if fees else 0.0,
        impact=np.tile(draw.uniform(0.01, 0.3, count), 2) if impact else none,
        permanent=none,
    )
    places = np.tile(np.arange(count), 2)
    limits = Limits(cash / total, -math.inf, turnover=float(draw.choice([math.inf, 0.5])))

    def keeps(lots: Sequence[int]) -> bool:
        counts = np.array(lots, dtype=np.float64)
        funds = float(curves.funds(np.arange(2 * count), counts).sum())
        return bool(
            (funds + limits.cash >= -1e-12 or not counts[:count].any())
            and float((curves.value * counts).sum()) <= limits.turnover + 1e-12
        )

    covariance = Covariance(0.2 * loads) if tracking else None
    return LotProblem(values / total, weights, places, curves, limits, keeps, covariance, aversion)


def all_plans(problem: LotProblem) -> list[tuple[float, list[int]]]:
    """The objective of every plan that keeps the limits."""
    curves, count, found = problem.curves, len(problem.values), []
    choices = []
    for i in range(count):
        buys = [(i, k) for k in range(int(curves.least[i]), int(curves.most[i]) + 1)]
        sells = [(count + i, k) for k in range(int(curves.least[count + i]), int(curves.most[count + i]) + 1)]
        choices.append([(i, 0), *buys, *sells])
    for chosen in itertools.product(*choices):
        lots = [0] * (2 * count)
        for order, lot in chosen:
            lots[order] = lot
        if problem.keeps(lots):
            found.append((problem(lots), lots))
    return found


def check_terms(problem: LotProblem, priced: PricedTerms, plans: Sequence[Sequence[int]]) -> None:
    """Of each plan the terms are not above what they bound."""
    for lots in plans:
        cost, terms = problem.cost(lots), priced.untraded
        for order in np.flatnonzero(lots).tolist():
            place = int(problem.places[order])
            terms[place] = priced(np.array([order]), np.array([float(lots[order])]))[0]
        bounded = problem.deviation(problem.differences(lots, cost)) + (problem.cost_aversion + priced.theta) * cost
        assert priced.start + float(terms.sum()) <= bounded + 1e-12


def check_squares(problem: LotProblem, priced: PricedTerms, plans: Sequence[Sequence[int]], seed: int) -> None:
    """The same of the squares of the risk, from any point."""
    assert problem.covariance is not None
    split = SplitRisk.of(problem.covariance, 0.0, most_deviation(problem, priced.theta))
    if split is not None:
        point = np.random.default_rng(seed).normal(0.0, 0.1, len(problem.values))
        check_terms(problem, priced.with_curves(split.at(point), priced.prices), plans)


@pytest.mark.parametrize(("tracking", "fees", "impact", "aversion"), KINDS)
def test_what_the_bound_leaves_open_has_the_best_plan(
    tracking: bool, fees: bool, impact: bool, aversion: float
) -> None:
    """From no trades, which is far from the best, and without exchanges: what is cut off can be no better plan."""
    for seed in range(6):
        problem = random_problem(seed, tracking, fees, impact, aversion)
        plans, nothing = all_plans(problem), [0] * len(problem.places)
        best = min(value for value, _ in plans)
        relaxed = relax(problem, problem(nothing), UNLIMITED)
        near, costs = narrowed(problem, nothing)
        for value, lots in plans:
            if value < problem(nothing) - 1e-12:
                counts = np.array(lots)
                within = (counts >= near.curves.least) & (counts <= near.curves.most)
                assert (within | (counts == 0)).all()
                assert costs.least - 1e-12 <= problem.cost(lots) <= costs.most + 1e-12
        priced = PricedTerms.of(near, relaxed, problem(nothing), costs)
        options = Options.of(near)
        assert options is not None
        for _ in range(3):
            priced = priced.within(cost_range(options, priced))
            better = [problem.cost(lots) for value, lots in plans if value < problem(nothing) - 1e-12]
            assert all(priced.costs.least - 1e-9 <= each <= priced.costs.most + 1e-9 for each in better)
        check_terms(problem, priced, [lots for value, lots in plans if value < problem(nothing) - 1e-12])
        left, _, least = worth_looking_at(options, priced)
        assert priced.bound(least) <= best + 1e-12
        if tracking:
            found = _by_squares(near, options, priced, Incumbent(nothing, 0.0), UNLIMITED)
            assert found.bound <= best + 1e-12
            assert best - 1e-12 <= problem(found.lots) <= problem(nothing) + 1e-12
            check_squares(problem, priced, [lots for value, lots in plans if value < problem(nothing) - 1e-12], seed)
        assert priced.bound(priced.least_by_asset()[0]) <= best + 1e-12
        for each in (priced, priced.without_prices()) if tracking else (priced,):
            tried = enumerate_plans(near, left, left.terms(each), each, nothing, UNLIMITED)
            assert tried.complete
            assert problem(tried.lots) == pytest.approx(best, abs=1e-11)


def test_the_least_of_a_function_that_is_convex_between_kinks_is_found() -> None:
    draw = np.random.default_rng(0)
    for _ in range(50):
        kinks = np.unique(draw.integers(0, 5000, 4)).astype(np.float64)
        at, slope, jump = draw.uniform(0, 5000), draw.uniform(-3.0, 3.0), draw.uniform(-500.0, 500.0)

        def values(counts: np.ndarray, at: float = at, slope: float = slope, jump: float = jump) -> np.ndarray:
            later = np.where(counts > kinks[len(kinks) // 2], jump, 0.0)  # noqa: B023
            return np.asarray(1e-3 * np.abs(counts - at) ** 1.5 + slope * counts + later)

        every = np.arange(kinks[0], kinks[-1] + 1.0)
        more = np.unique(np.concatenate([kinks, kinks[len(kinks) // 2] + np.array([0.0, 1.0])]))
        more = more[more <= kinks[-1]]
        found, where = least_count(values, more)
        assert found == pytest.approx(float(values(every).min()), rel=1e-12)
        assert values(np.array([where]))[0] == pytest.approx(found)


@pytest.mark.parametrize("limits", [{}, {"MOST_OPTIONS": 0}])
def test_many_assets_are_bound_and_planned_by_squares(limits: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As problems of hundreds of assets are, here of a few, of which every plan is known."""
    monkeypatch.setattr("domain.reallocation.lot_search.relaxation.MOST_IN_CONE", 0)
    monkeypatch.setattr("domain.reallocation.lot_search.search.MANY", 0)
    for name, limit in limits.items():
        monkeypatch.setattr(f"domain.reallocation.lot_search.options.{name}", limit)
    for seed in range(6):
        problem = random_problem(seed, True, False, False, 0.0)
        nothing = [0] * len(problem.places)
        best = min(value for value, _ in all_plans(problem))
        found = best_lots(problem, [nothing], UNLIMITED)
        assert problem.keeps(found.lots)
        assert found.bound <= best + 1e-12
        assert problem(found.lots) <= best + 0.25 * (problem(nothing) - best)


def exchange_state(problem: LotProblem) -> _State:
    """No trades, with all that may be tried instead."""
    nothing = [0] * len(problem.places)
    return _State.of(problem, nothing, _nearby(problem, nothing, [np.full(len(nothing), 2.0)]))


def test_what_an_exchange_changes_is_that_of_the_risk_itself() -> None:
    for seed in range(20):
        problem = random_problem(seed, True, seed % 2 > 0, False, 1.5)
        state, theta = exchange_state(problem), 0.1
        changes = state._objective_changes(theta)
        assert len(changes) > 10
        for n, (asset, order, count) in enumerate(
            zip(state.options.assets, state.options.orders, state.options.counts, strict=True)
        ):
            lots = [0] * len(problem.places)
            if order >= 0:
                lots[order] = int(count)
            cost = problem.cost(lots)
            after = problem.deviation(problem.differences(lots, cost)) + (1.5 + theta) * cost
            assert changes[n] == pytest.approx(after - problem.deviation(state.differences), abs=1e-14), (seed, asset)


def test_exchanges_need_no_vector_of_factors_for_each_option() -> None:
    """Of a thousand assets there are as many factors, and tens of thousands of options."""
    factors = 20_000
    draw = np.random.default_rng(0)
    problem = random_problem(0, True, False, False, 0.0)
    state = exchange_state(replace(problem, covariance=Covariance(draw.normal(size=(4, factors)))))
    tracemalloc.start()
    list(state.of_one(Prices(np.zeros(len(problem.right)), 0.1)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.5 * 8 * factors * len(state.options.assets)


def test_what_takes_long_of_a_covariance_is_computed_once() -> None:
    problem = random_problem(1, True, False, False, 0.0)
    near, _ = narrowed(problem, [0] * len(problem.places))
    assert near.covariance is problem.covariance
    assert problem.covariance is not None
    assert problem.covariance.furthest is problem.covariance.furthest
    assert problem.covariance.specific is problem.covariance.specific


class CountedProblem(LotProblem):
    """Counts how often the objective of some lots is computed exactly."""

    computed = 0

    def __call__(self, lots: Sequence[int]) -> float:
        type(self).computed += 1
        return super().__call__(lots)


def two_cheap_assets(tracking: bool) -> CountedProblem:
    """Purchases of up to 300 lots of each; a thousandth of cash is kept."""
    both, none = np.ones(2), np.zeros(2)
    value, target = np.array([0.0021, 0.0013]), np.array([0.6, 0.39])
    curves = Curves(
        sign=both,
        value=value,
        least=20.0 * both,
        most=300.0 * both,
        usable=none,
        spread=0.001 * both,
        commission=0.01 * both,
        per_lot=none,
        least_commission=0.003,
        most_commission=math.inf,
        fixed=0.0,
        impact=none,
        permanent=none,
    )

    def keeps(lots: Sequence[int]) -> bool:
        counts = np.array(lots, dtype=np.float64)
        return float((curves.value * counts + curves.cost(np.arange(2), counts)).sum()) <= 0.999

    covariance = Covariance(np.array([[0.2, 0.0], [0.1, 0.15]])) if tracking else None
    return CountedProblem(none, target, np.arange(2), curves, Limits(0.999, -math.inf), keeps, covariance, 0.5)


def least_of_two_assets(problem: LotProblem) -> float:
    """The objective of all plans at once, by its definition."""
    counts = np.concatenate([[0.0], np.arange(20.0, 301.0)])
    values = problem.curves.value[:, None] * counts
    fees = 0.001 * values + np.where(counts > 0.0, np.maximum(0.01 * values, 0.003), 0.0)
    first, second = np.meshgrid(values[0], values[1], indexing="ij")
    cost = fees[0][:, None] + fees[1][None, :]
    errors = np.stack([first - problem.target[0] * (1.0 - cost), second - problem.target[1] * (1.0 - cost)])
    if problem.factor is None:
        deviation = 0.5 * np.abs(errors).sum(axis=0)
    else:
        deviation = np.sqrt(np.einsum("iab,ij,jab->ab", errors, problem.factor @ problem.factor.T, errors))
    objective = (deviation + 0.5 * cost) / (1.0 - cost)
    return float(objective[first + second + cost <= 0.999].min())


@pytest.mark.parametrize("tracking", [False, True])
def test_plans_of_hundreds_of_lots_are_not_computed_one_by_one(tracking: bool) -> None:
    problem, nothing = two_cheap_assets(tracking), [0, 0]
    relaxed = relax(problem, problem(nothing), UNLIMITED)
    near, costs = narrowed(problem, nothing)
    options = Options.of(near)
    assert options is not None
    priced = PricedTerms.of(near, relaxed, problem(nothing), costs)
    CountedProblem.computed = 0
    found = enumerate_plans(near, options, options.terms(priced), priced, nothing, UNLIMITED)
    assert found.complete
    assert problem(found.lots) == pytest.approx(least_of_two_assets(problem), abs=1e-12)
    assert CountedProblem.computed <= 10


def test_a_search_ends_with_its_time() -> None:
    """It is looked at before the first of its nodes: one can have thousands of plans."""
    problem, nothing = two_cheap_assets(False), [0, 0]
    near, costs = narrowed(problem, nothing)
    options = Options.of(near)
    assert options is not None
    priced = PricedTerms.of(near, relax(problem, problem(nothing), UNLIMITED), problem(nothing), costs)
    over = SolverControl(deadline=0.0)
    found = enumerate_plans(near, options, options.terms(priced), priced, nothing, over)
    assert not found.complete
