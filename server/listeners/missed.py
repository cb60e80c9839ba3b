"""What is looked at where changes are no longer retained: every asset, as if all that is stored of it had changed."""

from domain.monitoring.events import FUTURE_DAYS
from domain.monitoring.timestamps import day_of
from server.listeners.memory import Memory
from server.ports.changes import Change, ChangeKind, PriceChange
from server.ports.market_data import PriceField


def missed_changes(memory: Memory, place: str, time: int) -> list[Change]:
    """Changes of all assets whose prices are known, in the place of those that are gone up to a place of the log.

    Assets without prices are not among them: they are read whole when they become known.
    """
    last, cursor = day_of(time) + FUTURE_DAYS, f"everything before {place}"
    found: list[Change] = []
    for symbol, one in memory.monitor.instruments.by_symbol.items():
        if not len(one.history.days) or not memory.monitor.holders(symbol):
            continue
        first = int(one.history.days[0])
        found += [
            Change(cursor, kind, "", symbol, time, prices=prices)
            for kind, prices in (
                (ChangeKind.PRICES, PriceChange(PriceField.CLOSE, first, last, replaced=True)),
                (ChangeKind.INSTRUMENT, None),
                (ChangeKind.CORPORATE_ACTION, None),
            )
        ]
    return found
