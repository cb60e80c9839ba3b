"""Small calls of a store, by name: each is one that a request makes, once for each number that it is given."""

from collections.abc import Awaitable, Callable, Mapping

from server.ports.identity import LOCAL
from server.ports.market_data import Instrument, PriceField
from server.ports.portfolios import PortfolioDraft
from server.ports.results import ResultDraft
from server.ports.storage import Storage

SYMBOLS = [f"S{i:04d}" for i in range(20)]
OWNER = LOCAL.id
PAYLOAD = bytes(2000)


async def _find_instruments(storage: Storage, i: int) -> None:
    await storage.market_data.instruments(SYMBOLS)


async def _find_priced(storage: Storage, i: int) -> None:
    await storage.market_data.having(PriceField.CLOSE, SYMBOLS)


async def _upsert_instrument(storage: Storage, i: int) -> None:
    await storage.market_data.upsert_instruments([Instrument(f"X{i}", groups={"sector": "Tech"})])


async def _save_result(storage: Storage, i: int) -> None:
    await storage.optimizations.save(OWNER, ResultDraft(PAYLOAD, "f", b"body", id=f"o{i}", summary=b"s"))


async def _get_result(storage: Storage, i: int) -> None:
    await storage.optimizations.get(OWNER, f"o{i}")


async def _create_portfolio(storage: Storage, i: int) -> None:
    await storage.portfolios.create(OWNER, PortfolioDraft(PAYLOAD, b"body", f"p{i}"))


async def _get_portfolio(storage: Storage, i: int) -> None:
    await storage.portfolios.get(OWNER, f"p{i}")


SMALL_CALLS: Mapping[str, Callable[[Storage, int], Awaitable[None]]] = {
    "instruments": _find_instruments,
    "having": _find_priced,
    "upsert_instruments": _upsert_instrument,
    "save_result": _save_result,
    "get_result": _get_result,
    "create_portfolio": _create_portfolio,
    "get_portfolio": _get_portfolio,
}
"""In this order: what one reads, one before it has written."""
