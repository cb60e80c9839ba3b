"""What signals say, each kind in both phases."""

import math

import pytest

from domain.monitoring.messages import figure_and_threshold, message
from domain.monitoring.rows import LEAST_VALUE, Row
from domain.monitoring.signals import EventKind, Phase, Severity, Subject


def row(kind: EventKind, subject: Subject, lower: float, upper: float, target: float | None = None) -> Row:
    return Row(kind, subject, Severity.WARNING, lower, upper, target)


DRIFT = row(EventKind.DRIFT, Subject(group="tech"), 0.25, 0.35, 0.3)
CAP = row(EventKind.LIMIT, Subject("A"), -0.5, 0.5)
FLOOR = row(EventKind.LIMIT, Subject(group="bonds"), 0.2, math.inf)
EQUITY = row(EventKind.LIMIT, Subject(measure="net_asset_value"), LEAST_VALUE, math.inf)
RISK = row(EventKind.LIMIT, Subject(measure="EVAR"), -math.inf, 0.02)
MARK = row(EventKind.DRAWDOWN, Subject(measure="drawdown"), -math.inf, 0.1 - 1e-12)
RATIO = row(EventKind.VOLATILITY, Subject(measure="volatility_ratio"), -math.inf, 1.5)
STALE = row(EventKind.PRICE_STALE, Subject("A"), -math.inf, 5.0)
JUMP = row(EventKind.PRICE_JUMP, Subject("A"), -0.15, 0.15)
DAYS = row(EventKind.LIQUIDITY, Subject("A", measure="days_to_sell"), -math.inf, 5.0)
SPREAD = row(EventKind.LIQUIDITY, Subject("A", measure="spread_bps"), -math.inf, 50.0)


@pytest.mark.parametrize(
    ("of", "figure", "reported", "raised"),
    [
        (
            DRIFT,
            0.2,
            (-0.1, 0.05),
            "Group tech is 20 % of the portfolio, 10 percentage points below its target of 30 %, and outside its "
            "band of 5.",
        ),
        (CAP, 0.6, (0.6, 0.5), "A is 60 % of the portfolio, above its limit of 50 %."),
        (CAP, -0.6, (-0.6, -0.5), "A is -60 % of the portfolio, below its limit of -50 %."),
        (FLOOR, 0.1, (0.1, 0.2), "Group bonds is 10 % of the portfolio, below its limit of 20 %."),
        (EQUITY, -3.0, (-3.0, 0.0), "The net asset value is -3, not above 0."),
        (RISK, 0.03, (0.03, 0.02), "EVAR is 0.03 per day, above the limit of 0.02."),
        (MARK, 0.125, (0.125, 0.1), "The portfolio is 12.5 % below its peak and has reached its mark of 10 %."),
        (RATIO, 1.75, (1.75, 1.5), "Volatility is 1.75 times its long-run level, above the threshold of 1.5."),
        (STALE, 6.0, (6.0, 5.0), "A has had no new price for 6 days, more than 5."),
        (JUMP, -0.2, (-0.2, -0.15), "The price of A has changed by -20 % since its last date, beyond 15 %."),
        (DAYS, 8.0, (8.0, 5.0), "The position in A takes 8 days to sell, above the limit of 5."),
        (SPREAD, 80.0, (80.0, 50.0), "The spread of A is 80 basis points, above the limit of 50."),
    ],
)
def test_a_signal_says_what_it_found(of: Row, figure: float, reported: tuple[float, float], raised: str) -> None:
    assert figure_and_threshold(of, figure) == pytest.approx(reported)
    assert message(of, figure, Phase.RAISED) == raised


@pytest.mark.parametrize(
    ("of", "figure", "threshold", "cleared"),
    [
        (
            DRIFT,
            0.31,
            0.05,
            "Group tech is 31 % of the portfolio, 1 percentage points above its target of 30 %, and back inside its "
            "band of 5.",
        ),
        (CAP, 0.4, 0.5, "A is 40 % of the portfolio, within its limit of 50 %."),
        (CAP, -0.4, -0.5, "A is -40 % of the portfolio, within its limit of -50 %."),
        (FLOOR, 0.3, 0.2, "Group bonds is 30 % of the portfolio, within its limit of 20 %."),
        (EQUITY, 3.0, 0.0, "The net asset value is 3, above 0 again."),
        (RISK, 0.01, 0.02, "EVAR is 0.01 per day, within the limit of 0.02."),
        (MARK, 0.05, 0.1, "The portfolio is 5 % below its peak and has recovered from its mark of 10 %."),
        (RATIO, 1.1, 1.5, "Volatility is 1.1 times its long-run level, back below the threshold of 1.5."),
        (STALE, 0.0, 5.0, "A has a new price again."),
        (JUMP, 0.1, 0.15, "The price of A has changed by 10 % since its last date, within 15 %."),
        (DAYS, 3.0, 5.0, "The position in A takes 3 days to sell, within the limit of 5."),
        (SPREAD, 30.0, 50.0, "The spread of A is 30 basis points, within the limit of 50."),
    ],
)
def test_a_signal_says_that_it_is_over(of: Row, figure: float, threshold: float, cleared: str) -> None:
    assert figure_and_threshold(of, figure)[1] == pytest.approx(threshold)
    assert message(of, figure, Phase.CLEARED) == cleared
