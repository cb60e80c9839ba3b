"""One signed request to a webhook: to the address that was checked, in bounded time, with nothing read but its status.

An ordinary client of HTTP resolves a name once more after it was checked, follows redirects, and reads what it is sent;
none of that is wanted of an address that somebody else may control.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import socket
import ssl
from typing import cast

from server.webhook_settings import Address, WebhookSettings

SIGNATURE_HEADER = "Absfin-Signature"
LINE_BYTES = 8192
MOST_LINES = 100
MOST_INTERIM = 3
"""Answers such as 100 Continue that may come before the one that counts."""


class NotPosted(Exception):
    """An attempt had no answer that can be used; the text says why, in our words."""


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """The signature of a body at a time in seconds since 1970-01-01: HMAC-SHA256 of "timestamp.body"."""
    digest = hmac.new(secret, b"%d." % timestamp + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


async def post(webhook: WebhookSettings, body: bytes, timestamp: int) -> int:
    """Posts a body, and returns the status of the answer. Raises NotPosted."""
    host = webhook.parts.hostname or ""
    try:
        async with asyncio.timeout(webhook.seconds):
            reader, writer = await _connect(webhook, host)
            try:
                writer.write(_request(webhook, body, timestamp))
                await writer.drain()
                return await _status(reader)
            finally:
                writer.close()
    except TimeoutError:
        raise NotPosted(f"{host} did not answer within {webhook.seconds:g} s") from None
    except ssl.SSLError:
        raise NotPosted(f"{host} has no certificate that this server trusts") from None
    except OSError:
        raise NotPosted(f"{host} cannot be reached") from None


async def _connect(webhook: WebhookSettings, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = webhook.parts
    secure = parts.scheme == "https"
    address = await _address(webhook, host, parts.port or (443 if secure else 80))
    context = ssl.create_default_context() if secure else None
    # To the address itself: the name is for the certificate, and is not resolved again.
    return await asyncio.open_connection(
        *address, ssl=context, server_hostname=host if secure else None, limit=LINE_BYTES
    )


async def _address(webhook: WebhookSettings, host: str, port: int) -> tuple[str, int]:
    """The first address of a host that may be connected to."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotPosted(f"{host} cannot be resolved") from None
    for _, _, _, _, resolved in found:
        name, at = cast("tuple[str, int]", resolved[:2])
        address: Address = ipaddress.ip_address(name.partition("%")[0])
        if webhook.permits(address):
            return name, at
    raise NotPosted(f"{host} leads to no address that may be called: see ABSFIN_WEBHOOK_ALLOW")


def _request(webhook: WebhookSettings, body: bytes, timestamp: int) -> bytes:
    parts = webhook.parts
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: abs-finance",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"{SIGNATURE_HEADER}: {signature(webhook.secret, timestamp, body)}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of an answer, which is all that is read of it."""
    for _ in range(1 + MOST_INTERIM):
        words = (await _line(reader)).split(b" ", 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not (words[1].isdigit() and len(words[1]) == 3):
            break
        status = int(words[1])
        if status >= 200:
            return status
        for _ in range(MOST_LINES):
            if not await _line(reader):
                break
    raise NotPosted("the answer is none of HTTP")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\n")).rstrip(b"\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NotPosted("the answer is none of HTTP") from None
