"""`absfin ping`: whether a server can work."""

import time

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect, time_limit
from absfin.cli.output import failing_clearly, print_object
from absfin.cli.parameters import AsJson, Server

SECONDS = 5.0


def ping(server: Server = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Check the server and its time to answer: absfin ping. The status is 0 where it can work."""
    with failing_clearly(as_json), connect(server) as client:
        client.check_health(timeout=time_limit(SECONDS))  # connects; the time is that of a call alone
        start = time.perf_counter()
        state = client.check_health(timeout=time_limit(SECONDS))
        seconds = time.perf_counter() - start
        if as_json:
            print_object({"status": state.upper()})  # grpc.health.v1.HealthCheckResponse
        else:
            typer.echo(f"{server} is {state.replace('_', ' ')}, {seconds * 1e3:.1f} ms")
    if state != "serving":
        raise SystemExit(1)
