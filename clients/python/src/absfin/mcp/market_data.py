"""Tools that read stored instruments and prices."""

from pydantic import Field

from absfin.choices import PriceField
from absfin.data import Stored
from absfin.mcp.arguments import Arguments, Limit, Points, Rows, StoredData
from absfin.mcp.compact import panel_summary
from absfin.mcp.tool import Answer, Call, Tool, leading


class InstrumentsArguments(Arguments):
    """A list of instruments."""

    group: str = Field("", description='Only those with a label, such as "sector=Technology".')
    limit: Limit = 100


class PricesArguments(StoredData):
    """Prices."""

    field: PriceField = Field("close", description="Which prices, or volumes.")
    max_points: Points = 60
    max_rows: Rows = 10


class MetricsArguments(Arguments):
    """Symbols."""

    symbols: list[str] = Field(min_length=1, max_length=1000, description="Stored symbols.")


async def list_instruments(call: Call, given: InstrumentsArguments) -> Answer:
    """List stored instruments by symbol, with their labels and whether prices of them are stored."""
    found, more = await leading(call.client.instruments(given.group), given.limit)
    rows = [
        {
            "symbol": one.symbol,
            "display_name": one.display_name or None,
            "groups": one.groups or None,
            "has_prices": one.has_prices,
        }
        for one in found
    ]
    return {"instruments": rows, "more": more}


async def get_prices(call: Call, given: PricesArguments) -> Answer:
    """Read stored prices or volumes, thinned to max_points dates and max_rows symbols.

    The lowest and highest value of a symbol are those of all dates. Other tools take symbols: they need no prices.
    """
    selected = given.stored()
    panel = await call.client.prices(
        Stored(selected.symbols, selected.universe, selected.start, selected.end, given.field)
    )
    return panel_summary(panel, given.max_points, given.max_rows)


async def get_market_metrics(call: Call, given: MetricsArguments) -> Answer:
    """Read the latest price, average daily volume, spread and volatility of stored symbols."""
    return {"metrics": await call.client.market_metrics(given.symbols)}


TOOLS = (
    Tool(InstrumentsArguments, list_instruments),
    Tool(PricesArguments, get_prices),
    Tool(MetricsArguments, get_market_metrics),
)
