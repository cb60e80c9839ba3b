"""What fills do to an account: units, tax lots, cash and realised gains.

A sale takes the lot that it names, or the oldest lots. A purchase makes a lot of its own. Losses are disallowed where
the asset is bought within 30 days before or after the sale (see `domain.taxes.wash_sales`), also by fills that are
recorded later: an account carries the losses that a purchase may still disallow. Gains are counted before fees, unless
`fees_in_gains` has fees raise the cost of what is bought and lower the proceeds of what is sold, as the tax law has it
(IRS Publication 550, "Basis of Investment Property").
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from domain.cancellation import CancellationCheck, never_cancelled
from domain.errors import InvalidInput
from domain.exact import exact_arithmetic
from domain.reallocation.account import Account, Execution, GainKey, GainRecord, Position
from domain.reallocation.asset_book import AssetBook, Entry
from domain.records import dataclass

CLOCK_TOLERANCE = dt.timedelta(seconds=60)
"""How far the clock of a caller may be ahead."""


@dataclass(frozen=True, slots=True)
class FillOutcome:
    """What one fill did to taxes."""

    gains: tuple[GainRecord, ...] = ()
    disallows: tuple[GainKey, ...] = ()  # gains of earlier sales of which it disallowed a loss
    lots_known: bool = True  # False for a position without lots


@dataclass(frozen=True, slots=True)
class Recorded:
    """An account after fills."""

    positions: Mapping[str, Position]  # of the assets that were traded; without units where nothing is left
    cash: Decimal
    outcomes: Mapping[str, FillOutcome]  # by fill id
    changed: tuple[GainRecord, ...]  # of earlier fills: a loss was disallowed, or can no longer be


def record_fills(
    account: Account,
    fills: Sequence[Execution],
    now: dt.datetime,
    *,
    fees_in_gains: bool = False,
    check_cancelled: CancellationCheck = never_cancelled,
) -> Recorded:
    """The account after fills, which are recorded in the order of their times.

    Raises InvalidInput for a fill in the future, on a date before that of one that is recorded, of more than is held,
    or of a lot that is not there.
    """
    books: dict[str, AssetBook] = {}
    entries: dict[str, list[tuple[str, Entry]]] = {}
    cash = account.cash
    with exact_arithmetic():
        for fill in sorted(fills, key=lambda fill: fill.time):
            check_cancelled()
            _check_time(fill, account.last_dates.get(fill.symbol), now)
            if fill.symbol not in books:
                books[fill.symbol] = AssetBook(fill.symbol, account)
            entry = books[fill.symbol].record(fill, fees_in_gains=fees_in_gains)
            entries.setdefault(fill.symbol, []).append((fill.fill_id, entry))
            cash -= fill.quantity * fill.price + fill.fee
    return _recorded(account, books, entries, cash)


def _check_time(fill: Execution, last_date: dt.date | None, now: dt.datetime) -> None:
    if fill.time > now + CLOCK_TOLERANCE:
        raise InvalidInput(f"{fill.path}.fill_time", f"must not be in the future, is {fill.time.isoformat()}")
    if last_date is not None and fill.date < last_date:
        raise InvalidInput(
            f"{fill.path}.fill_time",
            f"must not be before {last_date}, the date of the last fill of {fill.symbol} that is recorded: lots and "
            "losses depend on the order",
        )


def _recorded(
    account: Account,
    books: Mapping[str, AssetBook],
    entries: Mapping[str, Sequence[tuple[str, Entry]]],
    cash: Decimal,
) -> Recorded:
    before = {one.key: one for one in account.open_losses}
    outcomes: dict[str, FillOutcome] = {}
    changed: list[GainRecord] = []
    for symbol, book in books.items():
        gains = book.gains()
        for fill_id, entry in entries[symbol]:
            outcomes[fill_id] = FillOutcome(
                tuple(gains[i] for i in entry.gains), tuple(gains[i].key for i in entry.disallows), entry.lots_known
            )
        changed += [one for one in gains[: book.earlier_count] if one != before[one.key]]
    return Recorded({symbol: book.position for symbol, book in books.items()}, cash, outcomes, tuple(changed))
