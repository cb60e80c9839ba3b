"""Impact by volumes and returns of the dates before each fill, against a second simulation and by hand."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.flow import run
from domain.backtest.liquidity import StoredTrading
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights, WeightSchedule
from domain.costs.impact import AlmgrenImpact, Liquidity, SquareRootImpact
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CorporateAction, PriceBasis, Split
from domain.market_data.panel import Panel, PricePanel
from tests.domain.backtest.simulation.random_cases import DATES, SYMBOLS, RandomBacktest, random_backtest, with_calendar
from tests.domain.backtest.simulation.reference import Case, Money, Reference
from tests.families import blocks

WINDOW = 5
SHARES = 3e5


def trailing(case: Case, volumes: list[list[float]], t: int, j: int) -> tuple[float, float] | None:
    """Mean traded value and standard deviation of returns over the dates before t; None where too little is known."""
    values, returns = [], []
    for s in range(max(0, t - WINDOW), t):
        price = case.marks[s][j]
        if not case.tradable[s][j] or price <= 0.0:
            continue
        if not math.isnan(volumes[s][j]):
            values.append(price * volumes[s][j])
        if s and case.tradable[s - 1][j]:
            paid = case.dividends.get((s, j), (0.0, 0))[0]
            returns.append(case.splits.get((s, j), 1.0) * (price + paid) / case.marks[s - 1][j] - 1.0)
    if not values or len(returns) < 2:
        return None
    return statistics.fmean(values), statistics.stdev(returns)


def with_stored_volumes(backtest: RandomBacktest, seed: int) -> tuple[RandomBacktest, StoredTrading]:
    """The backtest with an impact by volumes, of one law or the other."""
    rng = np.random.default_rng([seed, 1])
    case, count = backtest.case, len(backtest.case.units)
    volumes = rng.uniform(1e3, 5e4, (DATES, count))
    volumes[rng.random(volumes.shape) < 0.2] = np.nan
    listed = volumes.tolist()
    figures = [[trailing(case, listed, t, j) for j in range(count)] for t in range(DATES)]
    square_root = bool(rng.random() < 0.5)

    def impact(t: int, j: int, traded: Money, price: float) -> Money:
        known = figures[t][j]
        assert known is not None
        value, sigma = known
        if square_root:
            return 2 / 3 * 0.9 * sigma * math.sqrt(traded / value) * traded
        shares = SHARES * math.prod(ratio for (s, k), ratio in case.splits.items() if k == j and s <= t)
        permanent = 0.314 * sigma * traded / value * (shares * price / value) ** 0.25
        return traded * (permanent / 2 + 0.142 * sigma * (traded / (value * 0.5)) ** 0.6)

    law = (
        SquareRootImpact(0.9)
        if square_root
        else AlmgrenImpact(execution_days=0.5, shares_outstanding=dict.fromkeys(SYMBOLS[:count], SHARES))
    )
    costs = replace(backtest.specification.costs, impact=law, liquidity={}, liquidity_lookback=WINDOW)
    limit = 0.02 if rng.random() < 0.5 else None
    specification = replace(backtest.specification, costs=costs, max_participation=limit)
    most = [] if limit is None else [[limit * (one[0] if one else 0.0) for one in row] for row in figures]
    tradable = [[case.tradable[t][j] and figures[t][j] is not None for j in range(count)] for t in range(DATES)]
    changed = replace(case, tradable=tradable, most_traded=most, dated_impact=impact)
    stored = StoredTrading(Panel(tuple(SYMBOLS[:count]), backtest.panel.dates, volumes))
    return replace(backtest, specification=specification, case=changed), stored


def has_untraded(case: Case, volumes: Panel) -> bool:
    """Whether there is an asset of which no volume is known on a date on which it has a price, before the last one."""

    def is_known(t: int, j: int) -> bool:
        return case.tradable[t][j] and case.marks[t][j] > 0.0 and not math.isnan(volumes.values[t, j])

    return any(not any(is_known(t, j) for t in range(DATES - 1)) for j in range(len(case.units)))


def compare(seed: int) -> None:
    given = with_calendar(random_backtest(seed))
    backtest, stored = with_stored_volumes(given, seed)
    reference = Reference(backtest.case)
    reference.run()
    try:
        plan = prepare(backtest.specification, backtest.panel, opens=backtest.opens, trading=stored)
        outcome = run(plan, lambda _: None, lambda: None).strategies[0]
    except InvalidInput as error:
        assert stored.volumes is not None
        expected = "no volume is stored" if has_untraded(given.case, stored.volumes) else "leave"
        assert expected in error.rule  # noqa: PT017  # a withdrawal of everything is refused
        return
    assert outcome.record is not None
    assert outcome.record.nav == pytest.approx(np.array(reference.navs), rel=1e-9, abs=1e-6)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_net_asset_values_of_every_date(seed: int) -> None:
    compare(seed)


def test_an_asset_that_is_never_traded_is_refused() -> None:
    """No volume of the first date is known, the second is one of a halt, and from the third on it is worth nothing."""
    compare(227415)


@pytest.mark.parametrize("block", blocks(0, 3, 10))
def test_many_random_backtests(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        compare(seed)


DAYS = np.arange(20_000, 20_012, dtype=np.int32)
PRICES = np.array([10.0, 10.2, 9.9, 10.4, 10.1, 10.5, 10.3, 10.8, 10.6, 11.0, 10.7, 11.2]).reshape(-1, 1)
VOLUMES = np.array([900.0, 1100, 800, 1500, 700, 1200, 950, 1300, 1000, 850, 1400, 1050]).reshape(-1, 1)


def purchase(at: int, **more: object) -> float:
    """Impact of buying for everything at the close of a date, in money."""
    costs = CostModel(impact=SquareRootImpact(1.0), liquidity_lookback=4)
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),), fill=Fill.SAME_CLOSE, costs=costs, initial_capital=1000.0, periods_per_year=252.0
    )
    first = PricePanel.of("A", DAYS[at:], PRICES[at:])
    plan = prepare(specification, first, trading=StoredTrading(**more))  # type: ignore[arg-type]
    return run(plan, lambda _: None, lambda: None).strategies[0].costs.impact


def test_prices_and_volumes_before_the_first_date_count() -> None:
    """Four dates before the first one: their mean value, and the deviation of the four returns that end in them."""
    stored = {"volumes": Panel(("A",), DAYS, VOLUMES), "earlier": PricePanel.of("A", DAYS[:6], PRICES[:6])}
    value = statistics.fmean((PRICES[1:5] * VOLUMES[1:5]).ravel())
    sigma = statistics.stdev((PRICES[1:5] / PRICES[0:4] - 1.0).ravel())
    rate = 2 / 3 * sigma / math.sqrt(value)
    bought = 1000.0
    for _ in range(100):
        bought = 1000.0 - rate * bought**1.5
    assert purchase(5, **stored) == pytest.approx(1000.0 - bought, rel=1e-9)


def test_a_split_multiplies_the_shares_outstanding() -> None:
    """Unadjusted prices with the shares of the first date, and adjusted ones with those after the split."""
    prices = np.array([100.0, 101.0, 99.0, 103.0, 104.0, 102.0])
    costs = CostModel(impact=AlmgrenImpact(shares_outstanding={"A": 1e6}), liquidity={"A": Liquidity(1e5, 0.3)})
    specification = BacktestSpecification(
        (WeightSchedule(((20_000, {"A": 0.5}), (20_003, {"A": 1.0}))),),
        Rebalancing(BuyAndHold()),
        costs=costs,
        initial_capital=1e5,
        periods_per_year=252.0,
    )
    split = CorporateAction("A", 20_002, Split(4.0))
    unadjusted = replace(specification, price_basis=PriceBasis.UNADJUSTED, corporate_actions=(split,))
    adjusted = replace(specification, costs=replace(costs, impact=AlmgrenImpact(shares_outstanding={"A": 4e6})))
    paid = np.where(np.arange(6) < 2, prices, prices / 4.0)
    one, other = (
        run(prepare(each, PricePanel.of("A", DAYS[:6], values[:, None])), lambda _: None, lambda: None).strategies[0]
        for each, values in ((unadjusted, paid), (adjusted, prices / 4.0))
    )
    assert one.record is not None
    assert other.record is not None
    assert one.record.nav == pytest.approx(other.record.nav, rel=1e-12)
    assert one.costs.impact == pytest.approx(other.costs.impact, rel=1e-12)


def test_what_is_known_on_the_date_of_the_fill_or_later_changes_nothing() -> None:
    later = VOLUMES.copy()
    later[5:] *= 50.0
    earlier = PricePanel.of("A", DAYS[:5], PRICES[:5])
    one, other = (purchase(5, volumes=Panel(("A",), DAYS, v), earlier=earlier) for v in (VOLUMES, later))
    assert one == other > 0.0


def test_a_trade_waits_until_something_is_known_and_the_result_says_so() -> None:
    """Without a price before the first date: two returns are there on the third one."""
    costs = CostModel(impact=SquareRootImpact(1.0), liquidity={"A": Liquidity(1e5)})
    specification = BacktestSpecification(
        (EqualWeightStrategy(),),
        Rebalancing(EveryPeriods(100)),
        costs=costs,
        initial_capital=1000.0,
        periods_per_year=252.0,
    )
    plan = prepare(specification, PricePanel.of("A", DAYS, PRICES))
    record = run(plan, lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    assert (record.nav[:3] == 1000.0).all()
    assert record.nav[3] < 1000.0  # the impact of the purchase
    waiting, uncertain = plan.warnings
    assert (waiting.code, waiting.field) == ("LIQUIDITY_UNKNOWN", "costs.impact")
    assert "A from 2024-10-05 to 2024-10-06" in waiting.message
    # The third date has two returns before it, the ninth has eight.
    assert (uncertain.code, uncertain.field) == ("VOLATILITY_UNCERTAIN", "costs.impact")
    assert "A from 2024-10-07 to 2024-10-13" in uncertain.message


@pytest.mark.parametrize(
    ("volumes", "rule"),
    [
        (None, "must give the daily_value of A, of which no volume is stored"),
        (np.full_like(VOLUMES, np.nan), "must give the daily_value of A, of which no volume is stored"),
        (np.zeros_like(VOLUMES), "whose stored volumes of the 4 dates before 2024-10-05 are all 0"),
        (np.where(np.arange(12)[:, None] < 6, VOLUMES, 0.0), "dates before 2024-10-14 are all 0"),
    ],
)
def test_a_volume_that_is_missing_or_0_is_refused_by_name(volumes: np.ndarray | None, rule: str) -> None:
    costs = CostModel(impact=SquareRootImpact(1.0), liquidity_lookback=4)
    specification = BacktestSpecification((EqualWeightStrategy(),), costs=costs)
    stored = StoredTrading(None if volumes is None else Panel(("A",), DAYS, volumes))
    with pytest.raises(InvalidInput) as refusal:
        prepare(specification, PricePanel.of("A", DAYS, PRICES), trading=stored)
    assert refusal.value.field == "costs.liquidity"
    assert rule in refusal.value.rule


def test_a_law_that_needs_shares_outstanding_names_the_asset_without() -> None:
    costs = CostModel(impact=AlmgrenImpact(shares_outstanding={"A": 1.0}), liquidity={"B": Liquidity(1e6, 0.2)})
    costs = replace(costs, liquidity={symbol: Liquidity(1e6, 0.2) for symbol in "AB"})
    prices = PricePanel.of("AB", DAYS, np.hstack([PRICES, PRICES]))
    with pytest.raises(InvalidInput, match="shares outstanding of B") as refusal:
        prepare(BacktestSpecification((EqualWeightStrategy(),), costs=costs), prices)
    assert refusal.value.field == "costs.impact.almgren.shares_outstanding"
