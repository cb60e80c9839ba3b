"""All accounts of a batch: what each gets of every asset, and what they cross of what they then trade."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO
from domain.reallocation.volume_shares import Market, Share, Want, divide, settle
from domain.records import dataclass

MOST_DAYS = 10_000_000
"""Assets of all accounts x days of the horizon that volume is divided for."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """What others need to know of an account, and what they leave it; by symbol."""

    may_cross: bool = False
    wants: Mapping[str, Want] = field(default_factory=dict)
    markets: Mapping[str, Market] = field(default_factory=dict)  # of what is wanted
    traded: Mapping[str, Decimal] = field(default_factory=dict)  # on the first day, negative to sell
    shares: Mapping[str, Share] = field(default_factory=dict)
    crossed: Mapping[str, Decimal] = field(default_factory=dict)  # units without sign

    @property
    def fits(self) -> bool:
        """Whether what it wants is within its shares."""
        return all(self.shares[symbol].covers(want) for symbol, want in self.wants.items())

    @property
    def must_cross(self) -> bool:
        """Whether it trades more of an asset on the first day than its share of the market."""
        return any(
            self.shares[symbol].uncovered(self.traded[symbol]) for symbol in self.traded if symbol in self.shares
        )


Accounts = Mapping[str, AccountState]
"""By key."""


def divide_all(accounts: Accounts, check_cancelled: Callable[[], None]) -> dict[str, AccountState]:
    """The accounts with their shares.

    Raises InvalidInput for more accounts, assets and days than can be divided, and what `check_cancelled` raises.
    """
    wants: dict[str, dict[str, Want]] = defaultdict(dict)
    markets: dict[str, Market] = {}
    for key, account in accounts.items():
        for symbol, want in account.wants.items():
            wants[symbol][key] = want
        markets |= account.markets
    if (size := sum(len(some) * markets[symbol].days for symbol, some in wants.items())) > MOST_DAYS:
        raise InvalidInput(
            "shared.horizon_days",
            f"must be less: volume would be divided for {size} trades of accounts and days, at most {MOST_DAYS} are",
        )
    shares: dict[str, dict[str, Share]] = {key: {} for key in accounts}
    for symbol in sorted(wants):
        check_cancelled()
        for key, share in divide(wants[symbol], markets[symbol]).items():
            shares[key][symbol] = share
    return {key: replace(account, shares=shares[key]) for key, account in accounts.items()}


def settle_all(
    accounts: Accounts, check_cancelled: Callable[[], None], *, last: bool = False
) -> tuple[dict[str, AccountState], Collection[str]]:
    """The accounts with what they cross, and the keys of those whose shares are smaller: they are planned again.

    What is crossed is final where there are none. `last` lets accounts cross nothing where some cannot cross enough:
    their plans then fit the shares of the market alone, and the next time all is settled.
    """
    crossed, reduced = _settled(accounts, check_cancelled)
    if reduced and last:
        reduced = {key: _without_crosses(account) for key, account in accounts.items() if account.must_cross}
    found = {
        key: replace(account, crossed=crossed.get(key, {}), shares={**account.shares, **reduced.get(key, {})})
        for key, account in accounts.items()
    }
    return found, reduced.keys()


def _settled(
    accounts: Accounts, check_cancelled: Callable[[], None]
) -> tuple[dict[str, dict[str, Decimal]], dict[str, dict[str, Share]]]:
    """What accounts cross, and smaller shares, by account and symbol."""
    traded: dict[str, dict[str, Decimal]] = defaultdict(dict)
    lots: dict[str, Decimal] = {}
    for key, account in accounts.items():
        for symbol, units in account.traded.items():
            if account.may_cross and symbol in account.shares:
                traded[symbol][key] = units
                lots[symbol] = account.markets[symbol].lot
    crossed: dict[str, dict[str, Decimal]] = defaultdict(dict)
    reduced: dict[str, dict[str, Share]] = defaultdict(dict)
    for symbol in sorted(traded):
        check_cancelled()
        shares = {key: accounts[key].shares[symbol] for key in traded[symbol]}
        matched, smaller = settle(traded[symbol], shares, lots[symbol])
        for key, count in matched.items():
            crossed[key][symbol] = count
        for key, share in smaller.items():
            reduced[key][symbol] = share
    return crossed, reduced


def _without_crosses(account: AccountState) -> dict[str, Share]:
    return {symbol: replace(share, crossed=ZERO) for symbol, share in account.shares.items()}
