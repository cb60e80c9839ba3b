"""Series of an account against one that is kept here day by day, with costs, flows, a split, a dividend and a short."""

from typing import Any

import numpy as np
import pytest

from domain.backtest.account_series import EXPOSURES, total_contributions
from domain.backtest.cash_flows import CashFlow, FlowTiming
from domain.backtest.flow import run
from domain.backtest.market import Market
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.series import Series, rows
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.corporate_actions import CashDividend, CorporateAction, PriceBasis, Split
from domain.market_data.panel import PricePanel

RNG = np.random.default_rng(5)
DATES, EVERY, RATE = 60, 7, 0.002
FIRST_DAY = 17_000
PRICES = 50.0 * np.exp(np.cumsum(RNG.normal(3e-4, 0.015, (DATES, 3)), axis=0))
WEIGHTS = np.array([0.7, 0.5, -0.3])
SPLIT_AT, DIVIDEND_AT, FLOW_AT, START_FLOW_AT = 20, 25, 30, 40
PRICES[SPLIT_AT:, 1] /= 2.0
DIVIDEND = 1.5


def simulated(**more: Any) -> tuple[Market, RecordPart]:
    specification = BacktestSpecification(
        strategies=(FixedWeights(dict(zip("ABC", WEIGHTS.tolist(), strict=True)), leveraged=True),),
        rebalancing=Rebalancing(schedule=EveryPeriods(EVERY)),
        corporate_actions=(
            CorporateAction("B", FIRST_DAY + SPLIT_AT, Split(2.0)),
            CorporateAction("A", FIRST_DAY + DIVIDEND_AT, CashDividend(DIVIDEND)),
        ),
        price_basis=PriceBasis.UNADJUSTED,
        **{"costs": CostModel(LinearCost(commission_bps=1e4 * RATE)), **more},
    )
    panel = PricePanel.of("ABC", range(FIRST_DAY, FIRST_DAY + DATES), PRICES)
    plan = prepare(specification, panel)
    record = run(plan, lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return plan.market, record


def series(kind: Series, simulation: tuple[Market, RecordPart], first: int = 0, last: int = DATES) -> np.ndarray:
    return rows(kind, *simulation, np.zeros(3), first, last)


def account(rate: float, flows: dict[int, float], start_flows: dict[int, float]) -> dict[str, np.ndarray]:
    """Kept by hand: each decision is filled at the next close, with bisection for the value after costs."""
    units, cash, value = np.zeros(3), 1.0, 1.0
    kept: dict[str, list[Any]] = {name: [] for name in ("units", "cash", "contributions", "costs", "net", "gross")}
    for t in range(DATES):
        capital = value + start_flows.get(t, 0.0)
        cash += start_flows.get(t, 0.0)
        gained = np.zeros(3)
        if t > 0:
            gained = -units * PRICES[t - 1]
            if t == SPLIT_AT:
                units = units * np.array([1.0, 2.0, 1.0])
            gained += units * PRICES[t]
            if t == DIVIDEND_AT:
                gained[0] += units[0] * DIVIDEND
                cash += units[0] * DIVIDEND
        before = units @ PRICES[t] + cash + flows.get(t, 0.0)
        cash += flows.get(t, 0.0)
        value, cost = before, 0.0
        if t % EVERY == 1:
            low, high = 0.0, before
            for _ in range(200):
                value = 0.5 * (low + high)
                paid = rate * np.abs(WEIGHTS * value - units * PRICES[t]).sum()
                low, high = (value, high) if before - paid > value else (low, value)
            cost = 1.0 - value / before
            cash = value - WEIGHTS.sum() * value
            units = WEIGHTS * value / PRICES[t]
        kept["units"].append(units)
        kept["cash"].append(cash)
        kept["contributions"].append(gained / capital)
        kept["costs"].append(cost)
        kept["net"].append((value - flows.get(t, 0.0)) / capital)
        kept["gross"].append((value / (1.0 - cost) - flows.get(t, 0.0)) / capital)
    return {name: np.array(values) for name, values in kept.items()}


FLOWS = (
    CashFlow(FIRST_DAY + FLOW_AT, 0.4),
    CashFlow(FIRST_DAY + START_FLOW_AT, -0.3, FlowTiming.START_OF_DAY),
)
CASES: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "without costs": ({"costs": CostModel()}, (0.0, {}, {})),
    "with costs": ({}, (RATE, {}, {})),
    "with flows": ({"cash_flows": FLOWS}, (RATE, {FLOW_AT: 0.4}, {START_FLOW_AT: -0.3})),
}


