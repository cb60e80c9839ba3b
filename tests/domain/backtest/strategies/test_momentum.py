"""Momentum: which assets win, over which periods, against a sort written for these tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest.strategies import MarketHistory, Momentum
from domain.cancellation import never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import InvalidInput

NAN = float("nan")


def decided(strategy: Momentum, prices: Matrix) -> Vector:
    dates, count = prices.shape
    symbols = tuple(f"S{j}" for j in range(count))
    history = MarketHistory(symbols, np.arange(dates, dtype=np.int32), prices, np.zeros(count), 252.0)
    return strategy.decide(history, never_cancelled)


@given(st.integers(1, 5), st.integers(0, 4), st.integers(1, 8), st.integers(0, 10_000))
def test_the_highest_returns_of_the_periods_before_those_skipped(
    lookback: int, skip: int, top_n: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    prices = generator.uniform(1.0, 2.0, (lookback + skip + 1, 8))
    strategy = Momentum(lookback, top_n, skip)
    past = prices[lookback] / prices[0]
    winners = sorted(range(8), key=lambda j: (-past[j], j))[:top_n]
    expected = [1.0 / top_n if j in winners else 0.0 for j in range(8)]
    assert decided(strategy, prices).tolist() == expected
    assert strategy.lookback_window.fewest_dates == strategy.lookback_window.most_dates == len(prices)


def test_equal_returns_are_taken_in_the_order_of_the_symbols() -> None:
    prices = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 9.0]])
    assert decided(Momentum(1, 3), prices).tolist() == pytest.approx([1 / 3, 1 / 3, 0.0, 1 / 3])


def test_ties_among_many() -> None:
    """Two levels of return in turn, of more assets than a sort leaves in place by itself."""
    prices = np.vstack([np.ones(200), np.where(np.arange(200) % 2, 1.5, 1.0)])
    found = np.flatnonzero(decided(Momentum(1, 120), prices))
    assert found.tolist() == sorted([*range(1, 200, 2), *range(0, 40, 2)])


def test_an_asset_without_all_prices_or_without_a_last_one_is_not_held() -> None:
    """A has no first price and D has lost everything; B and C are all there is, although three are wanted."""
    prices = np.array([[NAN, 1.0, 2.0, 1.0], [1.0, 1.0, 1.0, 2.0], [9.0, 1.0, 1.0, 0.0]])
    assert decided(Momentum(2, 3), prices).tolist() == [0.0, 0.5, 0.5, 0.0]


def test_a_return_beyond_numbers_wins() -> None:
    prices = np.array([[1e-300, 1.0, 1.0], [1e300, 9.0, 2.0]])
    assert decided(Momentum(1, 2), prices).tolist() == [0.5, 0.5, 0.0]


def test_nothing_eligible_is_cash() -> None:
    assert decided(Momentum(1, 2), np.array([[NAN, NAN], [1.0, 1.0]])).tolist() == [0.0, 0.0]


def test_a_missing_price_in_the_skipped_periods_counts_too() -> None:
    prices = np.array([[1.0, 1.0], [5.0, 2.0], [NAN, 2.0], [5.0, 2.0]])
    assert decided(Momentum(1, 1, 2), prices).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("lookback", "top_n", "skip", "field"), [
    (0, 1, 0, "lookback_periods"), (1, 0, 0, "top_n"), (1, 1, -1, "skip_periods"),
])  # fmt: skip
def test_numbers_out_of_range(lookback: int, top_n: int, skip: int, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Momentum(lookback, top_n, skip)
    assert raised.value.field == field
