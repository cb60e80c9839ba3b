"""Limited volume of one asset, shared by several accounts in whole lots.

All rules give no account more than it asks for, leave nothing that a whole lot could use, and do not depend on the
order of the accounts: what is equal otherwise is decided by their names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.checks import distinct_symbols
from domain.errors import InvalidInput
from domain.exact import ZERO, exact_arithmetic

_HALF_BASIS_POINT = Decimal("0.00005")


class SharingRule(StrEnum):
    """Who gets how much."""

    PRO_RATA = "PRO_RATA"  # in proportion to what is asked for; lots by largest remainder
    MAX_MIN = "MAX_MIN"  # the same for everybody, as far as it is asked for
    PRIORITY = "PRIORITY"  # the first one all, then the next; in proportion where they are equal


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """What one account wants of the asset."""

    account: str
    units: Decimal  # negative to sell
    may_cross: bool = False  # whether it may trade with another of the accounts
    priority: int = 0  # lower comes first


@dataclass(frozen=True, slots=True)
class Cross:
    """A trade between two accounts at the middle of bid and ask."""

    buyer: str
    seller: str
    units: Decimal

    def saved(self, price: Decimal, spread_bps: Decimal) -> Decimal:
        """What each side saves, in money: half of the spread between bid and ask."""
        with exact_arithmetic():
            return self.units * price * spread_bps * _HALF_BASIS_POINT


@dataclass(frozen=True, slots=True)
class SharedTrades:
    """What the accounts trade with each other and in the market; units are negative to sell."""

    crosses: tuple[Cross, ...]
    market: Mapping[str, Decimal]  # of every account
    missing: Mapping[str, Decimal]  # of every account, what it wanted and does not get


def share(
    orders: Sequence[AccountOrder], cap: Decimal | None, lot: Decimal, rule: SharingRule = SharingRule.PRO_RATA
) -> SharedTrades:
    """Crosses what may be crossed and shares the volume of the market for the rest.

    `cap` is the volume for all accounts together, purchases and sales, None for no limit; crosses use none of it.
    Raises InvalidInput for a lot or cap that is not a number of units, and an account that is named twice.
    """
    _check(orders, cap, lot)
    with exact_arithmetic():
        crosses = _crosses(orders, lot)
        crossed = dict.fromkeys((order.account for order in orders), ZERO)
        for cross in crosses:
            crossed[cross.buyer] += cross.units
            crossed[cross.seller] -= cross.units
        rest = {order.account: order.units - crossed[order.account] for order in orders}
        asked = {account: abs(units) for account, units in rest.items()}
        priorities = {order.account: order.priority for order in orders}
        given = allocate(asked, cap, lot, rule, priorities)
        market = {account: -given[account] if units < ZERO else given[account] for account, units in rest.items()}
        missing = {account: rest[account] - market[account] for account in rest}
    return SharedTrades(tuple(crosses), market, missing)


def allocate(
    asked: Mapping[str, Decimal],
    cap: Decimal | None,
    lot: Decimal,
    rule: SharingRule = SharingRule.PRO_RATA,
    priorities: Mapping[str, int] | None = None,
) -> dict[str, Decimal]:
    """Units of each account, without sign: whole lots, or all that it asks for.

    More volume gives no account less, where whole lots are asked for, by MAX_MIN, and by PRIORITY where no two are
    equal. By PRO_RATA it may give an account one lot less, as a largest remainder does (the Alabama paradox, Balinski
    and Young 1982), but never less than the whole lots within its exact share. The sum never falls, but for less than a
    lot where an odd one is asked for.
    """
    with exact_arithmetic():
        if cap is None or sum(asked.values(), ZERO) <= cap:
            return dict(asked)
        if rule is SharingRule.MAX_MIN:
            return _max_min(asked, cap, lot)
        if rule is SharingRule.PRO_RATA:
            return _pro_rata(asked, cap, lot)
        return _by_priority(asked, cap, lot, priorities or {})


def _check(orders: Sequence[AccountOrder], cap: Decimal | None, lot: Decimal) -> None:
    distinct_symbols("orders", [order.account for order in orders], ".account")
    if not (lot.is_finite() and lot > ZERO):
        raise InvalidInput("lot", f"must be above 0, is {lot:g}")
    if cap is not None and not (cap.is_finite() and cap >= ZERO):
        raise InvalidInput("cap", f"must be 0 or more, is {cap:g}")
    for i, order in enumerate(orders):
        if not order.units.is_finite():
            raise InvalidInput(f"orders[{i}].units", f"must be finite, is {order.units}")


def _pro_rata(asked: Mapping[str, Decimal], cap: Decimal, lot: Decimal) -> dict[str, Decimal]:
    """Largest remainder (Hamilton): the lots below the exact shares, then one more each in order of what is cut off."""
    total = sum(asked.values(), ZERO)
    if total <= cap:
        return dict(asked)
    # cap x asked / (total x lot) is the share in lots; as a division with remainder it is exact.
    shares = {account: divmod(cap * units, total * lot) for account, units in asked.items()}
    given = {account: whole * lot for account, (whole, _) in shares.items()}
    order = sorted(asked, key=lambda account: (-shares[account][1], account))
    return _one_more(given, asked, order, cap, lot)


def _max_min(asked: Mapping[str, Decimal], cap: Decimal, lot: Decimal) -> dict[str, Decimal]:
    """Water filling: those who ask for less than an equal part of what is left get it, the others an equal part."""
    given = dict.fromkeys(asked, ZERO)
    order = sorted(asked, key=lambda account: (asked[account], account))
    left = cap
    for i, account in enumerate(order):
        waiting = len(order) - i
        if asked[account] * waiting > left:
            level = left // (lot * waiting) * lot
            for other in order[i:]:
                given[other] = min(level, asked[other])
            return _one_more(given, asked, sorted(order[i:]), cap, lot)
        given[account] = asked[account]
        left -= asked[account]
    return given


def _one_more(
    given: dict[str, Decimal], asked: Mapping[str, Decimal], order: Sequence[str], cap: Decimal, lot: Decimal
) -> dict[str, Decimal]:
    """A lot more, or what is less than a lot, for accounts in their order, round by round while it helps anyone."""
    left = cap - sum(given.values(), ZERO)
    waiting = list(order)
    while waiting:
        still = []
        for account in waiting:
            more = min(lot, asked[account] - given[account])
            if ZERO < more <= left:
                given[account] += more
                left -= more
                still.append(account)
        waiting = still
    return given


def _by_priority(
    asked: Mapping[str, Decimal], cap: Decimal, lot: Decimal, priorities: Mapping[str, int]
) -> dict[str, Decimal]:
    given: dict[str, Decimal] = {}
    left = cap
    for rank in sorted({priorities.get(account, 0) for account in asked}):
        members = {account: units for account, units in asked.items() if priorities.get(account, 0) == rank}
        part = _pro_rata(members, left, lot)
        given |= part
        left -= sum(part.values(), ZERO)
    return given


def _crosses(orders: Sequence[AccountOrder], lot: Decimal) -> list[Cross]:
    """As much as both sides have that may cross, in whole lots, shared in proportion on each side."""
    buys = {order.account: order.units for order in orders if order.may_cross and order.units > ZERO}
    sells = {order.account: -order.units for order in orders if order.may_cross and order.units < ZERO}
    crossed = min(sum(buys.values(), ZERO), sum(sells.values(), ZERO)) // lot * lot
    buyers = sorted(_pro_rata(buys, crossed, lot).items(), reverse=True)
    sellers = sorted(_pro_rata(sells, crossed, lot).items(), reverse=True)
    found: list[Cross] = []
    # Each step finishes a buyer or a seller.
    while buyers and sellers:
        (buyer, wanted), (seller, offered) = buyers.pop(), sellers.pop()
        units = min(wanted, offered)
        if units > ZERO:
            found.append(Cross(buyer, seller, units))
        if wanted > units:
            buyers.append((buyer, wanted - units))
        if offered > units:
            sellers.append((seller, offered - units))
    return found
