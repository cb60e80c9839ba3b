"""Why a query of prices has no panel."""

from collections.abc import Sequence

from domain.errors import MissingMarketData
from domain.market_data.panel import civil_date
from server.ports.market_data import PriceField

SHOWN_SYMBOLS = 10


def unknown_symbols(field: PriceField, symbols: Sequence[str]) -> MissingMarketData:
    """Some symbols have no values of a field at all."""
    shown = ", ".join(symbols[:SHOWN_SYMBOLS]) + (" and others" if len(symbols) > SHOWN_SYMBOLS else "")
    return MissingMarketData(
        f"no {field.lower()} prices are stored for {shown}; import them first", field="symbols", symbols=shown
    )


def empty_range(first: int, last: int) -> MissingMarketData:
    """All values of the symbols lie outside the range; they are between two days."""
    available = f"{civil_date(first)} to {civil_date(last)}"
    return MissingMarketData(
        f"no prices are stored in the range asked for; there are some from {available}", available=available
    )
