"""The parts of an attributed path sum to its excess return, on random backtests with everything switched on."""

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.attribution.settings import AttributionModel, AttributionSettings, Linking
from domain.backtest.attribution_request import AttributionRequest
from domain.backtest.flow import run
from domain.backtest.path_attribution import PathAttribution
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.result import BacktestOutcome
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights, Strategy
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CorporateAction, Delisting, DelistingPolicy, PriceBasis, Split
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.random_cases import SYMBOLS, RandomBacktest, random_backtest

LABELS = {"sector=odd": ("A", "C"), "sector=even": ("B",), "country=X": ("A", "B", "C"), "country=Y": ("D", "E")}
CHOICES = list(itertools.product(AttributionModel, Linking, (False, True)))
BENCHMARKS: list[Strategy | BenchmarkSymbol | None] = [EqualWeightStrategy("even"), None, BenchmarkSymbol("A")]


def outcome_of(backtest: RandomBacktest, benchmark: Any, request: AttributionRequest) -> BacktestOutcome | None:
    """None where a withdrawal of everything is refused, and where nothing of the benchmark is left."""
    benchmarks = () if benchmark is None else (benchmark,)
    specification = replace(backtest.specification, attribution=request, benchmarks=benchmarks)
    try:
        return run(prepare(specification, backtest.panel, opens=backtest.opens), lambda _: None, lambda: None)
    except InvalidInput as error:
        assert "leave" in error.rule or "price of 0" in error.rule  # noqa: PT017  # not every backtest is refused
        return None


def labelled(backtest: RandomBacktest, settings: AttributionSettings, *, daily: bool = False) -> AttributionRequest:
    """Labels of its assets, some of them without one."""
    symbols = backtest.panel.symbols
    labels = {name: tuple(s for s in members if s in symbols) for name, members in LABELS.items()}
    given = {name: members for name, members in labels.items() if members}
    return AttributionRequest(settings, ("sector", "country"), given, daily=daily)


def total(attribution: PathAttribution, level: int, linking: Linking) -> float:
    """What the parts of a level come to."""
    parts = [segment.contribution for segment in attribution.levels[level].segments]
    return math.prod(1.0 + part for part in parts) - 1.0 if linking is Linking.GEOMETRIC else math.fsum(parts)


@pytest.mark.parametrize("block", range(5))
def test_parts_sum_to_the_excess_return(block: int) -> None:
    """Against the unit values of the records: returns after costs, fees and flows that the simulation measured."""
    attributed = 0
    for seed in range(40 * block, 40 * block + 40):
        backtest = random_backtest(seed, crowded=seed % 2 == 0)
        model, linking, apart = CHOICES[seed % len(CHOICES)]
        settings = AttributionSettings(model, linking, apart)
        benchmark = BENCHMARKS[seed % 3]
        outcome = outcome_of(backtest, benchmark, labelled(backtest, settings))
        if outcome is None:
            continue
        found = outcome.strategies[0].attribution
        assert found is not None
        if found.undefined:
            lost = [*outcome.strategies, *outcome.benchmarks]
            assert any(one.bankrupt_day is not None or one.performance.figures["final_wealth"] == 0.0 for one in lost)
            continue
        attributed += 1
        expected = _excess(outcome, linking)
        assert found.excess_return == pytest.approx(expected, abs=1e-12)
        for level in range(2):
            assert total(found, level, linking) == pytest.approx(expected, abs=1e-10), (seed, level)
        _check_effects(found, linking)
    assert attributed >= 30


def _excess(outcome: BacktestOutcome, linking: Linking) -> float:
    """From the final wealth of one unit."""
    ends = [one.performance.figures["final_wealth"] for one in (*outcome.strategies, *outcome.benchmarks)]
    ours, theirs = (float(end) for end in (ends[0], ends[1] if len(ends) > 1 else 1.0))  # type: ignore[arg-type]
    return ours / theirs - 1.0 if linking is Linking.GEOMETRIC else ours - theirs


def _check_effects(found: PathAttribution, linking: Linking) -> None:
    """The effects of a group are its contribution; without a benchmark there are none."""
    for level in found.levels:
        for segment in level.segments:
            effects = (segment.allocation, segment.selection, segment.interaction)
            if not found.benchmark or segment.kind not in ("GROUP", "UNLABELLED"):
                assert effects == (None, None, None)
                continue
            known = [effect for effect in effects if effect is not None]
            whole = math.prod(1.0 + effect for effect in known) - 1.0 if linking is Linking.GEOMETRIC else sum(known)
            assert whole == pytest.approx(segment.contribution, abs=1e-12)


