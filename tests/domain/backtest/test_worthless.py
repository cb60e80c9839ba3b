"""An asset that becomes worthless is a loss of that asset, and nothing is ever bought at a price of 0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing, RebalancingDates
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome, StrategyOutcome
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Fill
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights, Optimized, Strategy
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.optimization.request.constraints import Cardinality, Constraint, GroupBounds, Linear, WeightBounds
from domain.optimization.request.objectives import Hierarchical, MinRisk, Objective
from domain.optimization.request.specification import (
    GroupReference,
    ObjectiveBySymbol,
    RiskBudgetBySymbol,
    Specification,
    TrackingBySymbol,
    TrackingErrorBySymbol,
)
from tests.families import generated

NAN = float("nan")


def simulated(
    data: PricePanel | ReturnPanel, strategy: Strategy, schedule: RebalancingDates, fill: Fill, bps: float = 0.0
) -> BacktestOutcome:
    spec = BacktestSpecification(
        (strategy,),
        Rebalancing(schedule),
        fill,
        costs=CostModel(LinearCost(bps)),
        benchmarks=(BenchmarkSymbol("B"),),
        periods_per_year=252.0,
    )
    opens = data if fill is Fill.NEXT_OPEN and isinstance(data, PricePanel) else None
    return run(prepare(spec, data, opens=opens), lambda backtest: None, lambda: None)


def record_of(outcome: StrategyOutcome) -> RecordPart:
    assert outcome.record is not None
    return outcome.record


@pytest.mark.parametrize("after", [0.0, 0.2, NAN])
def test_half_is_lost_and_the_other_half_goes_on(after: float) -> None:
    """0.5 x 1.1 x 0 + 0.5 x 1.1 x 1.2 x 1.1: 1, 1.1, 0.66, 0.726. What is said of LEH afterwards is not read."""
    values = [0.1, 0.1, -1.0, 0.2, after, 0.1, after, 0.0]
    returns = ReturnPanel.of(["LEH", "B"], [19723, 19724, 19725, 19726], values)
    done = simulated(returns, EqualWeightStrategy(), BuyAndHold(), Fill.SAME_CLOSE)
    figures = done.strategies[0].performance
    assert record_of(done.strategies[0]).nav == pytest.approx([1.0, 1.1, 0.66, 0.726, 0.726])
    assert figures.final_wealth == pytest.approx(0.726)
    assert figures.max_drawdown == pytest.approx(0.4)
    assert done.strategies[0].failures == ()


@given(
    st.integers(2, 5),
    st.integers(0, 10_000),
    st.sampled_from([BuyAndHold(), EveryPeriods(1), EveryPeriods(3)]),
    st.sampled_from(list(Fill)),
    st.booleans(),
    st.sampled_from([0.0, 10.0]),
)
@generated(80)
def test_net_asset_value_is_what_is_held(
    count: int, seed: int, schedule: RebalancingDates, fill: Fill, missing: bool, bps: float
) -> None:
    """Assets become worthless on any dates; the net asset value is recomputed date by date from the fills."""
    generator = np.random.default_rng(seed)
    prices = 10 * np.exp(np.cumsum(generator.normal(0, 0.02, (15, count)), axis=0))
    ends = generator.integers(1, 25, count)
    ends[-1] = 25  # one survives
    for j, end in enumerate(ends):
        prices[end:, j] = 0.0
        if missing:
            prices[end + 1 :, j] = np.nan
    panel = PricePanel.of([*"WXYZ"[: count - 1], "B"], range(100, 115), prices)
    held_prices = np.nan_to_num(prices)
    done = simulated(panel, EqualWeightStrategy(), schedule, fill, bps)
    assert done.strategies[0].failures == ()
    record = record_of(done.strategies[0])
    units, cash = np.zeros(count), 1.0
    places = record.indices[record.fills].tolist()
    for place in range(len(record.nav)):
        if place in places:
            k = places.index(place)
            before = float(units @ held_prices[place]) + cash
            alive = held_prices[place] > 0.0
            assert np.array_equal(record.units[k][~alive], units[~alive])
            units, cash = record.units[k], float(record.cash[k])
            after = float(units @ held_prices[place]) + cash
            assert after + record.cost_fractions[k] * before == pytest.approx(before, rel=1e-12)
            # Decided at most one date before: who was alive then has an equal part, who died since leaves cash.
            decided = held_prices[place - (0 if fill is Fill.SAME_CLOSE else 1)] > 0.0
            expected = np.where(alive, after / decided.sum(), 0.0)
            assert units * held_prices[place] == pytest.approx(expected, rel=1e-9, abs=1e-12)
        if place > 0:
            assert record.nav[place] == pytest.approx(float(units @ held_prices[place]) + cash, rel=1e-12)


def test_the_weight_of_what_is_worthless_stays_in_cash() -> None:
    panel = PricePanel.of("AB", range(4), [[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 2.0]])
    done = simulated(panel, FixedWeights({"A": 0.5, "B": 0.5}), EveryPeriods(2), Fill.SAME_CLOSE)
    # Half is lost; of 0.5 a half is put into B again, which doubles: 0.25 + 0.5.
    assert done.strategies[0].performance.final_wealth == pytest.approx(0.75)


def test_all_assets_worthless_is_a_total_loss() -> None:
    panel = PricePanel.of("AB", range(4), [[1.0, 1.0], [2.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    done = simulated(panel, EqualWeightStrategy(), EveryPeriods(1), Fill.SAME_CLOSE)
    figures = done.strategies[0].performance
    assert (figures.final_wealth, figures.cagr, figures.max_drawdown) == (0.0, -1.0, 1.0)
    assert (done.benchmarks[0].performance.cagr, done.benchmarks[0].performance.max_drawdown) == (-1.0, 1.0)
    assert [failure.reason for failure in done.strategies[0].failures] == ["WEALTH_EXHAUSTED"]


@pytest.mark.parametrize("fill", list(Fill))
@pytest.mark.parametrize("bps", [0.0, 10.0])
def test_a_total_loss_is_told_once(fill: Fill, bps: float) -> None:
    """A fill is due on the date of the loss, and fails for want of what the loss took."""
    panel = PricePanel.of("AB", range(5), [[1.0, 1.0], [2.0, 1.0], [0.5, 1.0], [0.5, 1.0], [0.5, 1.0]])
    done = simulated(panel, FixedWeights({"A": 2.0, "B": -1.0}), EveryPeriods(1), fill, bps)
    failures = [(failure.day, failure.reason) for failure in done.strategies[0].failures]
    assert failures == [(2, "WEALTH_EXHAUSTED")]
    assert "is used up" in done.strategies[0].failures[0].message


SURVIVORS: dict[str, tuple[Objective | ObjectiveBySymbol, tuple[Constraint | GroupReference, ...]]] = {
    "bounds": (MinRisk(), (WeightBounds("cap", upper=0.6, symbols=("L", "B")), WeightBounds("l", 0.1, symbols=("L",)))),
    "groups": (MinRisk(), (GroupBounds("g", ("L", "A"), upper=0.5), GroupReference("r", "only", lower=0.1))),
    "linear": (MinRisk(), (Linear("one", {"L": 1.0}, lower=0.1), Linear("two", {"L": 1.0, "A": 1.0}, upper=0.4))),
    "cardinality": (MinRisk(), (Cardinality("two", 2, ("L", "A", "B")),)),
    "budgets": (RiskBudgetBySymbol({"L": 1.0, "A": 2.0, "B": 1.0, "C": 1.0}), ()),
    "tracking": (TrackingBySymbol({"L": 0.5, "A": 0.5}), (TrackingErrorBySymbol("te", {"L": 0.5, "B": 0.5}, 1.0),)),
    "hierarchical": (Hierarchical(), ()),
}


@pytest.mark.parametrize("name", SURVIVORS)
def test_an_optimised_strategy_goes_on_without_it(name: str) -> None:
    """Every decision after the loss has an answer, and it is that of the other assets."""
    objective, constraints = SURVIVORS[name]
    moves = np.random.default_rng(3).normal(0.0005, 0.01, (60, 4))
    prices = np.exp(np.cumsum(moves, axis=0))
    prices[30:, 0] = 0.0
    panel = PricePanel.of("LABC", range(60), prices)
    costs = CostModel(LinearCost(1.0, by_symbol_bps={"L": 5.0})) if name == "bounds" else None
    spec = Specification(objective, constraints=constraints, groups={"only": ("L",)}, costs=costs)
    done = simulated(panel, Optimized(spec, 20), EveryPeriods(5), Fill.SAME_CLOSE)
    assert done.strategies[0].failures == ()
    record = record_of(done.strategies[0])
    assert record.indices[record.fills].tolist() == list(range(0, 40, 5))
    last = record.units[-1] * prices[55]
    assert last[0] == 0.0
    assert last.sum() > 0.0
    assert record.units[-1][0] == record.units[1][0]  # it cannot be sold


@pytest.mark.parametrize(
    ("values", "field", "rule"),
    [
        ([1.0, 0.0, 1.0], "values[1]", "all that follows is 0 or missing"),
        ([1.0, 0.0, NAN, 2.0], "values[1]", "all that follows is 0 or missing"),
        ([0.0, 1.0], "values[0]", "all that follows is 0 or missing"),
        ([NAN, 0.0, 0.0], "values[1]", "only after one above 0"),
        ([1.0, -1.0], "values[1]", "above 0"),
    ],
)
def test_where_a_price_may_be_zero(values: list[float], field: str, rule: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        PricePanel.of(["A"], range(len(values)), values)
    assert raised.value.field == field
    assert rule in raised.value.rule


def test_a_benchmark_that_is_worthless_from_the_start_has_no_curve() -> None:
    panel = PricePanel.of("AB", range(8), np.array([[1, 2, 3, 2, 1, 2, 3, 4], [1, 0, 0, 0, 0, 0, 0, 0.0]]).T)
    with pytest.raises(InvalidInput, match="B has a price of 0 at the start of the backtest"):
        simulated(panel, Optimized(Specification(MinRisk()), 3), BuyAndHold(), Fill.SAME_CLOSE)


def test_returns_that_compound_beyond_a_number() -> None:
    with pytest.raises(InvalidInput, match="infinite for A") as raised:
        simulated(
            ReturnPanel.of("AB", range(400), np.full((400, 2), 9.0)),
            EqualWeightStrategy(),
            BuyAndHold(),
            Fill.SAME_CLOSE,
        )
    assert raised.value.field == "returns"


def test_returns_on_the_first_day_of_all_have_no_day_before() -> None:
    with pytest.raises(InvalidInput, match="0001-01-01"):
        simulated(
            ReturnPanel.of("AB", [-719162, -719161], np.zeros((2, 2))),
            EqualWeightStrategy(),
            BuyAndHold(),
            Fill.SAME_CLOSE,
        )


def test_dates_are_dropped_for_gaps_and_not_for_what_is_worthless() -> None:
    prices = [[1.0, 1.0], [0.0, 2.0], [NAN, NAN], [NAN, 3.0]]
    spec = BacktestSpecification(
        (EqualWeightStrategy(),), missing_data=MissingDataPolicy.DROP_DATES, periods_per_year=252.0
    )
    plan = prepare(spec, PricePanel.of("AB", range(4), prices))
    assert plan.market.panel.dates.tolist() == [0, 1, 3]
    assert plan.market.panel.values.tolist() == [[1.0, 1.0], [0.0, 2.0], [0.0, 3.0]]
