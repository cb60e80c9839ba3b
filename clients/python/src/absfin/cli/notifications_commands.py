"""`absfin notifications`: what somebody is told of."""

import itertools
from typing import Annotated, Any, cast

import typer
from absfinance.v1.event_service_pb2 import ListNotificationsResponse, Notification
from absfinance.v1.portfolio_pb2 import EventKind as Kinds
from absfinance.v1.portfolio_pb2 import Severity as Severities

from absfin.channel import DEFAULT_TARGET
from absfin.choices import NotificationState, Severity, plain_name
from absfin.cli.connection import connect
from absfin.cli.layout import moment, new_console, new_table
from absfin.cli.names import full_name
from absfin.cli.output import failing_clearly, print_message
from absfin.cli.pages import Limit
from absfin.cli.parameters import AsJson, Server

notifications = typer.Typer(help="Notifications: signals that somebody is told.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the notification: notifications/ID, or ID.")]


@notifications.command(name="list")
def list_notifications(
    portfolio: Annotated[str, typer.Option(help="Only of this portfolio: portfolios/ID, or ID.")] = "",
    state: Annotated[str, typer.Option(help="Only these: pending, delivered, failed or acknowledged.")] = "",
    min_severity: Annotated[str, typer.Option(help="Least severity: info, warning or critical.")] = "info",
    limit: Limit = 50,
    server: Server = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Show notifications, the newest first; those that could not be delivered: --state failed"""
    with failing_clearly(as_json), connect(server) as client:
        found = itertools.islice(
            client.list_notifications(
                portfolio=full_name(portfolio, "portfolios") if portfolio else "",
                state=cast("NotificationState", state) if state else None,
                min_severity=cast("Severity", min_severity),
            ),
            limit,
        )
        if as_json:
            print_message(ListNotificationsResponse(notifications=found))
            return
        table = new_table(("name", "time", "severity", "kind", "portfolio", "state", "message"))
        for one in found:
            table.add_row(
                one.name,
                moment(one.create_time),
                plain_name(Severities, one.severity),
                plain_name(Kinds, one.kind),
                one.portfolio,
                _state(one),
                one.message,
            )
        new_console().print(table)


@notifications.command(name="acknowledge")
def acknowledge_notification(name: Name, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Say that a notification was seen: absfin notifications acknowledge ID"""
    with failing_clearly(as_json), connect(server) as client:
        _show(client.acknowledge_notification(full_name(name, "notifications")), as_json=as_json)


@notifications.command(name="redeliver")
def redeliver_notification(name: Name, server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Deliver a notification again: absfin notifications redeliver ID"""
    with failing_clearly(as_json), connect(server) as client:
        _show(client.redeliver_notification(full_name(name, "notifications")), as_json=as_json)


def _show(one: Notification, *, as_json: bool) -> None:
    if as_json:
        print_message(one)
    else:
        typer.echo(f"{one.name} is {_state(one)}")


def _state(one: Any) -> str:
    state = str(plain_name(Notification.State, one.state))
    return f"{state}: {one.last_error}" if state in ("pending", "failed") and one.last_error else state
