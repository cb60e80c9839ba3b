"""Clients and commands say who calls."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import absfin
import grpc
import pytest
from absfin import Client, Finished, Tick, aio, errors, strategies

from tests.clients.python.command_line import run_command
from tests.clients.python.test_watching import DAILY, data
from tests.conftest import ROOT, RunningServer


@dataclass(frozen=True)
class Keyed:
    """A server that knows API keys only, and its first one."""

    server: RunningServer
    key: str


@pytest.fixture(scope="module")
def keyed(start_server: Callable[..., RunningServer]) -> Keyed:
    server = start_server("--auth", "keys", "--workers", "1")
    command = [sys.executable, "-m", "server", "keys", "create", "--role", "admin", "--data-dir", str(server.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    return Keyed(server, done.stdout.strip())


@pytest.fixture
def client(keyed: Keyed) -> Iterator[Client]:
    with Client(keyed.server.address, token=keyed.key) as opened:
        yield opened


PRICES = absfin.Panel.of(["A"], ["2024-01-02", "2024-01-03"], [[1.0], [2.0]])


def test_every_shape_of_call_carries_the_token(client: Client) -> None:
    assert client.import_prices(PRICES).symbols == 1  # a stream of requests
    assert client.prices(absfin.Stored(["A"])).symbols == ("A",)  # a stream of answers
    assert list(client.list_portfolios()) == []  # one of each


def test_errors_of_access_are_typed(keyed: Keyed, client: Client) -> None:
    made = client.create_api_key(["reader"], "Reports")
    with Client(keyed.server.address) as nobody, pytest.raises(errors.Unauthenticated) as missing:
        list(nobody.list_portfolios())
    assert missing.value.reason == "TOKEN_MISSING"
    with Client(keyed.server.address, token=made.secret) as reader:
        assert list(reader.list_portfolios()) == []
        with pytest.raises(errors.PermissionDenied) as denied:
            reader.import_prices(PRICES)
        assert denied.value.metadata["required"] == "trader"
        client.revoke_api_key(made.name)
        with pytest.raises(errors.Unauthenticated):
            list(reader.list_portfolios())
    assert made.name in {key.name for key in client.list_api_keys()}


def test_an_expired_key(keyed: Keyed, client: Client) -> None:
    end = datetime.now(UTC) + timedelta(seconds=3)
    made = client.create_api_key(["reader"], expires=end)
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 0.1)
    with Client(keyed.server.address, token=made.secret) as late, pytest.raises(errors.TokenExpired):
        list(late.list_portfolios())
    with pytest.raises(ValueError, match="time zone"):
        client.create_api_key(["reader"], expires=datetime(2100, 1, 1))  # what is refused


def test_a_function_gives_the_token_of_each_call(keyed: Keyed) -> None:
    tokens = iter(["absfin_x." + "y" * 43, keyed.key])
    with Client(keyed.server.address, token=lambda: next(tokens)) as client:
        with pytest.raises(errors.Unauthenticated):
            list(client.list_portfolios())
        assert list(client.list_portfolios()) == []


def test_a_watch_goes_on_when_its_token_ends(keyed: Keyed, client: Client) -> None:
    """Of a job that takes minutes, and is cancelled."""
    many = [strategies.inverse_volatility(100, label=f"s{i}") for i in range(40)]
    name = client.backtest(data(4000), many, rebalancing=DAILY).name
    (first,) = (key.name for key in client.list_api_keys() if not key.display_name and "admin" in key.roles)
    # It stands for the same caller: others have no such backtest.
    end = datetime.now(UTC) + timedelta(seconds=3)
    brief = client.create_api_key(["reader"], expires=end, replaces=first).secret
    asked: list[str] = []

    def token() -> str:
        asked.append(keyed.key if asked else brief)
        return asked[-1]

    seen: list[object] = []
    with Client(keyed.server.address, token=token) as watcher:
        for news in watcher.watch(name):
            seen.append(news)
            if len(asked) > 1:
                client.cancel_backtest(name)
    assert asked == [brief, keyed.key]
    assert any(isinstance(one, Tick) for one in seen)
    assert isinstance(seen[-1], Finished)
    assert seen[-1].state == "cancelled"
    # Where there is no other token, it says why it cannot go on.
    with Client(keyed.server.address, token=brief) as late, pytest.raises(errors.TokenExpired):
        list(late.watch(name))


def test_the_client_of_asyncio_too(keyed: Keyed) -> None:
    async def calls() -> list[Any]:
        async with aio.Client(keyed.server.address, token=lambda: keyed.key) as client:
            await client.import_prices(PRICES)
            prices = await client.prices(absfin.Stored(["A"]))
            return [prices.symbols, [key async for key in client.list_portfolios()]]

    assert asyncio.run(calls()) == [("A",), []]


def test_a_token_beside_a_channel_is_refused(keyed: Keyed) -> None:
    with keyed.server.channel() as channel, pytest.raises(ValueError, match="not with a channel"):
        Client(channel=channel, token="x")  # noqa: S106


def command(keyed: Keyed, *arguments: str, token: str = "", status: int = 0) -> str:
    environment = {**os.environ, **({"ABSFIN_TOKEN": token} if token else {})}
    done = run_command((*arguments, "--server", keyed.server.address), environment)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def test_keys_from_the_command_line(keyed: Keyed) -> None:
    secret = command(keyed, "keys", "create", "--role", "analyst", "--id", "desk", token=keyed.key).strip()
    assert secret.startswith("absfin_desk.")
    assert command(keyed, "portfolio", "list", token=secret) == ""
    assert command(keyed, "--token", secret, "portfolio", "list") == ""
    rotated = command(
        keyed, "keys", "create", "--role", "analyst", "--replaces", "apiKeys/desk", "--json", token=keyed.key
    )
    assert json.loads(rotated)["caller"] == "apiKeys/desk"
    assert command(keyed, "keys", "revoke", "apiKeys/desk", token=keyed.key) == "apiKeys/desk is revoked\n"
    answer = json.loads(command(keyed, "keys", "list", "--json", token=keyed.key))
    assert "apiKeys/desk" in [one["name"] for one in answer["apiKeys"]]
    listed = command(keyed, "keys", "list", token=keyed.key)
    assert "apiKeys/desk" in listed
    assert "revoked" in listed
    assert secret not in listed
    assert "not accepted" in command(keyed, "portfolio", "list", token=secret, status=1)
    assert "needs the role admin" in command(keyed, "keys", "list", token=json.loads(rotated)["secret"], status=1)


def test_encryption_by_an_authority_of_ones_own(start_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.crt", tmp_path / "c.key"
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    names = ("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run([*new, *names, "-out", str(certificate), "-keyout", str(key)], check=True, capture_output=True)
    server = start_server("--tls-cert", str(certificate), "--tls-key", str(key), "--workers", "1")
    encrypted = Keyed(server, "")
    assert command(encrypted, "--ca", str(certificate), "portfolio", "list") == ""
    assert "--cert and --key go together" in command(
        encrypted, "--cert", str(certificate), "portfolio", "list", status=2
    )
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    with Client(server.address, credentials=credentials, token="ignored here") as client:  # noqa: S106
        assert list(client.list_portfolios()) == []
