"""The market of stored prices and volumes, as reallocations and assessments of liquidity see it."""

from domain.market_data.snapshot import Snapshot
from domain.reallocation.market import TradingTerms, snapshot_of
from server.commands.stored import StoredData
from server.ports.market_data import Instrument, PriceSelection, TradableState


def stored_snapshot(selection: PriceSelection, found: StoredData) -> Snapshot:
    """Quotes at the latest stored figures of a selection, with the terms of its instruments."""
    volumes = found.volumes.get(selection)
    terms = {symbol: _terms(instrument) for symbol, instrument in found.instruments.items()}
    return snapshot_of(found.panels[selection].prices(), None if volumes is None else volumes.prices(), terms)


def _terms(instrument: Instrument) -> TradingTerms:
    return TradingTerms(
        lot_size=1.0 if instrument.lot_size is None else instrument.lot_size,
        listed=instrument.state not in (TradableState.DELISTED, TradableState.NOT_LISTED),
        halted=instrument.state is TradableState.HALTED,
    )
