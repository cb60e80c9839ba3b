"""Names of panels by their content: equal panels have equal fingerprints."""

import hashlib
import json

import numpy as np

from domain.market_data.panel import Panel


def panel_bytes(panel: Panel) -> bytes:
    """Days as int32, then values (T, N) row by row as float64, both little-endian."""
    return panel.dates.astype("<i4").tobytes() + np.ascontiguousarray(panel.values, "<f8").tobytes()


def fingerprint_of(panel: Panel) -> str:
    """sha256 of symbols, days and values, in hexadecimal."""
    content = hashlib.sha256(json.dumps(panel.symbols).encode())
    content.update(panel_bytes(panel))
    return content.hexdigest()
