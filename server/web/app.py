"""The application: what each address of the listener serves."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2

from server.web.answering import Answering
from server.web.calls import metadata_of
from server.web.exchange import ClientGone, Exchange, Receive, Send
from server.web.methods import Method, all_methods
from server.web.openapi import openapi_document
from server.web.origins import Origins
from server.web.statuses import HTTP_STATUS, Refused, code_name, error_json, status_of_call

HEALTH_PATH, OPENAPI_PATH = "/healthz", "/openapi.json"
HEALTH_METHOD = "/grpc.health.v1.Health/Check"
HEALTH_SECONDS = 5.0


class Bridge:
    """The ASGI application over a channel to the server."""

    def __init__(self, channel: grpc.aio.Channel, origins: tuple[str, ...], max_calls: int) -> None:
        self._channel = channel
        self._origins = Origins(origins)
        self._methods: Mapping[str, Method] = all_methods()
        self._answering = Answering(channel, max_calls)
        self._openapi = openapi_document(self._methods.values())

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one request."""
        exchange = Exchange(scope, receive, send)
        with contextlib.suppress(ClientGone):
            await self._serve(exchange)

    async def _serve(self, exchange: Exchange) -> None:
        method = self._methods.get(exchange.path)
        allowed = "GET" if exchange.path in (HEALTH_PATH, OPENAPI_PATH) else "POST"
        if not self._origins.admit(exchange):
            await _refuse(exchange, 403, code_pb2.PERMISSION_DENIED, "pages of this origin may not call this server")
        elif exchange.method == "OPTIONS":
            await self._origins.answer_preflight(exchange)
        elif method is None and allowed == "POST":
            await _refuse(exchange, 404, code_pb2.UNIMPLEMENTED, "the contract has no such method")
        elif exchange.method != allowed:
            await _refuse(exchange, 405, code_pb2.UNIMPLEMENTED, f"use {allowed}", [("allow", allowed)])
        elif method is not None:
            await self._call(exchange, method)
        elif exchange.path == HEALTH_PATH:
            await self._health(exchange)
        else:
            await exchange.respond(200, "application/json", self._openapi)

    async def _call(self, exchange: Exchange, method: Method) -> None:
        kinds = self._answering.content_types(method)
        if exchange.content_type in kinds:
            await self._answering.answer(exchange, method)
            return
        text = f"the content type of this method must be one of {', '.join(kinds)}"
        await _refuse(exchange, 415, code_pb2.INVALID_ARGUMENT, text, [("accept-post", ", ".join(kinds))])

    async def _health(self, exchange: Exchange) -> None:
        """The health of the server: 200 while it serves, 503 otherwise, with the name of its state."""
        check: Any = self._channel.unary_unary(
            HEALTH_METHOD, response_deserializer=health_pb2.HealthCheckResponse.FromString
        )
        try:
            answer = await check(b"", timeout=HEALTH_SECONDS, metadata=metadata_of(exchange))
        except (grpc.aio.AioRpcError, Refused) as error:
            status = error.status if isinstance(error, Refused) else status_of_call(error)
            await exchange.respond_json(HTTP_STATUS[code_name(status)], error_json(status))
            return
        name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
        await exchange.respond_json(200 if name == "SERVING" else 503, {"status": name})


async def _refuse(
    exchange: Exchange, http: int, code: int, message: str, headers: Iterable[tuple[str, str]] = ()
) -> None:
    """Answers what is no call, in the words of Connect."""
    await exchange.respond_json(http, error_json(Status(code=code, message=message)), headers)
