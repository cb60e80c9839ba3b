"""What signals say, in plain English."""

import datetime as dt
import math

from domain.calendar import EPOCH
from domain.monitoring.rows import DAYS_TO_SELL, NET_ASSET_VALUE, ROUNDING, TRACKING_ERROR, UTILIZATION, Row
from domain.monitoring.signals import EventKind, Phase
from domain.monitoring.watches import AgeingLot


def figure_and_threshold(row: Row, figure: float) -> tuple[float, float]:
    """What a signal reports: for drift the difference to the target and the band, else the figure and its bound.

    For a utilization both as multiples of the target.
    """
    if row.target is not None and row.subject.measure == UTILIZATION:
        bound = abs(row.upper if row.target > 0.0 else row.lower) - ROUNDING
        return figure / row.target, round(bound / abs(row.target), 9)
    if row.target is not None:
        return figure - row.target, _plain(0.5 * (row.upper - row.lower))
    if row.subject.measure == NET_ASSET_VALUE:
        return figure, 0.0
    below = figure < row.lower if math.isfinite(row.upper) else True
    # A figure that is back inside is reported with the bound that is nearer.
    if math.isfinite(row.lower) and math.isfinite(row.upper) and row.lower <= figure <= row.upper:
        below = figure - row.lower < row.upper - figure
    return figure, _plain(row.lower if below else row.upper)


def _plain(bound: float) -> float:
    """A bound without the rounding that it was widened by."""
    return round(bound, 11) if abs(bound) < 1e3 else bound


def message(row: Row, figure: float, phase: Phase) -> str:
    """One sentence."""
    value, threshold = figure_and_threshold(row, figure)
    back = phase is Phase.CLEARED
    match row.kind:
        case EventKind.DRIFT if row.subject.measure == UTILIZATION:
            state = "within" if back else "above"
            times = f"{value:.4g} times its target of {_percent(row.target or 0.0)}"
            return f"The weight of {_subject(row)} is {times}, {state} the limit of {threshold:g}."
        case EventKind.DRIFT if row.subject.measure == TRACKING_ERROR:
            state = "within" if back else "above"
            limit = f"{state} the limit of {_percent(threshold)}"
            return f"The tracking error to the target is {_percent(value)} a year, {limit}."
        case EventKind.DRIFT:
            return _drift(row, figure, value, threshold, back)
        case EventKind.DRAWDOWN:
            state = "has recovered from" if back else "has reached"
            return f"The portfolio is {_percent(value)} below its peak and {state} its mark of {_percent(threshold)}."
        case EventKind.VOLATILITY:
            state = "back below" if back else "above"
            return f"Volatility is {value:.3g} times its long-run level, {state} the threshold of {threshold:g}."
        case EventKind.PRICE_STALE | EventKind.PRICE_JUMP:
            return _price(row, value, threshold, back)
        case EventKind.LIQUIDITY:
            return _liquidity(row, value, threshold, back)
    return _limit(row, value, threshold, back)


def _drift(row: Row, weight: float, value: float, threshold: float, back: bool) -> str:
    side = "above" if value >= 0.0 else "below"
    off = f"{_points(value)} percentage points {side} its target of {_percent(row.target or 0.0)}"
    where = "back inside" if back else "outside"
    return (
        f"{_subject(row)} is {_percent(weight)} of the portfolio, {off}, and {where} its band of {_points(threshold)}."
    )


def _price(row: Row, value: float, threshold: float, back: bool) -> str:
    if row.kind is EventKind.PRICE_JUMP:
        moved = f"has changed by {_percent(value)} since its last date"
        return f"The price of {_subject(row)} {moved}, {'within' if back else 'beyond'} {_percent(abs(threshold))}."
    late = f"has had no new price for {value:g} days, more than {threshold:g}"
    return f"{_subject(row)} {'has a new price again' if back else late}."


def _subject(row: Row) -> str:
    subject = row.subject
    return subject.symbol or (f"Group {subject.group}" if subject.group else "The portfolio")


def _points(fraction: float) -> str:
    return f"{abs(100.0 * fraction):.4g}"


def _percent(fraction: float) -> str:
    return f"{100.0 * fraction:.4g} %"


def _liquidity(row: Row, value: float, threshold: float, back: bool) -> str:
    limit = f"{'within' if back else 'above'} the limit of {threshold:g}"
    if row.subject.measure == DAYS_TO_SELL:
        return f"The position in {_subject(row)} takes {value:.3g} days to sell, {limit}."
    return f"The spread of {_subject(row)} is {value:.4g} basis points, {limit}."


def _limit(row: Row, value: float, threshold: float, back: bool) -> str:
    measure = row.subject.measure
    if measure == NET_ASSET_VALUE:
        return f"The net asset value is {value:g}, {'above 0 again' if back else 'not above 0'}."
    if measure:
        return f"{measure} is {value:.4g} per day, {'within' if back else 'above'} the limit of {threshold:g}."
    side = "within" if back else "above" if value > threshold else "below"
    return f"{_subject(row)} is {_percent(value)} of the portfolio, {side} its limit of {_percent(threshold)}."


def review_message(day: int) -> str:
    """A mandate is due."""
    return f"The mandate was to be reviewed on {_date(day)}."


def lot_message(lot: AgeingLot) -> str:
    """A lot is long-term."""
    return f"Lot {lot.lot_id} of {lot.quantity:g} units of {lot.symbol} is long-term since {_date(lot.day)}."


def _date(day: int) -> str:
    return (EPOCH + dt.timedelta(days=day)).isoformat()
