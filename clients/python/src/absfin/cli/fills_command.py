"""`absfin fills`: records what was traded."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from absfinance.v1.reallocation_service_pb2 import RecordFillsRequest

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect
from absfin.cli.csv_files import numbered_rows, read_weights, wrong_column
from absfin.cli.input_files import called, input_argument
from absfin.cli.layout import new_console, new_table
from absfin.cli.names import full_name
from absfin.cli.output import failing_clearly, print_json
from absfin.cli.parameters import AsJson, Server
from absfin.cli.request_files import RequestFile, read_request, send
from absfin.cli.tables import show_figures, show_warnings
from absfin.fills import Fill, RecordedFills
from absfin.formatting import percent
from absfin.queries import RecordFillsQuery

NEEDED = ("fill_id", "symbol", "quantity", "price", "fill_time")
FIGURES = ("fee", "arrival_price", "previous_close")
COLUMNS = (*NEEDED, *FIGURES, "lot_id")


def fills(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="A stored plan, reallocations/ID or ID, or a portfolio, portfolios/ID.")
    ] = "",
    file: Annotated[
        Path | None,
        input_argument(f"CSV file with a header; columns {', '.join(COLUMNS)}."),
    ] = None,
    last_prices: Annotated[
        str, typer.Option("--last-prices", help="A=50.09,B=20, for what a plan left unfilled, or a CSV file.")
    ] = "",
    etag: Annotated[str, typer.Option(help="Version of the portfolio that was read; absent: whichever it is.")] = "",
    fees_in_gains: Annotated[
        bool, typer.Option("--fees-in-gains", help="Fees raise costs and lower proceeds in gains.")
    ] = False,
    request: RequestFile = "",
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Record what was traded: absfin fills reallocations/mine fills.csv. A fill that is recorded changes nothing."""
    with failing_clearly(as_json), connect(server) as client:
        if request:
            message = read_request(context, request, RecordFillsRequest)
            _show(RecordedFills.from_proto(send(client, RecordFillsQuery.RPC, message)), as_json)
            return
        if file is None:
            raise typer.BadParameter("give a name and a file, or --request", param_hint="FILE")
        answer = client.record_fills(
            full_name(name, "reallocations", "portfolios"),
            read_fills(file),
            last_prices=read_weights(last_prices, []) if last_prices else {},
            etag=etag,
            fees_in_gains=fees_in_gains,
        )
        _show(answer, as_json)


def _show(answer: RecordedFills, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        show_fills(answer)


def read_fills(path: Path) -> list[Fill]:
    """Reads fills by the names of their columns; times are ISO 8601, in UTC if without a time zone."""
    rows = numbered_rows(path)
    header = [name.strip() for name in next(rows, (0, []))[1]]
    if not set(NEEDED) <= set(header) <= set(COLUMNS) or len(set(header)) < len(header):
        raise typer.BadParameter(
            f"{called(path)} needs a header with {', '.join(NEEDED)}, and may have {', '.join(COLUMNS[len(NEEDED) :])}"
        )
    found = []
    for line, row in rows:
        if len(row) != len(header):
            raise typer.BadParameter(f"{called(path)}, line {line}: has {len(row)} cells, the header has {len(header)}")
        cells = [cell.strip() for cell in row]
        try:
            found.append(_fill(dict(zip(header, cells, strict=True))))
        except ValueError as error:
            place = f"line {line}{wrong_column(header, cells, [READERS.get(name, str) for name in header])}"
            raise typer.BadParameter(f"{called(path)}, {place}: {error}") from None
    return found


def show_fills(answer: RecordedFills) -> None:
    """Prints gains by lot, then the cost against the decision, then the portfolio's cash and version."""
    console = new_console()
    if answer.realized_gains:
        numbers = ("units", "gain", "disallowed loss")
        table = new_table(("symbol", "lot", "units", "gain", "term", "disallowed loss"), numbers, "realised gains")
        for gain in answer.realized_gains:
            table.add_row(
                gain.symbol,
                gain.lot_id,
                f"{gain.quantity:,.6g}",
                f"{gain.gain:,.2f}",
                gain.term,
                f"{gain.disallowed_loss:,.2f}",
            )
        console.print(table)
    figures = {"cash": f"{answer.portfolio.cash:,.2f}", "etag": answer.portfolio.etag}
    if answer.shortfall is not None:
        parts = answer.shortfall
        figures |= {
            "shortfall": percent(parts.total),
            "delay, realised": f"{percent(parts.delay)}, {percent(parts.realised)}",
            "missed, fee": f"{percent(parts.missed)}, {percent(parts.fee)}",
        }
    show_figures(console, figures)
    show_warnings(console, answer.warnings)


def _fill(row: dict[str, str]) -> Fill:
    return Fill(
        fill_id=row["fill_id"],
        symbol=row["symbol"],
        quantity=float(row["quantity"]),
        price=float(row["price"]),
        fill_time=datetime.fromisoformat(row["fill_time"]),
        fee=float(row.get("fee") or 0.0),
        lot_id=row.get("lot_id", ""),
        arrival_price=_figure(row.get("arrival_price")),
        previous_close=_figure(row.get("previous_close")),
    )


def _figure(cell: str | None) -> float | None:
    return float(cell) if cell else None


READERS: dict[str, Callable[[str], object]] = {
    "quantity": float,
    "price": float,
    "fill_time": datetime.fromisoformat,
    **dict.fromkeys(FIGURES, _figure),
}
"""What reads the cells of columns that are no texts."""
