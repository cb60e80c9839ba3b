"""Prices of one asset: which observation counts, and what makes dates comparable."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from domain.monitoring.events import ClosingPrice, PriceSeries, QuotedPrice
from domain.monitoring.price_history import PriceHistory
from tests.domain.monitoring.scenes import TODAY, at
from tests.families import generated


def after(*prices: ClosingPrice | QuotedPrice, most: int = 100) -> PriceHistory:
    history = PriceHistory()
    for one in prices:
        history = history.with_bar(one, most) if isinstance(one, ClosingPrice) else history.with_quote(one, most)
    return history


def shown(history: PriceHistory) -> list[tuple[int, float, int]]:
    return list(zip((history.days - TODAY).tolist(), history.prices.tolist(), history.revisions.tolist(), strict=True))


def test_the_highest_revision_of_a_date_counts_in_any_order() -> None:
    versions = [ClosingPrice("A", TODAY, 10.0 + i, i) for i in range(4)]
    for order in permutations(versions):
        assert shown(after(*order)) == [(0, 13.0, 3)]


@generated(100)
@given(st.permutations([(day, revision) for day in range(4) for revision in range(3)]))
def test_bars_in_any_order_are_the_same_history(order: list[tuple[int, int]]) -> None:
    bars = [ClosingPrice("A", TODAY + day, 10.0 * day + revision + 1, revision) for day, revision in order]
    assert shown(after(*bars)) == [(day, 10.0 * day + 3, 2) for day in range(4)]


def test_a_bar_replaces_the_quotes_of_its_date_and_later_quotes_of_it_are_ignored() -> None:
    early, late = QuotedPrice("A", at(TODAY, 1), 5.0), QuotedPrice("A", at(TODAY, 3), 6.0)
    assert shown(after(early)) == [(0, 5.0, -1)]
    assert shown(after(late, early)) == [(0, 6.0, -1)]
    assert shown(after(early, ClosingPrice("A", TODAY, 7.0), late)) == [(0, 7.0, 0)]
    assert shown(after(QuotedPrice("A", at(TODAY + 1), 8.0), late)) == [(1, 8.0, -1)]
    assert shown(after(late, QuotedPrice("A", at(TODAY + 1), 8.0), ClosingPrice("A", TODAY, 7.0))) == [
        (0, 7.0, 0),
        (1, 8.0, -1),
    ]


def test_what_is_known_is_the_same_object() -> None:
    history = after(ClosingPrice("A", TODAY, 5.0, 1), QuotedPrice("A", at(TODAY + 1), 6.0))
    assert history.with_bar(ClosingPrice("A", TODAY, 5.0, 1), 100) is history
    assert history.with_bar(ClosingPrice("A", TODAY, 4.0, 0), 100) is history
    assert history.with_quote(QuotedPrice("A", at(TODAY + 1), 9.0), 100) is history
    with pytest.raises(InvalidInput, match="two prices of revision 1"):
        history.with_bar(ClosingPrice("A", TODAY, 5.5, 1), 100)


def test_only_the_newest_dates_are_kept() -> None:
    bars = [ClosingPrice("A", TODAY + i, 1.0 + i) for i in range(5)]
    kept = after(*bars, most=3)
    assert shown(kept) == [(2, 3.0, 0), (3, 4.0, 0), (4, 5.0, 0)]
    assert kept.with_bar(ClosingPrice("A", TODAY + 1, 9.0), 3) is kept
    old = PriceSeries("A", np.array([TODAY - 2, TODAY], np.int32), np.array([1.0, 2.0]))
    assert kept.with_history(old, 3) is kept


def test_history_fills_dates_without_a_price() -> None:
    series = PriceSeries(
        "A",
        np.array([TODAY - 1, TODAY], np.int64),
        np.array([1.0, 2.0]),
        np.array([4, 5]),  # type: ignore[arg-type]
    )
    history = after(ClosingPrice("A", TODAY, 7.0)).with_history(series, 100)
    assert shown(history) == [(-1, 1.0, 4), (0, 7.0, 0)]
    assert (history.days.dtype, history.revisions.dtype) == (np.int32, np.int64)
    assert history.with_history(series, 100) is history
    stale = ClosingPrice("A", TODAY - 1, 3.0, 3)
    assert history.with_bar(stale, 100) is history


def test_returns_are_total_and_in_the_same_units() -> None:
    """2 x 55 / 100, then (51 + 4) / 55, then 2 x 25.5 / 51."""
    closes = (100.0, 55.0, 51.0, 25.5)
    history = after(*(ClosingPrice("A", TODAY + i, price) for i, price in enumerate(closes)))
    for action in (
        CorporateAction("A", TODAY + 3, Split(2.0)),
        CorporateAction("A", TODAY + 1, Split(2.0)),
        CorporateAction("A", TODAY + 2, CashDividend(4.0)),
        CorporateAction("A", TODAY + 9, Delisting()),
    ):
        history = history.with_action(action)
    returns = history.adjusted[1:] / history.adjusted[:-1] - 1.0
    assert returns.tolist() == pytest.approx([0.1, 0.0, 0.0])
    assert history.move == pytest.approx(0.0)
    assert [history.split_factor(TODAY + i) for i in range(4)] == [1.0, 2.0, 2.0, 4.0]
    assert history.latest_value == 102.0


def test_a_dividend_without_a_price_counts_at_the_next_one_in_the_units_of_its_date() -> None:
    """4 a unit, then two for one, then 48: (48 x 2 + 4) / 100 - 1 is 0."""
    history = after(ClosingPrice("A", TODAY, 100.0), ClosingPrice("A", TODAY + 3, 48.0))
    history = history.with_action(CorporateAction("A", TODAY + 1, CashDividend(4.0)))
    history = history.with_action(CorporateAction("A", TODAY + 2, Split(2.0)))
    assert history.move == pytest.approx(0.0)


def test_an_action_of_the_same_date_is_replaced() -> None:
    history = after(ClosingPrice("A", TODAY, 1.0)).with_action(CorporateAction("A", TODAY, Split(2.0)))
    assert history.with_action(CorporateAction("A", TODAY, Split(2.0))) is history
    assert history.with_action(CorporateAction("A", TODAY, Split(3.0))).splits == ((TODAY, 3.0),)


def test_without_two_dates_there_is_no_move() -> None:
    assert np.isnan(PriceHistory().move)
    assert np.isnan(PriceHistory().latest_value)
    assert np.isnan(after(QuotedPrice("A", at(TODAY), 1.0), QuotedPrice("A", at(TODAY, 1), 9.0)).move)
