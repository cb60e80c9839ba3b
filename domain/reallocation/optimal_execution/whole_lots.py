"""A schedule in whole lots: exact quantities that sum to what is to be traded."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO, ceiling, exact, exact_arithmetic, quotient
from domain.records import dataclass

_UNLIMITED = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class LotSchedule:
    """One asset; exact units, without sign but for a hedge."""

    trades: tuple[Decimal, ...]  # of each period; whole lots, and an odd lot with the last of them
    remainder: Decimal  # what the limits leave untraded

    @property
    def remaining(self) -> tuple[Decimal, ...]:
        """Units that are left before the first period and after each."""
        with exact_arithmetic():
            left = [self.remainder + sum(self.trades, ZERO)]
            for units in self.trades:
                left.append(left[-1] - units)
        return tuple(left)


def in_whole_lots(
    remaining: Sequence[float], units: Decimal, lot: Decimal, largest_trades: Sequence[Decimal] | None = None
) -> LotSchedule:
    """The whole lots nearest to a trajectory of one asset (T + 1,), whose last entry is its remainder.

    `units` are traded in full where the limits, cut to whole lots, allow it. Units that are no multiple of the lot end
    in an odd one, which goes last. Raises InvalidInput for a lot, units or trajectory that are not of one sign.
    """
    if lot <= ZERO:
        raise InvalidInput("lot", f"must be above 0, is {lot:g}")
    if units < ZERO or min(remaining, default=0.0) < 0.0:
        raise InvalidInput("units", "must be given without their sign")
    periods = len(remaining) - 1
    with exact_arithmetic():
        total = ceiling(units, lot) if units else 0
        most = [total] * periods
        if largest_trades is not None:
            most = [_lots_within(limit, units, lot, total) for limit in largest_trades]
        counts = _nearest(_lots_left(remaining, units, lot, total), total, most)
        done, traded, trades = 0, ZERO, []
        for count in counts:
            done += count
            now = min(done * lot, units)
            trades.append(now - traded)
            traded = now
        return LotSchedule(tuple(trades), units - traded)


def _lots_within(limit: Decimal, units: Decimal, lot: Decimal, total: int) -> int:
    """Lots within a limit, which may be infinite; all of the units in one period, an odd lot too."""
    return total if limit >= units else int(limit // lot)


def _lots_left(remaining: Sequence[float], units: Decimal, lot: Decimal, total: int) -> list[int]:
    """Nearest number of lots that are left after each period; the odd lot counts as one."""
    beyond = total * lot - units
    last = lot - beyond
    return [_nearest_count(exact(left), beyond, lot) if 2 * exact(left) > last else 0 for left in remaining[1:]]


def _nearest_count(left: Decimal, beyond: Decimal, lot: Decimal) -> int:
    return int(quotient(left + beyond, lot).to_integral_value(ROUND_HALF_EVEN))


def _nearest(wanted: Sequence[int], total: int, most: Sequence[int]) -> list[int]:
    """Lots of each period: what is left comes as close to what is wanted as the limits allow."""
    room_after = [0] * (len(most) + 1)
    for k in reversed(range(len(most))):
        room_after[k] = room_after[k + 1] + most[k]
    remainder = max(total - room_after[0], 0)
    left, counts = total, []
    for k, limit in enumerate(most):
        lowest = max(left - limit, remainder)
        highest = min(left, remainder + room_after[k + 1])
        following = min(max(wanted[k], lowest), highest)
        counts.append(left - following)
        left = following
    return counts


def hedge_in_whole_lots(
    remaining: Sequence[float], units: Decimal, lot: Decimal, largest_trades: Sequence[Decimal] | None = None
) -> LotSchedule:
    """The same for a trajectory that may change its sign, as that of a hedge does; quantities are signed.

    Each holding is the number of lots nearest to the trajectory that the limits, cut to whole lots, can reach, and from
    which they lead back to 0. Units that are no multiple of the lot end in an odd trade.
    """
    if lot <= ZERO:
        raise InvalidInput("lot", f"must be above 0, is {lot:g}")
    periods = len(remaining) - 1
    with exact_arithmetic():
        most = [limit // lot * lot for limit in largest_trades or [_UNLIMITED] * periods]
        room = [ZERO] * (periods + 1)
        for k in reversed(range(periods)):
            room[k] = room[k + 1] + most[k]
        left, trades = units, []
        for k, limit in enumerate(most):
            lowest, highest = max(left - limit, -room[k + 1]), min(left + limit, room[k + 1])
            wanted = quotient(exact(remaining[k + 1]), lot).to_integral_value(ROUND_HALF_EVEN) * lot
            # An odd rest can be out of reach of 0: then as much of it as there is room for.
            nearest = min(max(wanted, lowest), highest) if lowest <= highest else left - limit.copy_sign(left)
            trades.append(left - nearest)
            left = nearest
        return LotSchedule(tuple(trades), left)
