"""`absfin events`: the log of events, followed."""

from collections.abc import Iterator
from typing import Annotated, Any, cast

import typer
from absfinance.v1.event_service_pb2 import Notification
from absfinance.v1.portfolio_pb2 import EventKind as Kinds
from absfinance.v1.portfolio_pb2 import Severity as Severities
from absfinance.v1.portfolio_pb2 import Trigger

from absfin.channel import DEFAULT_TARGET
from absfin.choices import EventKind, Severity, plain_name
from absfin.cli.connection import connect
from absfin.cli.names import full_names
from absfin.cli.output import failing_clearly, print_lines
from absfin.cli.parameters import Server
from absfin.events import Event, EventNews, Missed


def events(
    portfolio: Annotated[
        list[str] | None, typer.Option(help="Only of this portfolio: portfolios/ID, or ID; several.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only of this kind, such as drift or limit; several.")] = None,
    min_severity: Annotated[str, typer.Option(help="Least severity: info, warning or critical.")] = "info",
    after: Annotated[int, typer.Option(min=0, help="Sequence of the last event you have; 0: all that are kept.")] = 0,
    epoch: Annotated[str, typer.Option(help="Epoch that the sequence belongs to, as --json shows it.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Ends after so many events; 0: never.")] = 0,
    server: Server = DEFAULT_TARGET,
    as_json: Annotated[bool, typer.Option("--json", help="An object of JSON on a line for each event.")] = False,
) -> None:
    """Follow signals, recomputations and notifications, also across a restart of the server: absfin events"""
    with failing_clearly(as_json), connect(server) as client:
        watching = client.watch_events(
            portfolios=full_names(portfolio or [], "portfolios"),
            kinds=cast("list[EventKind]", kind or []),
            min_severity=cast("Severity", min_severity),
            after=after,
            epoch=epoch,
        )
        try:
            _show(_first(watching, limit), as_json=as_json)
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        finally:
            cast("Any", watching).close()


def _first(watching: Iterator[EventNews], limit: int) -> Iterator[EventNews]:
    count = 0
    for news in watching:
        yield news
        count += isinstance(news, Event)
        if limit and count >= limit:
            return


def _show(watching: Iterator[EventNews], *, as_json: bool) -> None:
    for news in watching:
        if isinstance(news, Missed):
            lost = "the log of events was lost: it begins anew" if news.log_lost else "some events are no longer kept"
            typer.echo(lost, err=True)
        elif as_json:
            print_lines([news.proto])
        else:
            typer.echo(line_of(news))


def line_of(event: Event) -> str:
    """An event in a line."""
    content = cast("Any", event.content)
    words = [f"{event.sequence}", f"{event.time:%Y-%m-%d %H:%M:%S}"]
    if event.type == "recomputation":
        action = plain_name(Trigger.Action, content.action)
        outcome = content.result if content.HasField("result") else f"failed: {content.error.message}"
        return " ".join((*words, content.portfolio, action, outcome))
    words += [plain_name(Severities, content.severity), plain_name(Kinds, content.kind), content.portfolio]
    if event.type == "notification":
        words += [content.name, plain_name(Notification.State, content.state)]
    else:
        words.append(content.symbol)
    return " ".join(filter(None, (*words, content.message)))
