"""The rows of one portfolio: every figure that its mandate has watched, with its bounds."""

import math
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from domain.monitoring.rules import AlarmRule, MonitoredMandate, PriceRules
from domain.monitoring.signals import EventKind, Severity, Subject
from domain.records import dataclass

ROUNDING = 1e-12
"""A weight that is less than this outside its bounds is inside but for rounding."""

LEAST_TARGET: Final = 1e-9
"""A target next to 0 has no utilization: it is held or not."""

LEAST_VALUE: Final = math.nextafter(0.0, 1.0)
"""A net asset value below this is 0 or less."""

NET_ASSET_VALUE = "net_asset_value"
DRAWDOWN = "drawdown"
VOLATILITY_RATIO = "volatility_ratio"
DAYS_TO_SELL = "days_to_sell"
SPREAD = "spread_bps"
UTILIZATION = "utilization"
TRACKING_ERROR = "tracking_error_annual"


class Family(StrEnum):
    """Rows that are measured together."""

    DRIFT = "DRIFT"  # weights against their target
    WEIGHT_LIMITS = "WEIGHT_LIMITS"  # weights against their limits
    EQUITY = "EQUITY"  # net asset value
    DRAWDOWNS = "DRAWDOWNS"
    RISKS = "RISKS"  # measures of risk
    VOLATILITY = "VOLATILITY"
    TRACKING = "TRACKING"  # tracking error to the target
    SALE_DAYS = "SALE_DAYS"  # one row for each position, as in those that follow
    SPREADS = "SPREADS"
    MOVES = "MOVES"  # of prices
    AGES = "AGES"  # of prices


OF_WEIGHTS = (Family.DRIFT, Family.WEIGHT_LIMITS)
OF_POSITIONS = (Family.SALE_DAYS, Family.SPREADS, Family.MOVES, Family.AGES)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure and its bounds."""

    kind: EventKind
    subject: Subject
    severity: Severity
    lower: float
    upper: float
    target: float | None = None  # the weight that drift is measured from
    width: float | None = None  # from a figure without fault to its bound, where bounds do not say it

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper."""
        return self.lower, self.upper


@dataclass(frozen=True, slots=True)
class PortfolioRows:
    """The rows of each family; those of positions are made when they are needed."""

    symbols: tuple[str, ...]  # of the positions, in order
    named: Mapping[Family, tuple[Row, ...]]
    members: Mapping[Family, tuple[tuple[int, ...], ...]]  # positions whose weights each row of a family sums
    rules: Mapping[Family, AlarmRule]
    limits: Mapping[Family, float]  # upper bound of every position, infinite where nothing is watched

    def row(self, family: Family, place: int) -> Row:
        """One row."""
        if family not in OF_POSITIONS:
            return self.named[family][place]
        kind, measure = _OF_POSITION[family]
        limit = self.limits[family]
        lower = -limit if family is Family.MOVES else -math.inf
        return Row(kind, Subject(self.symbols[place], measure=measure), Severity.WARNING, lower, limit)

    def bounds(self, family: Family) -> list[tuple[float, float]]:
        """Of all rows of a family."""
        if family not in OF_POSITIONS:
            return [row.bounds for row in self.named[family]]
        limit = self.limits[family]
        return [(-limit if family is Family.MOVES else -math.inf, limit)] * len(self.symbols)

    def widths(self, family: Family) -> list[float | None]:
        """Of all rows of a family."""
        return [row.width for row in self.named[family]] if family not in OF_POSITIONS else [None] * len(self.symbols)

    def identities(self, family: Family) -> Sequence[Hashable]:
        """What tells that a row of a later mandate asks the same."""
        if family not in OF_POSITIONS:
            return self.named[family]
        return [(symbol, self.limits[family]) for symbol in self.symbols]


_OF_POSITION = {
    Family.SALE_DAYS: (EventKind.LIQUIDITY, DAYS_TO_SELL),
    Family.SPREADS: (EventKind.LIQUIDITY, SPREAD),
    Family.MOVES: (EventKind.PRICE_JUMP, ""),
    Family.AGES: (EventKind.PRICE_STALE, ""),
}


def portfolio_rows(symbols: tuple[str, ...], mandate: MonitoredMandate) -> PortfolioRows:
    """The rows of a portfolio that holds or wants some symbols, in order."""
    place = {symbol: i for i, symbol in enumerate(symbols)}
    drift, drift_members = _drift(place, mandate)
    limits, limit_members = _weight_limits(place, mandate)
    return PortfolioRows(
        symbols,
        {
            Family.DRIFT: drift,
            Family.WEIGHT_LIMITS: limits,
            Family.EQUITY: (_EQUITY,),
            Family.DRAWDOWNS: _drawdowns(mandate),
            Family.RISKS: _risks(mandate),
            Family.VOLATILITY: _volatility(mandate),
            Family.TRACKING: _tracking(mandate),
        },
        {Family.DRIFT: drift_members, Family.WEIGHT_LIMITS: limit_members},
        _rules(mandate),
        _position_limits(mandate),
    )


_EQUITY = Row(EventKind.LIMIT, Subject(measure=NET_ASSET_VALUE), Severity.CRITICAL, LEAST_VALUE, math.inf)

_Rows = tuple[tuple[Row, ...], tuple[tuple[int, ...], ...]]
"""Rows, and the positions of each."""


