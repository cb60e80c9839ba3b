"""An import that is there as a whole, by the session of any store."""

from server.ports.market_data import ImportReceipt, ImportSession, PriceImport


async def import_whole(session: ImportSession, prices: PriceImport) -> ImportReceipt:
    """Adds all panels and finishes; abandons the session where that fails. Raises what the session raises."""
    try:
        for panel in prices.panels:
            await session.add(panel)
        return await session.finish(sum(panel.values.size for panel in prices.panels))
    except BaseException:
        await session.abandon()
        raise
