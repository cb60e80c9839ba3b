"""`absfin events`: the log of events, followed."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
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
from absfin.errors import EventsLost
from absfin.events import Event


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
        watch = partial(
            client.watch_events,
            portfolios=full_names(portfolio or [], "portfolios"),
            kinds=cast("list[EventKind]", kind or []),
            min_severity=cast("Severity", min_severity),
        )
        with closing(_watched(watch, after, epoch)) as watching:
            try:
                _show(islice(watching, limit or None), as_json=as_json)
            except KeyboardInterrupt:
                raise SystemExit(130) from None


def _watched(watch: Callable[..., Iterator[Event]], after: int, epoch: str) -> Generator[Event]:
    """The events, from the oldest that is kept where those after the last one are gone."""
    while True:
        try:
            with closing(cast("Any", watch(after=after, epoch=epoch))) as watching:
                yield from watching
        except EventsLost as error:
            lost_log = error.reason == "EPOCH_CHANGED"
            lost = "the log of events was lost: it begins anew" if lost_log else "some events are no longer kept"
            typer.echo(lost, err=True)
            after, epoch = 0, ""


def _show(watching: Iterable[Event], *, as_json: bool) -> None:
    for event in watching:
        if as_json:
            print_lines([event.proto])
        else:
            typer.echo(line_of(event))


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
