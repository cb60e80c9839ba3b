"""The data of jobs on Supabase: sent once in pieces, kept as files on each server that runs a job with it."""

import asyncio
import json
from collections.abc import AsyncIterator

import numpy as np

from domain.market_data.fingerprint import fingerprint_of, panel_bytes
from domain.market_data.panel import Panel, PricePanel
from server.ports.errors import NotFound, StorageUnavailable
from server.ports.panels import StoredPanel
from server.storage.panels import PanelFiles
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.sent_frames import sent_frame

PIECE_BYTES = 4 << 20
"""A few megabytes: each piece is stored and read in far less time than a statement may take."""


class SupabaseJobInputs:
    """Data of jobs, named by its content."""

    def __init__(self, rpc: Rpc, panels: PanelFiles, piece_bytes: int = PIECE_BYTES) -> None:
        self._rpc = rpc
        self._panels = panels
        self._piece_bytes = piece_bytes

    async def send(self, name: str, panel: Panel) -> None:
        """Stores data, whatever of it is there already."""
        data = await asyncio.to_thread(panel_bytes, panel)
        starts = range(0, max(len(data), 1), self._piece_bytes)
        symbols = json.dumps(panel.symbols)
        for number, start in enumerate(starts):
            piece = data[start : start + self._piece_bytes]
            header = {"name": name, "symbols": symbols, "pieces": len(starts), "number": number, "size": len(piece)}
            await self._rpc.send_bytes("add_backtest_input_piece", sent_frame(header, piece))

    async def panel(self, name: str) -> StoredPanel:
        """Data of a job; the file is derived from the stored bytes where it is not there."""
        found = await self._rpc.call("describe_backtest_input", p_name=name)
        if found is None:
            raise NotFound("input", name)
        symbols = tuple(json.loads(found["symbols"]))
        known = await asyncio.to_thread(self._panels.open, name, symbols)
        if known:
            return known
        pieces = [piece async for piece in self._pieces(name, found["pieces"])]
        return await asyncio.to_thread(self._keep, name, symbols, b"".join(pieces))

    async def _pieces(self, name: str, count: int) -> AsyncIterator[bytes]:
        for number in range(count):
            yield await self._rpc.read_bytes("read_backtest_input_piece", p_name=name, p_number=number)

    def _keep(self, name: str, symbols: tuple[str, ...], data: bytes) -> StoredPanel:
        count = len(data) // (4 + 8 * len(symbols))
        if len(data) != count * (4 + 8 * len(symbols)):
            raise _incomplete()
        days = np.frombuffer(data, "<i4", count)
        values = np.frombuffer(data, "<f8", offset=4 * count).reshape(count, len(symbols))
        if fingerprint_of(PricePanel(symbols, days, values)) != name:
            raise _incomplete()
        return self._panels.keep(name, symbols, days, values)


def _incomplete() -> StorageUnavailable:
    return StorageUnavailable("the data of a backtest is not what was stored; try again")