def test_costs_by_kind_are_those_of_the_result() -> None:
    """Contributions of each date x its capital are the money that the account counted, kind by kind."""
    checked = 0
    for seed in range(300, 360):
        backtest = random_backtest(seed)
        request = replace(labelled(backtest, AttributionSettings(), daily=True))
        outcome = outcome_of(backtest, None, request)
        if outcome is None or outcome.strategies[0].bankrupt_day is not None:
            continue
        strategy = outcome.strategies[0]
        found, record, costs = strategy.attribution, strategy.record, strategy.costs
        assert found is not None
        assert record is not None
        level = found.levels[0]
        first = float(record.account["first_nav"][0])
        capital = record.nav[:-1].copy()
        flows = record.flow_start[1:] if len(record.flow_start) else np.zeros(len(capital))
        capital[0] *= (first + flows[0]) / first
        capital[1:] += flows[1:]
        money = {s.name: float(level.daily[:, k] @ capital) for k, s in enumerate(level.segments)}
        start = (record.nav[0] - first) * flows[0] / first  # of the costs at the start, as if flows had paid their part
        traded = costs.commission + costs.spread + costs.impact + costs.fixed
        scale = 1e-9 * float(record.nav.max())
        assert money["costs"] == pytest.approx(-traded - start, abs=scale)
        assert money["fees"] == pytest.approx(-costs.management_fee - costs.performance_fee, abs=scale)
        assert money["financing"] == pytest.approx(-costs.financing - costs.borrow, abs=scale)
        assert money["cash"] == pytest.approx(float(record.account["interest"][0]), abs=scale)
        assert money.get("withholding", 0.0) == pytest.approx(-costs.withholding, abs=scale)
        checked += 1
    assert checked > 40


def test_each_asset_is_a_group_without_kinds() -> None:
    for seed in range(20):
        backtest = random_backtest(seed)
        outcome = outcome_of(backtest, EqualWeightStrategy("even"), AttributionRequest())
        if outcome is None or outcome.strategies[0].attribution is None or outcome.strategies[0].attribution.undefined:
            continue
        found = outcome.strategies[0].attribution
        names = [segment.name for segment in found.levels[0].segments]
        assert names[: len(backtest.panel.symbols)] == list(SYMBOLS[: len(backtest.panel.symbols)])
        assert total(found, 0, Linking.CARINO) == pytest.approx(_excess(outcome, Linking.CARINO), abs=1e-10)


def test_a_fraction_of_a_split_on_the_date_of_a_delisting() -> None:
    """5 units become 7 and a half; the half is lost at the mark of 0 that follows, and 7 are paid 8 each."""
    dates = np.arange(20_000, 20_004, dtype=np.int32)
    panel = PricePanel.of(["A", "B"], dates, [[10.0, 1.0], [10.0, 1.0], [8.0, 1.0], [np.nan, 1.0]])
    actions = (CorporateAction("A", 20_002, Split(1.5)), CorporateAction("A", 20_002, Delisting(0.0)))
    specification = BacktestSpecification(
        (FixedWeights({}),),
        initial_capital=0.0,
        initial_holdings={"A": 5.0, "B": 50.0},
        rebalancing=Rebalancing(BuyAndHold(), flows_only=True),
        fractional_holdings=False,
        corporate_actions=actions,
        price_basis=PriceBasis.UNADJUSTED,
        delisting_policy=DelistingPolicy.LAST_PRICE,
        periods_per_year=252.0,
        attribution=AttributionRequest(AttributionSettings(linking=Linking.GRAP)),
    )
    outcome = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0]
    assert outcome.attribution is not None
    parts = {segment.name: segment.contribution for segment in outcome.attribution.levels[0].segments}
    assert outcome.final_nav == pytest.approx(50.0 + 7.0 * 8.0)
    assert parts["trading"] == pytest.approx(-0.5 * 8.0 / 100.0, abs=1e-15)
    assert parts["A"] == pytest.approx((7.5 * 8.0 - 50.0) / 100.0, abs=1e-15)
    assert math.fsum(parts.values()) == pytest.approx(0.06, abs=1e-15)
