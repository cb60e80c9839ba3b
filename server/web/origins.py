"""Which pages may call: the origins of the settings, by CORS. No cookies are used, so none are allowed."""

from server.web.exchange import Exchange

METHODS = "POST, GET"

REQUEST_HEADERS = (
    "authorization, connect-accept-encoding, connect-content-encoding, connect-protocol-version, connect-timeout-ms, "
    "content-type, grpc-timeout, traceparent, x-grpc-web, x-request-id, x-user-agent"
)

RESPONSE_HEADERS = (
    "grpc-message, grpc-status, grpc-status-details-bin, trailer-grpc-retry-pushback-ms, trailer-x-request-id, "
    "x-request-id"
)

PREFLIGHT_SECONDS = 7200
"""The longest time that browsers keep the answer."""


class Origins:
    """The origins whose pages may call.

    A request that names another origin is refused, and not only kept from reading the answer. So a page that reaches a
    server of this machine under a name of its own (DNS rebinding) can call nothing: browsers send `Origin` with every
    POST.
    """

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = frozenset(allowed)

    def admit(self, exchange: Exchange) -> bool:
        """Whether the request comes from no page, or from one that may call; its responses then say so."""
        exchange.extra.append(("vary", "origin"))
        origin = exchange.headers.get("origin")
        if origin is None:
            return True
        if origin.lower() not in self._allowed:
            return False
        exchange.extra.append(("access-control-allow-origin", origin))
        exchange.extra.append(("access-control-expose-headers", RESPONSE_HEADERS))
        return True

    async def answer_preflight(self, exchange: Exchange) -> None:
        """Tells a browser what it may send."""
        headers = (
            ("access-control-allow-methods", METHODS),
            ("access-control-allow-headers", REQUEST_HEADERS),
            ("access-control-max-age", str(PREFLIGHT_SECONDS)),
        )
        await exchange.respond(204, "", b"", headers)
