"""Sends the sample prices and instruments to a server. Run it through scripts/load_sample_data."""

import csv
import sys
from pathlib import Path

from absfin import Client, Instrument
from absfin.cli.csv_files import read_panel
from absfin.cli.output import progress_bar

DATA = Path(__file__).parents[1] / "data"


def load(client: Client) -> None:
    """Imports the stocks and the index, and describes them."""
    for name in ("sp500_stocks.csv.gz", "sp500_index.csv.gz"):
        panel = read_panel(DATA / name)
        with progress_bar(f"importing {name}", shown=True) as on_progress:
            receipt = client.import_prices(panel, source="skfolio 1.12.2", import_id=name, on_progress=on_progress)
        print(f"  {receipt.symbols} symbols, {receipt.inserted + receipt.changed + receipt.unchanged} values")
    with (DATA / "instruments.csv").open(newline="") as file:
        instruments = [
            Instrument(row["symbol"], row["display_name"], "USD", {"sector": row["sector"]})
            for row in csv.DictReader(file)
        ]
    print(f"  {client.upsert_instruments(instruments)} instruments described")


if __name__ == "__main__":
    with Client(sys.argv[1]) as client:
        client.wait_until_ready()
        load(client)
