"""Which bars and quotes of a batch are not looked at further, whatever is stored."""

from collections.abc import Sequence

from server.ports.changes import Quote
from server.ports.published import Bar, Rejection

MICROS_PER_DAY = 86_400_000_000

CLOCK_MICROS = 60_000_000
"""How far the clock of whoever sends a quote may be ahead of ours."""


def refused_bars(bars: Sequence[Bar], now: int) -> dict[int, Rejection]:
    """Places of bars of a date that has not come in UTC, and of all but the last of the highest revision of a date.

    `now` is in microseconds since 1970-01-01.
    """
    today = now // MICROS_PER_DAY
    found = {place: Rejection.FUTURE_BAR for place, bar in enumerate(bars) if bar.day > today}
    best: dict[tuple[str, int], int] = {}
    for place, bar in enumerate(bars):
        if place in found:
            continue
        key = (bar.symbol, bar.day)
        other = best.get(key)
        if other is not None:
            worse = other if bar.revision >= bars[other].revision else place
            found[worse] = Rejection.DUPLICATE_IN_BATCH
        if place not in found:
            best[key] = place
    return found


def refused_quotes(quotes: Sequence[Quote], now: int) -> dict[int, Rejection]:
    """Places of quotes of a time that has not come, and of all but the last of the newest of a symbol."""
    found = {place: Rejection.FUTURE_QUOTE for place, quote in enumerate(quotes) if quote.time > now + CLOCK_MICROS}
    best: dict[str, int] = {}
    for place, quote in enumerate(quotes):
        if place in found:
            continue
        other = best.get(quote.symbol)
        if other is not None:
            worse = other if quote.time >= quotes[other].time else place
            found[worse] = Rejection.DUPLICATE_IN_BATCH
        if place not in found:
            best[quote.symbol] = place
    return found
