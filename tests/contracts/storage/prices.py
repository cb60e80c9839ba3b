"""Prices that tests of stores import."""

from collections.abc import Sequence

import numpy as np

from domain.market_data.panel import PricePanel
from server.ports.market_data import PriceField, PriceImport


def panel(symbols: Sequence[str], days: range, seed: int = 0) -> PricePanel:
    """Random prices of some days, (days, symbols)."""
    return PricePanel.of(symbols, days, np.random.default_rng(seed).uniform(1, 2, (len(days), len(symbols))))


def whole(sent: PricePanel, import_id: str = "i", field: PriceField = PriceField.CLOSE) -> PriceImport:
    """An import of one panel."""
    return PriceImport(import_id, field, "", (sent,))
