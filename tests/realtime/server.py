"""Realtime as its clients see it, fed by a PostgreSQL of the tests: python -m tests.realtime.server --help

It speaks version 1 of the protocol of Phoenix channels: phx_join with the tables to follow, phx_reply with their ids,
the system message after which changes come, heartbeat, access_token, broadcast with an answer, phx_leave. Like Realtime
it keeps nothing: rows that are committed while a client is away are never sent to it.
"""

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.realtime.decoding import Decoder, Row

PATH = "/realtime/v1/websocket"
SCHEMA, TABLE = "absfin", "change_notices"
LOOK_SECONDS = 0.02


class TokenRefused(Exception):
    """The text is what Realtime says."""


@dataclass(eq=False, slots=True)
class Channel:
    """What a client has joined."""

    connection: ServerConnection
    topic: str
    expires: float  # seconds since 1970-01-01
    is_acknowledged: bool  # of messages to others
    bindings: list[dict[str, Any]]
    ids: list[int] = field(default_factory=list)

    async def send(self, event: str, payload: object, ref: str | None = None) -> None:
        message = {"topic": self.topic, "event": event, "payload": payload, "ref": ref}
        with suppress(ConnectionClosed):
            await self.connection.send(json.dumps(message))

    async def reply(self, ref: str | None, response: object, status: str = "ok") -> None:
        await self.send("phx_reply", {"status": status, "response": response}, ref)

    async def system(self, status: str, extension: str, message: str) -> None:
        content = {"channel": self.topic.removeprefix("realtime:"), "extension": extension, "message": message}
        await self.send("system", {**content, "status": status})


class Realtime:
    """Connections and their channels."""

    def __init__(self, secret: str, keys: Mapping[str, float], *, announces: bool) -> None:
        self._secret = secret
        self._keys = keys  # that are no tokens
        self._announces = announces
        self._channels: list[Channel] = []
        self._next_id = 1

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a handshake that has no right key."""
        parts = urlsplit(request.path)
        if parts.path != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, "")
        try:
            self._expiry(parse_qs(parts.query).get("apikey", [""])[0])
        except TokenRefused:
            return connection.respond(HTTPStatus.FORBIDDEN, "")
        return None

    async def follow(self, connection: ServerConnection) -> None:
        """Answers a client until it goes."""
        try:
            async for text in connection:
                await self._answer(connection, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            self._channels = [one for one in self._channels if one.connection is not connection]

    async def announce(self, row: Row) -> None:
        """Sends a row to whoever follows the table."""
        data = {
            "schema": SCHEMA,
            "table": TABLE,
            "type": "INSERT",
            "commit_timestamp": datetime.now(UTC).isoformat(),
            "columns": [{"name": name, "type": kind} for name, kind in row.types.items()],
            "record": dict(row.values),
            "errors": None,
        }
        for channel in list(self._channels):
            if channel.ids and self._announces:
                await channel.send("postgres_changes", {"ids": channel.ids, "data": data})

    async def expire(self) -> None:
        """Ends channels whose token has expired."""
        for channel in list(self._channels):
            late = time.time() - channel.expires
            if late > 0:
                await channel.system("error", "system", f"Token has expired {late:.0f} seconds ago")
                await self._end(channel)

    async def _answer(self, connection: ServerConnection, message: dict[str, Any]) -> None:
        topic, event, ref, payload = (message[name] for name in ("topic", "event", "ref", "payload"))
        if event == "phx_join":
            await self._join(Channel(connection, topic, 0.0, False, []), ref, payload)
            return
        known = [one for one in self._channels if one.connection is connection and one.topic == topic]
        if event == "heartbeat":
            await Channel(connection, topic, 0.0, False, []).reply(ref, {})
        for channel in known:
            if event == "broadcast" and channel.is_acknowledged:
                await channel.reply(ref, {})
            elif event == "access_token":
                await self._renew(channel, payload["access_token"])
            elif event == "phx_leave":
                await channel.reply(ref, {})
                await self._end(channel)

    async def _join(self, channel: Channel, ref: str, payload: dict[str, Any]) -> None:
        config = payload["config"]
        try:
            channel.expires = self._expiry(payload.get("access_token", ""))
        except TokenRefused as refused:
            await channel.reply(ref, {"reason": str(refused)}, "error")
            return
        channel.is_acknowledged = bool((config.get("broadcast") or {}).get("ack"))
        wanted = [{**one, "id": self._next_id + i} for i, one in enumerate(config.get("postgres_changes", []))]
        self._next_id += len(wanted)
        self._channels.append(channel)
        await channel.reply(ref, {"postgres_changes": wanted})
        # The reply is not the beginning: changes of this moment are sent to nobody, as by Realtime.
        await asyncio.sleep(0.1)
        channel.ids = [
            one["id"] for one in wanted if (one["schema"], one.get("table"), one["event"]) == (SCHEMA, TABLE, "INSERT")
        ]
        await channel.system("ok", "postgres_changes", "Subscribed to PostgreSQL")

    async def _renew(self, channel: Channel, token: str) -> None:
        try:
            channel.expires = self._expiry(token)
        except TokenRefused as refused:
            await channel.system("error", "system", str(refused))
            await self._end(channel)

    async def _end(self, channel: Channel) -> None:
        if channel in self._channels:
            self._channels.remove(channel)
        await channel.send("phx_close", {})

    def _expiry(self, token: str) -> float:
        """When a key or a token of the service's role ends. Raises TokenRefused."""
        if token in self._keys:
            return self._keys[token]
        try:
            claims = jwt.decode(token, self._secret, ["HS256"], options={"verify_aud": False})
        except jwt.ExpiredSignatureError:
            raise TokenRefused("InvalidJWTToken: Token has expired") from None
        except jwt.InvalidTokenError:
            raise TokenRefused("MalformedJWT: The token provided is not a valid JWT") from None
        if claims.get("role") != "service_role":
            raise TokenRefused("Unauthorized: You do not have permissions to read from this Channel topic")
        return float(claims["exp"])


async def run(given: argparse.Namespace) -> None:
    """Serves until it is ended; prints its port once rows are followed."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    decoder = await Decoder.open(given.database, f"{SCHEMA}.{TABLE}")
    realtime = Realtime(given.secret, {key: float("inf") for key in given.key}, announces=not given.mute)
    async with serve(
        realtime.follow, "127.0.0.1", given.port, process_request=realtime.refuse, close_timeout=0.5
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)  # noqa: T201  # the one line
        while not stop.is_set():
            async for row in decoder.rows():
                await realtime.announce(row)
            await realtime.expire()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.realtime.server")
    parser.add_argument("--database", required=True, help="address of the database, for a role that may replicate")
    parser.add_argument("--secret", required=True, help="of tokens signed with HS256")
    parser.add_argument("--key", action="append", default=[], help="a secret key that is no token")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mute", action="store_true", help="announce nothing, as where no publication has the table")
    asyncio.run(run(parser.parse_args()))
