"""The gateway passes requests on as they are, but for the path and for keys that it puts tokens in the place of."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from scripts.free_port import free_port
from scripts.rest_gateway import Gateway, Upstream

TOKENS = {"sb_secret_x": "token.of.service", "sb_publishable_x": "token.of.anon", "old.jwt.key": "old.jwt.key"}


class Echo:
    """An HTTP server that answers with what it was asked, and how many connections it has had."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = free_port()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            first, *lines = head.decode().split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
            body = await self.body(reader, fields)
            answer = json.dumps(
                {"first": first, "fields": fields, "body": len(body), "last": body[-4:].decode()}
            ).encode()
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n\r\n".encode() + answer)
            await writer.drain()
            if first.startswith("DELETE"):
                break
        writer.close()

    @staticmethod
    async def body(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
        if "transfer-encoding" not in fields:
            return await reader.readexactly(int(fields.get("content-length", 0)))
        found = b""
        while size := int(await reader.readline(), 16):
            found += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return found


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    served = Echo()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await served.serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", served.port)
    yield served
    server.close()


@pytest.fixture
async def client(echo: Echo) -> AsyncIterator[httpx.AsyncClient]:
    gateway, port = Gateway(Upstream(echo.port, TOKENS)), free_port()
    await gateway.start(port)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as opened:
        yield opened
    await gateway.close()


async def asked(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> dict[str, Any]:
    answer = await client.request(method, path, **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("key", TOKENS)
async def test_a_key_becomes_the_token_of_its_role(client: httpx.AsyncClient, key: str) -> None:
    for headers in ({"apikey": key}, {"apikey": key, "Authorization": f"Bearer {key}"}):
        found = await asked(client, "GET", "/rest/v1/api_keys?id=eq.a%20b", headers=headers)
        assert found["first"] == "GET /api_keys?id=eq.a%20b HTTP/1.1"
        assert found["fields"]["authorization"] == f"Bearer {TOKENS[key]}"
        assert "apikey" not in found["fields"]


async def test_a_token_of_a_user_stays(client: httpx.AsyncClient) -> None:
    headers = {"apikey": "sb_publishable_x", "Authorization": "Bearer of.a.user", "X-More": "1"}
    found = await asked(client, "GET", "/rest/v1/", headers=headers)
    assert (found["fields"]["authorization"], found["fields"]["x-more"]) == ("Bearer of.a.user", "1")


async def test_bodies_and_connections(client: httpx.AsyncClient, echo: Echo) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield b"x" * 300_001
        yield b"last"

    headers = {"apikey": "sb_secret_x"}
    whole = await asked(client, "POST", "/rest/v1/rpc/f", headers=headers, content=b"x" * 3_000_000 + b"last")
    assert (whole["first"], whole["body"], whole["last"]) == ("POST /rpc/f HTTP/1.1", 3_000_004, "last")
    chunked = await asked(client, "POST", "/rest/v1/rpc/f", headers=headers, content=pieces())
    assert (chunked["body"], chunked["last"]) == (7 * 300_001 + 4, "last")
    assert (await asked(client, "POST", "/rest/v1/rpc/f", headers=headers, content=b""))["body"] == 0
    assert echo.connections == 1


async def test_a_connection_that_ends_is_ended(client: httpx.AsyncClient, echo: Echo) -> None:
    headers = {"apikey": "sb_secret_x"}
    assert (await asked(client, "DELETE", "/rest/v1/x", headers=headers))["body"] == 0
    await asyncio.sleep(0.05)
    assert (await asked(client, "GET", "/rest/v1/x", headers=headers))["body"] == 0
    assert echo.connections == 2


@pytest.mark.parametrize(
    ("path", "headers", "status", "message"),
    [
        ("/rest/v1/x", {}, 401, "No API key found in request"),
        ("/rest/v1/x", {"apikey": "sb_secret_y"}, 401, "Invalid API key"),
        ("/rest/v1/x", {"Authorization": "Bearer sb_secret_x"}, 401, "No API key found in request"),
        ("/rest/v10/x", {"apikey": "sb_secret_x"}, 404, "only /rest/v1 is served here"),
        ("/auth/v1/token", {"apikey": "sb_secret_x"}, 404, "only /rest/v1 is served here"),
    ],
)
async def test_what_it_refuses(
    client: httpx.AsyncClient, echo: Echo, path: str, headers: dict[str, str], status: int, message: str
) -> None:
    answer = await client.get(path, headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert echo.connections == 0


async def test_without_postgrest() -> None:
    gateway, port = Gateway(Upstream(free_port(), TOKENS)), free_port()
    await gateway.start(port)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/rest/v1/x", headers={"apikey": "sb_secret_x"})
    assert answer.status_code == 503
    await gateway.close()
