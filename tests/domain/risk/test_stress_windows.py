"""Which returns a window consists of, and the worst stretches by trying them all."""

from datetime import date

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.risk.stress_windows import (
    KNOWN_WINDOWS,
    HistoricalWindow,
    days_of,
    known_window,
    stretch_of,
    worst_stretches,
)
from tests.conftest import ROOT


def day(year: int, month: int, number: int) -> int:
    return (date(year, month, number) - date(1970, 1, 1)).days


def test_a_window_runs_from_close_to_close() -> None:
    """Bought on Friday at 100 and held to Wednesday: the weekend's return is in, that of Friday is not."""
    days = [day(2020, 1, d) for d in (2, 3, 6, 7, 8, 9)]
    prices = PricePanel.of("A", days, [50.0, 100.0, 110.0, 99.0, 120.0, 500.0])
    window = HistoricalWindow("", date(2020, 1, 3), date(2020, 1, 8))
    found = stretch_of(window, prices.returns(), days[0])
    assert found is not None
    assert found.asset_returns == pytest.approx([0.2])
    assert days_of(found, prices.returns().dates, days[0]) == (days[1], days[4])


@pytest.mark.parametrize("ends", [(date(2020, 1, 1), date(2020, 1, 8)), (date(2020, 1, 3), date(2020, 1, 10))])
def test_half_a_window_is_none(ends: tuple[date, date]) -> None:
    days = [day(2020, 1, d) for d in (2, 3, 6, 7, 8, 9)]
    panel = ReturnPanel.of("A", days[1:], np.zeros(5))
    assert stretch_of(HistoricalWindow("", *ends), panel, days[0]) is None


def test_monthly_returns_do_not_tell_of_a_month_that_they_cut() -> None:
    """From February 19th to March 23rd of 2020: February's return began too early, March's ends too late."""
    ends = np.arange("2019-12", "2020-08", dtype="datetime64[M]").astype("datetime64[D]").astype(int) - 1
    panel = ReturnPanel.of("A", ends, np.full(8, -0.01))
    assert stretch_of(known_window("covid_2020"), panel, None) is None
    quarter = stretch_of(HistoricalWindow("", date(2020, 2, 1), date(2020, 4, 30)), panel, None)
    assert quarter is not None
    assert (quarter.first, quarter.last) == (3, 5)


def test_a_window_needs_an_end_after_its_start() -> None:
    with pytest.raises(InvalidInput, match="after start_date"):
        HistoricalWindow("", date(2020, 1, 2), date(2020, 1, 2))


def test_names() -> None:
    assert known_window("covid_2020").end == date(2020, 3, 23)
    assert len({window.name for window in KNOWN_WINDOWS}) == len(KNOWN_WINDOWS)
    with pytest.raises(InvalidInput, match="financial_crisis_2007"):
        known_window("great_depression")


INDEX = read_panel(ROOT / "data/sp500_index.csv.gz")


@pytest.mark.parametrize("window", [w for w in KNOWN_WINDOWS if w.start.year >= 1990], ids=lambda w: w.name)
def test_known_windows_run_from_a_high_of_the_index_to_a_low(window: HistoricalWindow) -> None:
    days = INDEX.dates
    inside = (days >= day(*window.start.timetuple()[:3])) & (days <= day(*window.end.timetuple()[:3]))
    closes = INDEX.values[inside, 0]
    assert closes[-1] == closes.min() < 0.95 * closes[0]
    # That of Lehman starts at the last close before its filing, a Monday; the index had fallen for a year.
    assert closes[0] == closes.max() or window.name == "lehman_2008"


@given(st.integers(0, 5000), st.integers(1, 12), st.integers(1, 4))
def test_the_worst_stretches_by_trying_all(seed: int, periods: int, most: int) -> None:
    values = np.random.default_rng(seed).uniform(-0.2, 0.2, (40, 3))
    values[7, 1] = -1.0  # a lost asset stays lost to the end of the stretch
    weights = np.array([0.5, 0.3, 0.0])
    found = worst_stretches(ReturnPanel.of("ABC", range(40), values), weights, periods, most)
    every = [float(weights @ (np.prod(1 + values[i : i + periods], axis=0) - 1)) for i in range(41 - periods)]
    free = [True] * len(every)
    expected = []
    while len(expected) < most:
        losses = [(loss, i) for i, loss in enumerate(every) if free[i] and loss < 0]
        if not losses:
            break
        loss, place = min(losses)
        expected.append(loss)
        for i in range(max(0, place - periods + 1), min(len(every), place + periods)):
            free[i] = False
    assert [float(weights @ stretch.asset_returns) for stretch in found] == pytest.approx(expected, abs=1e-12)


def test_a_stretch_fits_into_the_data() -> None:
    with pytest.raises(InvalidInput, match="between 1 and"):
        worst_stretches(ReturnPanel.of("A", range(3), [0.1, 0.1, 0.1]), np.ones(1), 4, 1)
