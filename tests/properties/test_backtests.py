"""What holds for every backtest, on random ones with everything switched on."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest import simulator
from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import CostTotals, StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import Cancelled, InvalidInput
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.random_cases import DATES, RandomBacktest, random_backtest

SEEDS = st.integers(0, 10**6)
RANDOMLY = settings(max_examples=30, deadline=None)


def outcome_of(backtest: RandomBacktest) -> StrategyOutcome | None:
    """None where a withdrawal of everything is refused."""
    try:
        return backtest.outcome()
    except InvalidInput as error:
        assert "leave" in error.rule  # noqa: PT017  # not every backtest is refused
        return None


def record_of(outcome: StrategyOutcome) -> RecordPart:
    assert outcome.record is not None
    return outcome.record


@given(SEEDS)
@RANDOMLY
def test_the_net_asset_value_is_explained(seed: int) -> None:
    """Start + flows + gains - costs = end, and nothing that is paid is negative."""
    outcome = outcome_of(random_backtest(seed))
    if outcome is None:
        return
    parts = outcome.reconciliation
    assert parts is not None
    scale = max(parts.start_nav, parts.end_nav, abs(parts.gains), parts.costs)
    assert parts.start_nav + parts.flows + parts.gains - parts.costs == pytest.approx(parts.end_nav, abs=1e-10 * scale)
    assert parts.uncovered_loss == 0.0 or outcome.bankrupt_day is not None
    assert parts.costs == pytest.approx(sum(getattr(outcome.costs, one.name) for one in fields(CostTotals)))
    assert all(getattr(outcome.costs, one.name) >= 0.0 for one in fields(CostTotals))


@given(SEEDS)
@RANDOMLY
def test_the_order_of_assets_does_not_matter(seed: int) -> None:
    backtest = random_backtest(seed)
    outcome = outcome_of(backtest)
    if outcome is None:
        return
    order = np.random.default_rng(seed).permutation(len(backtest.panel.symbols))

    def shuffled(panel: PricePanel) -> PricePanel:
        return PricePanel.of([panel.symbols[j] for j in order], panel.dates, panel.values[:, order])

    opens = None if backtest.opens is None else shuffled(backtest.opens)
    other = replace(backtest, panel=shuffled(backtest.panel), opens=opens).outcome()
    assert record_of(other).nav == pytest.approx(record_of(outcome).nav, rel=1e-10, abs=1e-6)


@given(SEEDS, st.integers(3, DATES - 2))
@RANDOMLY
def test_no_later_price_changes_what_was(seed: int, last: int) -> None:
    """To the bit: net asset values, holdings, cash and costs up to a date, whatever the prices after it."""
    backtest = random_backtest(seed)
    outcome = outcome_of(backtest)
    if outcome is None:
        return
    factors = np.exp(np.random.default_rng(seed + 1).normal(0.0, 0.2, backtest.panel.values.shape))
    factors[: last + 1] = 1.0

    def changed(panel: PricePanel) -> PricePanel:
        return PricePanel.of(panel.symbols, panel.dates, panel.values * factors)

    opens = None if backtest.opens is None else changed(backtest.opens)
    other = outcome_of(replace(backtest, panel=changed(backtest.panel), opens=opens))
    if other is None:
        return
    ours, theirs = record_of(outcome), record_of(other)
    assert np.array_equal(ours.nav[: last + 1], theirs.nav[: last + 1])
    assert np.array_equal(ours.unit_values[: last + 1], theirs.unit_values[: last + 1])
    for name in ("indices", "kinds", "units", "cash", "cost_fractions", "turnovers"):
        mine, other_rows = getattr(ours, name)[ours.indices <= last], getattr(theirs, name)[theirs.indices <= last]
        assert np.array_equal(mine, other_rows), name


@given(SEEDS)
@RANDOMLY
def test_no_close_changes_what_was_filled_at_the_open_of_its_date(seed: int) -> None:
    """To the bit, on each date on which something happens to an asset: fills know closes before it and its open."""
    backtest = random_backtest(seed, Fill.NEXT_OPEN)
    outcome = outcome_of(backtest)
    if outcome is None:
        return
    ours, case = record_of(outcome), backtest.case
    eventful = {t for t, _ in (*case.splits, *case.dividends, *case.delistings)}
    eventful |= {pay for _, pay in case.dividends.values() if pay < DATES}
    for last in sorted(eventful):
        other = outcome_of(with_other_prices(backtest, seed, last))
        if other is None:
            continue
        theirs = record_of(other)
        assert np.array_equal(ours.nav[:last], theirs.nav[:last])
        for name in ("indices", "units", "cash", "cost_fractions", "turnovers"):
            mine, other_rows = (getattr(one, name)[one.fills & (one.indices <= last)] for one in (ours, theirs))
            assert np.array_equal(mine, other_rows), name


def with_other_prices(backtest: RandomBacktest, seed: int, last: int) -> RandomBacktest:
    """The same with other closes from a date on, and other opens after it."""
    assert backtest.opens is not None
    factors = np.exp(np.random.default_rng(seed + 1).normal(0.0, 0.2, backtest.panel.values.shape))
    panel = backtest.panel
    factors[:last] = 1.0
    closes = PricePanel.of(panel.symbols, panel.dates, panel.values * factors)
    factors[last] = 1.0
    opens = PricePanel.of(panel.symbols, panel.dates, backtest.opens.values * factors)
    return replace(backtest, panel=closes, opens=opens)


@pytest.mark.parametrize("seed", range(30))
def test_stretches_and_checkpoints_change_no_bit(seed: int) -> None:
    """Simulated in stretches of a few dates, thrown away and resumed from the last checkpoint at random events."""
    backtest = random_backtest(seed)
    whole = outcome_of(backtest)
    if whole is None:
        return
    rng, plan = np.random.default_rng(seed), backtest.plan()
    records: list[list[RecordPart]] = []
    checkpoint: Checkpoint | None = None
    outcome = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "STRETCH", int(rng.integers(1, 40)))
        for _ in range(500):
            saved, stopped = int(rng.integers(1, 5)), int(rng.integers(5, 12))
            events = 0

            def watch(backtest_run: BacktestRun, saved: int = saved, stopped: int = stopped) -> None:
                nonlocal events, checkpoint
                events += 1
                if events == saved:
                    checkpoint = backtest_run.checkpoint()
                    records.extend([] for _ in range(1 - len(records)))
                    records[0].extend(part for _, part in checkpoint.parts)
                if events == stopped:
                    raise Cancelled("stopped")

            try:
                outcome = run(plan, watch, lambda: None, checkpoint, records).strategies[0]
                break
            except Cancelled:
                continue
    assert outcome is not None
    ours, theirs = record_of(outcome), record_of(whole)
    for name in ("nav", "indices", "kinds", "units", "cash", "cost_fractions", "turnovers", "events", "gains"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    assert (outcome.costs, outcome.failures) == (whole.costs, whole.failures)


@given(SEEDS, st.sampled_from([1, 4, 30]), st.sampled_from([1.0, 20.0, 200.0]))
@RANDOMLY
def test_a_cost_in_proportion_never_raises_wealth(seed: int, n: int, bps: float) -> None:
    rng = np.random.default_rng(seed)
    prices = np.exp(np.cumsum(rng.normal(0.0, 0.02, (50, 3)), axis=0))
    weights = dict(zip("ABC", rng.dirichlet(np.ones(4))[:3].tolist(), strict=True))

    def navs(costs: float) -> np.ndarray:
        specification = BacktestSpecification(
            (FixedWeights(weights),), Rebalancing(EveryPeriods(n)), costs=CostModel(LinearCost(costs))
        )
        plan = prepare(specification, PricePanel.of("ABC", range(50), prices))
        return record_of(run(plan, lambda _: None, lambda: None).strategies[0]).nav

    assert (navs(bps) <= navs(0.5 * bps) * (1.0 + 1e-14)).all()
    assert (navs(0.5 * bps) <= navs(0.0) * (1.0 + 1e-14)).all()


@given(SEEDS)
@RANDOMLY
def test_what_is_held_without_costs_moves_with_its_prices(seed: int) -> None:
    """The units of the start at the prices of each date."""
    rng = np.random.default_rng(seed)
    prices = np.exp(np.cumsum(rng.normal(0.0, 0.02, (50, 3)), axis=0))
    units = rng.uniform(1.0, 10.0, 3)
    worth = units * prices[0]
    specification = BacktestSpecification(
        (FixedWeights(dict(zip("ABC", (worth / worth.sum()).tolist(), strict=True))),),
        Rebalancing(BuyAndHold()),
        initial_capital=0.0,
        initial_holdings=dict(zip("ABC", units.tolist(), strict=True)),
        lag_periods=48,  # the only fill is on the last date
    )
    plan = prepare(specification, PricePanel.of("ABC", range(50), prices))
    record = record_of(run(plan, lambda _: None, lambda: None).strategies[0])
    assert record.nav == pytest.approx(prices @ units, rel=1e-14)