@pytest.mark.parametrize("case", CASES)
def test_series_against_an_account_kept_by_hand(case: str) -> None:
    more, kept = CASES[case]
    simulation, expected = simulated(**more), account(*kept)
    near = {"rtol": 1e-11, "atol": 1e-13}
    np.testing.assert_allclose(series(Series.HOLDINGS, simulation), expected["units"], **near)
    np.testing.assert_allclose(series(Series.CASH, simulation)[:, 0], expected["cash"], **near)
    np.testing.assert_allclose(series(Series.CONTRIBUTIONS, simulation), expected["contributions"], **near)
    np.testing.assert_allclose(series(Series.COSTS, simulation)[:, 0], expected["costs"], **near)
    np.testing.assert_allclose(series(Series.EQUITY, simulation)[:, 0], expected["net"].cumprod(), **near)
    if not kept[1]:  # on the date of a flow the cost is of the net asset value after it
        np.testing.assert_allclose(series(Series.GROSS_EQUITY, simulation)[:, 0], expected["gross"].cumprod(), **near)


def test_contributions_are_the_whole_return_where_nothing_costs() -> None:
    simulation = simulated(costs=CostModel())
    equity = series(Series.EQUITY, simulation)[:, 0]
    returns = equity[1:] / equity[:-1] - 1.0
    np.testing.assert_allclose(series(Series.CONTRIBUTIONS, simulation)[1:].sum(axis=1), returns, atol=1e-14)
    total = total_contributions(PRICES, simulation[0].total_return, simulation[1], np.zeros(3))
    assert total.sum() == pytest.approx(equity[-1] - 1.0, abs=1e-13)


def test_gross_and_net_are_one_without_costs() -> None:
    simulation = simulated(costs=CostModel())
    np.testing.assert_array_equal(series(Series.GROSS_EQUITY, simulation), series(Series.EQUITY, simulation))


def test_the_cost_of_a_purchase_on_the_first_date_is_given_back() -> None:
    net = simulated(fill=Fill.SAME_CLOSE)
    gross = series(Series.GROSS_EQUITY, net)[:, 0]
    weights = series(Series.WEIGHTS, net)[0]
    # The account that is bought without costs has the same weights: its first return is that of these weights.
    moved = 1.0 + weights @ (PRICES[1] / PRICES[0] - 1.0)
    assert gross[0] == 1.0
    assert gross[1] == pytest.approx(moved, rel=1e-12)


def test_exposures_of_weights() -> None:
    simulation = simulated()
    found = dict(zip(EXPOSURES, series(Series.EXPOSURES, simulation)[8], strict=True))  # traded on this date
    expected = {"long": 1.2, "short": -0.3, "gross": 1.5, "net": 0.9, "cash": 0.1}
    assert found == {name: pytest.approx(value, rel=1e-12) for name, value in expected.items()}


def test_turnover_is_half_of_what_is_traded() -> None:
    simulation = simulated(costs=CostModel())
    traded = np.abs(series(Series.TRADES, simulation) * PRICES).sum(axis=1)
    nav = series(Series.NAV, simulation)[:, 0]
    np.testing.assert_allclose(series(Series.TURNOVER, simulation)[:, 0], 0.5 * traded / nav, atol=1e-14)


@pytest.mark.parametrize("kind", Series)
def test_pieces_are_those_of_the_whole(kind: Series) -> None:
    simulation = simulated(cash_flows=FLOWS)
    whole = series(kind, simulation)
    pieces = [series(kind, simulation, first, min(first + 7, DATES)) for first in range(0, DATES, 7)]
    np.testing.assert_array_equal(np.vstack(pieces), whole)
    assert whole.shape == (DATES, max(len(kind.columns(("A", "B", "C"))), 1))
