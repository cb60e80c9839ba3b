"""Version, `absfin ping`, --timeout, and what an error says to do next."""

import re
import socket
from dataclasses import replace
from importlib.metadata import version

import grpc
import pytest
from absfin import Client, errors
from absfin.cli.hints import hint_for
from google.rpc.status_pb2 import Status

from tests.clients.python.command_line import absfin, as_json
from tests.clients.python.conftest import Call
from tests.conftest import RunningServer


def nobody(server: RunningServer) -> RunningServer:
    return RunningServer("127.0.0.1:1", server.process, server.data_dir)


def test_version(server: RunningServer) -> None:
    assert absfin(server, "--version").stdout == f"absfin {version('absfin')}\n"


def test_ping_says_state_address_and_time(server: RunningServer) -> None:
    said = absfin(server, "ping").stdout
    assert re.fullmatch(rf"{server.address} is serving, \d+\.\d ms\n", said)
    assert as_json(server, "ping") == {"status": "SERVING"}


def test_both_clients_check_the_health(call: Call) -> None:
    assert call("check_health") == "serving"


def test_without_a_server_it_says_how_to_start_one(server: RunningServer) -> None:
    for command in (("ping",), ("portfolio", "list")):
        done = absfin(nobody(server), *command, status=1)
        assert done.stderr.startswith("UNAVAILABLE")
        assert done.stderr.endswith("is a server running at 127.0.0.1:1? absfin serve\n")
    told = absfin(nobody(server), "ping", "--json", status=1).stderr
    assert '"hint": "is a server running at 127.0.0.1:1? absfin serve"' in told


def test_a_call_ends_after_the_timeout(server: RunningServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it never answers
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done = absfin(replace(server, address=address), "--timeout", "0.3", "portfolio", "list", status=1)
    assert "DEADLINE_EXCEEDED" in done.stderr
    assert "absfin --timeout SECONDS" in done.stderr
    absfin(server, "--timeout", "30", "portfolio", "list")
    assert "must be above 0" in absfin(server, "--timeout", "0", "portfolio", "list", status=2).stderr
    assert "must be above 0" in absfin(server, "--timeout", "nan", "portfolio", "list", status=2).stderr


def test_errors_say_what_to_do_next(server: RunningServer) -> None:
    assert (
        "see what is there: absfin portfolio list"
        in absfin(server, "portfolio", "show", "portfolios/no", status=1).stderr
    )
    assert "absfin import FILE" in absfin(server, "risk", "NOWHERE=1", status=1).stderr
    absfin(server, "portfolio", "create", "twice")
    assert "choose another id" in absfin(server, "portfolio", "create", "twice", status=1).stderr
    absfin(server, "portfolio", "delete", "portfolios/twice")


@pytest.mark.parametrize(
    ("code", "words"),
    [("UNAUTHENTICATED", "ABSFIN_TOKEN"), ("PERMISSION_DENIED", "absfin keys create"), ("INVALID_ARGUMENT", "")],
)
def test_a_hint_belongs_to_a_kind_of_error(code: str, words: str) -> None:
    error = errors.error_from_status(Status(code=grpc.StatusCode[code].value[0], message="m"))
    hint = hint_for(error, "here:1")
    assert words in hint
    assert bool(hint) == bool(words)


def test_a_client_without_a_server_raises_unavailable() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(errors.Unavailable):
        client.check_health()
