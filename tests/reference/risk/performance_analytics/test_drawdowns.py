"""Drawdowns of PerformanceAnalytics: table.Drawdowns, findDrawdowns, maxDrawdown, AverageDrawdown.

PA dates a drawdown from the first date below the peak, ours has the peak's own date, the one before. Its lengths count
from there to the recovery with both ends, which is ours from the peak to the recovery. The length of a drawdown that is
still open is one too long in PA: it ends one row after the last.
"""

from datetime import date

import numpy as np
import pytest

from domain.market_data.panel import ReturnPanel, civil_date
from domain.risk.report import DatedDrawdown
from tests.reference.risk.performance_analytics.printed import shown
from tests.reference.risk.performance_analytics.series import MANAGERS, number, report, series

TABLES = {
    "Convertible Arbitrage": """
        2007-11-30 2008-11-30 NA         -0.2927 23 13 NA
        2004-05-31 2005-05-31 2006-02-28 -0.0822 22 13  9
        1998-08-31 1998-10-31 1999-03-31 -0.0712  8  3  5
        2003-06-30 2003-08-31 2003-10-31 -0.0215  5  3  2
        2007-07-31 2007-08-31 2007-10-31 -0.0197  4  2  2
    """,
    "Short Selling": """
        1998-09-30 2000-08-31 2002-09-30 -0.4956 49 24 25
        2002-10-31 2007-05-31 2009-02-28 -0.3630 77 56 21
        2009-03-31 2009-08-31 NA         -0.1972  7  6 NA
        1997-04-30 1997-09-30 1998-03-31 -0.1502 12  6  6
        1997-01-31 1997-01-31 1997-02-28 -0.0166  2  1  1
    """,
    "SP500 TR": """
        2000-09-30 2002-09-30 2006-10-31 -0.4473 74 25 49
        1998-07-31 1998-08-31 1998-11-30 -0.1537  5  2  3
        2000-01-31 2000-02-29 2000-03-31 -0.0682  3  2  1
        1999-07-31 1999-09-30 1999-11-30 -0.0624  5  3  2
        1997-08-31 1997-08-31 1997-11-30 -0.0560  4  1  3
    """,
    "HAM1": """
        2002-02-28 2003-02-28 2003-07-31 -0.1518 18 13  5
        1998-05-31 1998-08-31 1999-03-31 -0.1239 11  4  7
        2005-03-31 2005-04-30 2005-09-30 -0.0412  7  2  5
        2001-09-30 2001-09-30 2001-11-30 -0.0312  3  1  2
        1996-04-30 1996-07-31 1996-08-31 -0.0284  5  4  1
    """,
}
"""From, Trough, To, Depth, Length, To Trough, Recovery; NA in an open one."""

FOUND = """
      3   3   5 -0.00770000  3  1  2
     10  11  14 -0.01326634  5  2  3
     17  22  27 -0.07069135 11  6  5
     40  41  44 -0.03877182  5  2  3
     45  47  54 -0.03737506 10  3  7
     55  57  60 -0.01627767  6  3  3
     62  62  63 -0.00150000  2  1  1
     66  70  74 -0.02601701  9  5  4
     75  75  76 -0.00040000  2  1  1
     88  92  95 -0.01742180  8  5  3
     99 100 103 -0.01843796  5  2  3
    106 106 107 -0.01490000  2  1  1
    113 115 118 -0.01655473  6  3  3
    128 128 130 -0.02220000  3  1  2
    131 144 153 -0.20591447 23 14  9
"""

MAXIMUM = dict(
    zip(
        MANAGERS,
        ["0.1518", "0.2399", "0.2894", "0.2874", "0.3405", "0.0788", "0.1075", "0.4473", "0.1006", "0.0000"],
        strict=True,
    )
)


def _first_below(fall: DatedDrawdown, panel: ReturnPanel) -> date:
    """PA's From: the date after the peak, the first of all where the peak is the starting capital."""
    dates = [civil_date(day) for day in panel.dates]
    return dates[0 if fall.peak is None else dates.index(fall.peak) + 1]


def _length(fall: DatedDrawdown) -> int:
    """PA's Length, with the row that an open drawdown does not have."""
    return fall.periods + (fall.recovery is None)


@pytest.mark.parametrize("symbol", TABLES)
def test_the_five_worst(symbol: str) -> None:
    """table.Drawdowns(edhec[,1]), (edhec[,12]), (managers[,8]) of A; of HAM1 of C."""
    panel = series(symbol)
    lines = [line.split() for line in TABLES[symbol].strip().splitlines()]
    worst = report(panel, worst_drawdowns=5).drawdowns.worst
    for fall, (start, trough, end, depth, length, to_trough, recovery) in zip(worst, lines, strict=True):
        assert str(_first_below(fall, panel)) == start
        assert str(fall.trough) == trough
        assert str(fall.recovery or "NA") == end
        assert -fall.depth == shown(depth)
        assert _length(fall) == int(length)
        assert fall.periods_to_trough == int(to_trough)
        assert str(fall.periods_to_recovery or "NA") == recovery


def test_every_fall_by_row() -> None:
    """findDrawdowns(edhec[,"Funds of Funds"]) of A: from, trough, to, return, length, peaktotrough, recovery.

    PA lists the spells without a drawdown too, with a return of 0; they are left out. Rows count from 1, and the last
    drawdown, which is open, ends in a row 153 that is not there.
    """
    panel = series("Funds of Funds")
    row = {civil_date(day): i for i, day in enumerate(panel.dates, start=1)}
    lines = [line.split() for line in FOUND.strip().splitlines()]
    falls = sorted(report(panel, worst_drawdowns=100).drawdowns.worst, key=lambda fall: fall.trough)
    for fall, (start, trough, end, depth, length, to_trough, recovery) in zip(falls, lines, strict=True):
        last = len(panel.dates) + 1 if fall.recovery is None else row[fall.recovery]
        assert [row[_first_below(fall, panel)], row[fall.trough], last] == [int(start), int(trough), int(end)]
        assert -fall.depth == shown(depth)
        assert [_length(fall), fall.periods_to_trough] == [int(length), int(to_trough)]
        assert last - row[fall.trough] == int(recovery)


def test_average_of_every_fall() -> None:
    """AverageDrawdown is the mean of what findDrawdowns lists below 0; A prints the list, not the mean."""
    depths = [float(line.split()[3]) for line in FOUND.strip().splitlines()]
    average = number(report(series("Funds of Funds")).drawdowns.average_drawdown)
    assert average == pytest.approx(-float(np.mean(depths)), rel=0, abs=0.5e-8)


@pytest.mark.parametrize("symbol", MANAGERS)
def test_maximum(symbol: str) -> None:
    """t(round(maxDrawdown(managers),4)) of A and B; US 3m TR never fell."""
    assert number(report(series(symbol)).drawdowns.max_drawdown) == shown(MAXIMUM[symbol])
