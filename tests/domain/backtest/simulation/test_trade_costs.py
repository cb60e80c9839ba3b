"""What is left after a trade: two solvers for simulations, that of a reallocation, and a search by small steps."""

import math

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.simulation.arrays import Costs
from domain.backtest.simulation.plain_fill import value_after_fractions
from domain.backtest.simulation.trade_costs import cost_to, value_after
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.costs.self_financing import WealthExhausted, post_cost_fraction
from domain.market_data.panel import PricePanel


def costs_of(commission: np.ndarray, spread: np.ndarray, **more: float) -> Costs:
    count = len(commission)
    return Costs(
        commission=commission,
        spread=spread,
        impact=np.full(count, more.get("impact", 0.0)),
        impact_power=1.5,
        permanent=np.zeros(count),
        price_power=0.0,
        per_unit=more.get("per_unit", 0.0),
        least_commission=more.get("least", 0.0),
        most_commission=more.get("most", math.inf),
        fixed=more.get("fixed", 0.0),
        charges_first_purchase=True,
    )


@pytest.mark.parametrize("most", [0.2, 2.0])
def test_all_solvers_agree(most: float) -> None:
    """With rates up to 200 % as well, where selling everything costs more than there is."""
    rng = np.random.default_rng(4)
    exhausted = small = 0
    for _ in range(600):
        count = int(rng.integers(1, 8))
        scale = rng.choice([0.1, 1.0, 3.0])
        fractions = rng.normal(0.2, scale, count)
        weights = rng.normal(0.2, scale, count) if rng.random() < 0.5 else fractions + rng.normal(0.0, 0.02, count)
        commission, spread = rng.uniform(0.0, most, count), rng.uniform(0.0, 0.5 * most, count)
        prices, nav = rng.uniform(1.0, 100.0, count), 1000.0
        held, moving, costs = fractions * nav, np.ones(count, np.bool_), costs_of(commission, spread)
        moves = np.empty((2, count))
        compiled = value_after_fractions(weights, prices, held, commission, spread, nav, moves) / nav
        general = value_after(weights, held, prices, moving, costs, nav) / nav
        try:
            expected = post_cost_fraction(weights, fractions, commission + spread)
        except WealthExhausted:
            exhausted += 1
            assert compiled <= 0.0
            assert general <= 0.0
        else:
            small += float(cost_to(weights, held, prices, moving, costs, 0.0, nav)) > nav
            assert compiled == pytest.approx(expected, rel=1e-12)
            assert general == pytest.approx(expected, rel=1e-12)
    assert 0 < exhausted < 500
    assert most < 1.0 or small > 4


def test_fees_with_steps_leave_the_largest_value_that_can_be_paid() -> None:
    """Against every thousandth of the net asset value, from above; some costs are 200 %."""
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(200):
        count, nav = int(rng.integers(1, 5)), 1000.0
        fractions = rng.dirichlet(np.ones(count)) * rng.choice([0.9, 1.5, 3.0])
        held, weights = fractions * nav, fractions + rng.normal(0.0, 0.03, count)
        rates = rng.uniform(0.0, rng.choice([0.01, 1.0]), count)
        more = {"least": rng.choice([0.0, 2.0]), "fixed": rng.choice([0.0, 1.0]), "impact": rng.choice([0.0, 0.01])}
        costs, prices = costs_of(rates, rates, **more, per_unit=0.01), rng.uniform(1.0, 100.0, count)
        moving = np.ones(count, np.bool_)

        def excess(value: float, /, *given: object) -> float:
            return value + float(cost_to(*given[:5], value, given[5])) - float(given[5])  # type: ignore[arg-type]

        given = (weights, held, prices, moving, costs, nav)
        grid = [nav * k / 1000.0 for k in range(1000, -1, -1)]
        payable = next((value for value in grid if excess(value, *given) <= 0.0), None)
        after = float(value_after(weights, held, prices, moving, costs, nav))
        if payable is not None:
            found += 1
            assert after >= payable - 1e-9 * nav
            assert excess(after, *given) <= 1e-9 * nav
    assert found > 100


def test_a_most_commission_that_a_smaller_trade_does_not_reach() -> None:
    """Held 1500, 1000 with what is owed, to a short position of all of it.

    A commission of 20 % of at most 420, a spread of 20 %, a fee of 300: up to a trade of 2100, V' is what is left of
    1000 after 300 + 0.4 (1500 + V'). Newton's first step, along the commission that does not rise, goes below 0.
    """
    costs = costs_of(np.array([0.2]), np.array([0.2]), most=420.0, fixed=300.0)
    one = np.array([1.0])
    after = value_after(-one, 1500.0 * one, one, np.array([True]), costs, 1000.0)
    assert after == pytest.approx(100.0 / 1.4, rel=1e-12)


def test_a_small_trade_is_made_where_selling_everything_could_not_be_paid() -> None:
    """88 and 6 beside 6 of cash, to 90 % and 5 % at 120 %; a limit that binds nothing asks for the general way.

    V' = 100 - 1.2 (0.9 V' - 88) - 1.2 (6 - 0.05 V') is 198.4 / 2.02.
    """
    panel = PricePanel.of("AB", range(3), np.ones((3, 2)))

    def simulated(max_turnover: float | None) -> tuple[list[float], list[str]]:
        specification = BacktestSpecification(
            (FixedWeights({"A": 0.9, "B": 0.05}),),
            Rebalancing(BuyAndHold(), max_turnover=max_turnover),
            Fill.NEXT_CLOSE,
            costs=CostModel(LinearCost(12_000.0)),
            initial_capital=6.0,
            initial_holdings={"A": 88.0, "B": 6.0},
            periods_per_year=252.0,
        )
        (outcome,) = run(prepare(specification, panel), lambda _: None, lambda: None).strategies
        assert outcome.record is not None
        return outcome.record.nav.tolist(), [failure.reason for failure in outcome.failures]

    (plain, failures), (general, others) = simulated(None), simulated(100.0)
    assert failures == others == []
    assert general == pytest.approx(plain, rel=1e-12)
    assert plain[-1] == pytest.approx(198.4 / 2.02, rel=1e-12)
