"""Trades of one asset between accounts of a batch, in whole lots: what is bought is what is sold.

Each side is shared in proportion to what its accounts trade beyond what they must cross.
"""

from collections.abc import Mapping
from decimal import Decimal

from domain.exact import ZERO, ceiling, exact_arithmetic
from domain.reallocation.shared_liquidity import Ask, allocate
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Crossable:
    """What one account trades, and the part of it that its share of the market's volume does not cover."""

    units: Decimal  # negative to sell
    uncovered: Decimal = ZERO  # without sign


def crossed_units(accounts: Mapping[str, Crossable], lot: Decimal) -> dict[str, Decimal]:
    """Units that each account crosses, in whole lots and without sign; 0 is left out.

    As much as both sides have is crossed. Where that is less than a side must cross, what it must cross is shared.
    """
    with exact_arithmetic():
        buys = {key: _in_lots(one, lot) for key, one in accounts.items() if one.units > ZERO}
        sells = {key: _in_lots(one, lot) for key, one in accounts.items() if one.units < ZERO}
        total = min(sum((most for most, _ in side.values()), ZERO) for side in (buys, sells))
        shares = {**_share(buys, total), **_share(sells, total)}
        return {key: count * lot for key, count in shares.items() if count}


def _in_lots(one: Crossable, lot: Decimal) -> tuple[Decimal, Decimal]:
    """The most and the least that an account should cross."""
    most = abs(one.units) // lot
    return most, min(most, Decimal(ceiling(one.uncovered, lot)))


def _share(side: Mapping[str, tuple[Decimal, Decimal]], total: Decimal) -> dict[str, Decimal]:
    needed = {key: least for key, (_, least) in side.items()}
    must = sum(needed.values(), ZERO)
    if must >= total:
        return allocate({key: Ask(least) for key, least in needed.items()}, total)
    more = allocate({key: Ask(most - least) for key, (most, least) in side.items()}, total - must)
    return {key: needed[key] + more[key] for key in side}
