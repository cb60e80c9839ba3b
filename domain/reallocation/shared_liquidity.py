"""Limited volume of one asset on one day, shared by several accounts in whole lots.

All rules give no account more than it asks for, leave nothing that a whole lot could use, and do not depend on the
order of the accounts: what is equal otherwise is decided by their keys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.exact import ZERO, exact_arithmetic
from domain.records import dataclass


class SharingRule(StrEnum):
    """Who gets how much."""

    PRO_RATA = "PRO_RATA"  # in proportion to what is asked for; lots by largest remainder
    MAX_MIN = "MAX_MIN"  # the same for everybody, as far as it is asked for; lots to those who have least
    PRIORITY = "PRIORITY"  # the first one all, then the next; in proportion where they are equal


@dataclass(frozen=True, slots=True)
class Ask:
    """What one account asks for; units without sign."""

    units: Decimal
    lot: Decimal = Decimal(1)
    priority: int = 0  # lower comes first
    before: Decimal = field(default=ZERO)  # what it was given on earlier days; by MAX_MIN the sums are made equal


Asks = Mapping[str, Ask]
"""By the key of the account."""


def allocate(asks: Asks, cap: Decimal | None, rule: SharingRule = SharingRule.PRO_RATA) -> dict[str, Decimal]:
    """Units of each account, without sign: whole lots of its own, or all that it asks for. `cap` None is no limit.

    More volume gives no account less, where whole lots are asked for, by MAX_MIN, and by PRIORITY where no two are
    equal. By PRO_RATA it may give an account one lot less, as a largest remainder does (the Alabama paradox, Balinski
    and Young 1982), but never less than the whole lots within its exact share. The sum never falls, but for less than a
    lot where an odd one is asked for.
    """
    with exact_arithmetic():
        if cap is None or sum((ask.units for ask in asks.values()), ZERO) <= cap:
            return {key: ask.units for key, ask in asks.items()}
        if rule is not SharingRule.PRIORITY:
            return _in_rounds(asks, cap, _max_min if rule is SharingRule.MAX_MIN else _pro_rata)
        return _by_priority(asks, cap)


def _in_rounds(asks: Asks, cap: Decimal, rule: Callable[[Asks, Decimal], dict[str, Decimal]]) -> dict[str, Decimal]:
    """By a rule, then what is left by the same rule for those who can use it, as long as anyone can.

    A second round is for those with smaller lots than others.
    """
    given = dict.fromkeys(asks, ZERO)
    while True:
        left = cap - sum(given.values(), ZERO)
        waiting = {key: _rest(ask, given[key]) for key, ask in asks.items() if given[key] < ask.units}
        useful = {key: ask for key, ask in waiting.items() if min(ask.lot, ask.units) <= left}
        if not useful:
            return given
        for key, units in rule(useful, left).items():
            given[key] += units


def _rest(ask: Ask, given: Decimal) -> Ask:
    return replace(ask, units=ask.units - given, before=ask.before + given)


def _pro_rata(asks: Asks, cap: Decimal) -> dict[str, Decimal]:
    """Largest remainder (Hamilton): the lots below the exact shares, then one more each in order of what is cut off.

    What is cut off is measured in lots of the account.
    """
    total = sum((ask.units for ask in asks.values()), ZERO)
    if total <= cap:
        return {key: ask.units for key, ask in asks.items()}
    # cap x asked / (total x lot) is the share in lots; as a division with remainder it is exact.
    shares = {key: divmod(cap * ask.units, total * ask.lot) for key, ask in asks.items()}
    given = {key: whole * asks[key].lot for key, (whole, _) in shares.items()}
    cut_off = {key: Fraction(rest) / Fraction(asks[key].lot) for key, (_, rest) in shares.items()}
    return _one_more(given, asks, sorted(asks, key=lambda key: (-cut_off[key], key)), cap)


def _max_min(asks: Asks, cap: Decimal) -> dict[str, Decimal]:
    """Water filling: everybody is raised to the highest level that the volume allows, or has all that is asked for."""
    step = min(ask.lot for ask in asks.values())
    low, high = ZERO, max(ask.before + ask.units for ask in asks.values()) // step + 1
    while high - low > 1:  # the level `low` is affordable; `high` is not, or gives everybody all
        middle = (low + high) // 2
        raised = sum((_raise(ask, middle * step) for ask in asks.values()), ZERO)
        low, high = (middle, high) if raised <= cap else (low, middle)
    given = {key: _raise(ask, low * step) for key, ask in asks.items()}
    return _one_more(given, asks, sorted(asks, key=lambda key: (asks[key].before + given[key], key)), cap)


def _raise(ask: Ask, level: Decimal) -> Decimal:
    """Units that raise an account to a level, in whole lots."""
    missing = max(level - ask.before, ZERO)
    return ask.units if missing >= ask.units else missing // ask.lot * ask.lot


def _one_more(given: dict[str, Decimal], asks: Asks, order: Sequence[str], cap: Decimal) -> dict[str, Decimal]:
    """A lot more, or what is less than a lot, for each account in their order where it is left."""
    left = cap - sum(given.values(), ZERO)
    for key in order:
        more = min(asks[key].lot, asks[key].units - given[key])
        if more <= left:
            given[key] += more
            left -= more
    return given


def _by_priority(asks: Asks, cap: Decimal) -> dict[str, Decimal]:
    given: dict[str, Decimal] = {}
    left = cap
    for rank in sorted({ask.priority for ask in asks.values()}):
        part = _in_rounds({key: ask for key, ask in asks.items() if ask.priority == rank}, left, _pro_rata)
        given |= part
        left -= sum(part.values(), ZERO)
    return given