def _drift(place: Mapping[str, int], mandate: MonitoredMandate) -> _Rows:
    """Bands around targets; none without a target."""
    rules, target = mandate.rules.drift, mandate.target
    if rules is None or target is None:
        return (), ()
    found: list[tuple[Row, tuple[int, ...]]] = []
    for symbol, i in place.items():
        weight = target.get(symbol, 0.0)
        width = rules.by_symbol.get(symbol, rules.band).half_width(weight)
        found.append((_band(Subject(symbol), weight, width), (i,)))
        if rules.max_utilization is not None and abs(weight) > LEAST_TARGET:
            found.append((_utilization(symbol, weight, rules.max_utilization), (i,)))
    for group, band in sorted(rules.by_group.items()):
        members = mandate.groups[group]
        weight = math.fsum(target.get(symbol, 0.0) for symbol in members)
        found.append((_band(Subject(group=group), weight, band.half_width(weight)), _places(place, members)))
    return _unzipped(found)


def _band(subject: Subject, target: float, width: float) -> Row:
    lower, upper = target - width - ROUNDING, target + width + ROUNDING
    return Row(EventKind.DRIFT, subject, Severity.WARNING, lower, upper, target)


def _utilization(symbol: str, target: float, most: float) -> Row:
    """The weight may be so many times its target, on its side; it is over where that is near the target again."""
    bounds = (-math.inf, most * target + ROUNDING) if target > 0.0 else (most * target - ROUNDING, math.inf)
    width = (most - 1.0) * abs(target) if most > 1.0 else None
    return Row(EventKind.DRIFT, Subject(symbol, measure=UTILIZATION), Severity.WARNING, *bounds, target, width)


def _tracking(mandate: MonitoredMandate) -> tuple[Row, ...]:
    rules = mandate.rules.drift
    if rules is None or mandate.target is None or rules.max_tracking_error_annual is None:
        return ()
    most = rules.max_tracking_error_annual + ROUNDING
    return (Row(EventKind.DRIFT, Subject(measure=TRACKING_ERROR), Severity.WARNING, -math.inf, most),)


def _weight_limits(place: Mapping[str, int], mandate: MonitoredMandate) -> _Rows:
    rules = mandate.rules.limits
    found: list[tuple[Row, tuple[int, ...]]] = []
    if (most := rules.max_weight) is not None:
        found.extend((_limit(Subject(symbol), -most, most), (i,)) for symbol, i in place.items())
    for group, limits in sorted(rules.by_group.items()):
        lower = -math.inf if limits.lower is None else limits.lower
        upper = math.inf if limits.upper is None else limits.upper
        found.append((_limit(Subject(group=group), lower, upper), _places(place, mandate.groups[group])))
    return _unzipped(found)


def _limit(subject: Subject, lower: float, upper: float) -> Row:
    return Row(EventKind.LIMIT, subject, Severity.WARNING, lower - ROUNDING, upper + ROUNDING)


def _places(place: Mapping[str, int], members: Sequence[str]) -> tuple[int, ...]:
    """Positions of a group in their own order, so that the sum does not depend on the order of its members."""
    return tuple(sorted(place[symbol] for symbol in members if symbol in place))


def _unzipped(found: Sequence[tuple[Row, tuple[int, ...]]]) -> _Rows:
    return tuple(row for row, _ in found), tuple(members for _, members in found)


def _drawdowns(mandate: MonitoredMandate) -> tuple[Row, ...]:
    rules = mandate.rules.drawdown
    marks = () if rules is None else sorted(rules.marks, key=lambda mark: mark.depth)
    subject = Subject(measure=DRAWDOWN)
    # A loss of just the depth is a signal.
    return tuple(Row(EventKind.DRAWDOWN, subject, mark.severity, -math.inf, mark.depth - ROUNDING) for mark in marks)


def _risks(mandate: MonitoredMandate) -> tuple[Row, ...]:
    return tuple(
        Row(EventKind.LIMIT, Subject(measure=limit.measure), Severity.WARNING, -math.inf, limit.maximum)
        for limit in mandate.rules.limits.risk
    )


def _volatility(mandate: MonitoredMandate) -> tuple[Row, ...]:
    rules = mandate.rules.volatility
    if rules is None:
        return ()
    levels = ((rules.elevated, Severity.WARNING), (rules.high, Severity.CRITICAL))
    subject = Subject(measure=VOLATILITY_RATIO)
    return tuple(Row(EventKind.VOLATILITY, subject, severity, -math.inf, level) for level, severity in levels)


_OFF = AlarmRule()


def _rules(mandate: MonitoredMandate) -> dict[Family, AlarmRule]:
    rules = mandate.rules
    liquidity, prices = rules.liquidity, rules.prices or PriceRules()
    sale = _OFF if liquidity is None else liquidity.alarm
    return {
        Family.DRIFT: _OFF if rules.drift is None else rules.drift.alarm,
        Family.WEIGHT_LIMITS: rules.limits.alarm,
        Family.EQUITY: rules.limits.alarm,
        Family.DRAWDOWNS: _OFF if rules.drawdown is None else rules.drawdown.alarm,
        Family.RISKS: rules.limits.alarm,
        Family.VOLATILITY: _OFF if rules.volatility is None else rules.volatility.alarm,
        Family.TRACKING: _OFF if rules.drift is None else rules.drift.alarm,
        Family.SALE_DAYS: sale,
        Family.SPREADS: sale,
        Family.MOVES: prices.jump_alarm,
        Family.AGES: prices.stale_alarm,
    }


def _position_limits(mandate: MonitoredMandate) -> dict[Family, float]:
    liquidity, prices = mandate.rules.liquidity, mandate.rules.prices
    limits = {
        Family.SALE_DAYS: None if liquidity is None else liquidity.max_days,
        Family.SPREADS: None if liquidity is None else liquidity.max_spread_bps,
        Family.MOVES: None if prices is None else prices.max_move,
        Family.AGES: None if prices is None else prices.max_age_days,
    }
    return {family: math.inf if limit is None else limit for family, limit in limits.items()}
