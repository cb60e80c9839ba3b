"""The compiled simulation against a second one in plain Python, on random backtests with everything switched on."""

from dataclasses import asdict
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.simulation.day import simulate
from domain.errors import InvalidInput
from tests.domain.backtest.simulation.random_cases import (
    RandomBacktest,
    crowded_backtest,
    random_backtest,
    with_calendar,
    with_tranches,
    with_universe,
)
from tests.domain.backtest.simulation.reference import Reference
from tests.families import blocks


def compare(seed: int) -> None:
    compare_with_reference(with_calendar(random_backtest(seed)))


def compare_with_reference(backtest: RandomBacktest) -> None:
    reference = Reference(backtest.case)
    reference.run()
    try:
        outcome = backtest.outcome()
    except InvalidInput as error:
        assert "leave" in error.rule  # noqa: PT017  # a withdrawal of everything is refused
        return
    record = outcome.record
    assert record is not None
    assert record.nav == pytest.approx(np.array(reference.navs), rel=1e-9, abs=1e-6)
    first_borrowed = int(record.account["first_borrowed"][-1])
    before = len(backtest.panel.dates) - len(reference.navs)
    assert (None if first_borrowed < 0 else first_borrowed - before) == reference.first_borrowed
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.uncovered_loss == pytest.approx(reference.uncovered, rel=1e-9, abs=1e-6)
    paid = {kind: reference.paid[kind] for kind in asdict(outcome.costs)}
    assert asdict(outcome.costs) == pytest.approx(paid, rel=1e-8, abs=1e-6)
    assert outcome.reconciliation.flows == pytest.approx(reference.paid["flows"], rel=1e-9, abs=1e-6)
    expected = np.array(reference.unit_values) * record.nav[0]
    # The first one is before the cost of a purchase on that date, which is part of the first return.
    assert record.unit_values[1:] == pytest.approx(expected[1:], rel=1e-8, abs=1e-6)
    if not record.exhausted:
        assert outcome.final_units == pytest.approx(np.array(reference.units), rel=1e-8, abs=1e-7)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_net_asset_values_of_every_date(seed: int) -> None:
    compare(seed)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_the_same_with_assets_that_join_and_leave_a_universe(seed: int) -> None:
    compare_with_reference(with_universe(random_backtest(seed), seed))


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_crowded_dates_and_days_without_prices(seed: int) -> None:
    compare_with_reference(crowded_backtest(seed))


@pytest.mark.parametrize("seed", [26413])
def test_a_week_that_ends_after_a_usual_step_of_several_days(seed: int) -> None:
    compare_with_reference(crowded_backtest(seed))


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=100, deadline=None)
def test_tranches_in_one_account(seed: int, in_a_universe: bool) -> None:
    backtest = random_backtest(seed)
    compare_with_reference(with_tranches(with_universe(backtest, seed) if in_a_universe else backtest, seed))


def test_an_account_that_is_worth_less_than_nothing_at_an_open_does_not_trade() -> None:
    compare_with_reference(crowded_backtest(200360))


def test_dividends_that_are_all_paid_leave_no_receivable() -> None:
    """The rounding error of their sum is not money that could not be used yet: it cuts no purchase."""
    compare(23357)


def test_money_of_the_second_morning_bears_no_cost_of_the_first_purchase() -> None:
    """A purchase at the first close and a flow before the next period: returns do not depend on flows."""
    for seed in (1254, 10401, 10619, 10881, 95369):
        compare(seed)


def test_the_first_purchase_and_money_that_comes_right_after_it() -> None:
    """Its cost is in the unit value before the units of the new money are counted."""
    compare(788995)


@pytest.mark.parametrize("block", blocks(0, 4, 20))
def test_many_random_backtests(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        compare(seed)
        compare_with_reference(crowded_backtest(seed))
        compare_with_reference(with_tranches(random_backtest(seed), seed))


def test_the_simulation_is_compiled_once() -> None:
    """Whatever a request holds: a second form would take as long to compile, in the middle of a request."""
    for seed in range(20):
        compare(seed)
    signatures: Any = cast(Any, simulate).signatures
    assert len(signatures) == 1
