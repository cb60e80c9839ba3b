"""Which addresses a webhook may have, and what is taken as an answer: by real sockets."""

import asyncio
import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from server.notifications.posting import NotPosted, post, signature
from server.settings import Settings, WrongSetting
from server.webhook_settings import WebhookSettings

SECRET = "s" * 32
HERE = (ipaddress.ip_network("127.0.0.0/8"),)


def read(tmp_path: Any, **texts: str) -> WebhookSettings | None:
    environment = {f"ABSFIN_WEBHOOK_{name.upper()}": text for name, text in texts.items()}
    return Settings.read(["--data-dir", str(tmp_path)], environment).webhook


def test_none_set_is_no_delivery(tmp_path: Any) -> None:
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ({"secret": SECRET}, "--webhook-secret"),
        ({"allow": "a.example"}, "--webhook-allow"),
        ({"url": "https://a.example"}, "--webhook-secret"),
        ({"url": "https://a.example", "secret": "short"}, "--webhook-secret"),
        ({"url": "ftp://a.example", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://u:p@a.example", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://a.example/x\r\nHost: b", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://a.example/x y", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://a.example", "secret": SECRET, "allow": "b.example"}, "--webhook-allow"),
        ({"url": "https://a.example", "secret": SECRET, "allow": "https://a.example"}, "--webhook-allow"),
        ({"url": "https://a.example", "secret": SECRET, "seconds": "0"}, "--webhook-seconds"),
    ],
)
def test_settings_that_are_refused(tmp_path: Any, texts: dict[str, str], name: str) -> None:
    with pytest.raises(WrongSetting, match=name) as raised:
        read(tmp_path, **texts)
    assert SECRET not in str(raised.value)


def test_the_secret_is_not_shown(tmp_path: Any) -> None:
    found = read(tmp_path, url="https://a.example/hook", secret=SECRET)
    assert found is not None
    assert SECRET not in repr(found)


REFUSED = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),  # noqa: S104
    *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::"),
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public_need_a_network(address: str) -> None:
    one = ipaddress.ip_address(address)
    assert not WebhookSettings("https://a.example", b"", frozenset({"a.example"})).permits(one)
    plain = getattr(one, "ipv4_mapped", None) or one
    assert WebhookSettings("https://a.example", b"", networks=(ipaddress.ip_network(plain),)).permits(one)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_need_the_name(address: str) -> None:
    one = ipaddress.ip_address(address)
    assert WebhookSettings("https://a.example", b"").permits(one)
    assert WebhookSettings("https://a.example", b"", frozenset({"a.example"})).permits(one)
    assert not WebhookSettings("https://b.example", b"", frozenset({"a.example"})).permits(one)
    assert not WebhookSettings("https://b.example", b"", frozenset({"a.example"}), HERE).permits(one)


def test_a_signature_is_that_of_the_documentation() -> None:
    """By openssl: printf '1700000000.{}' | openssl dgst -sha256 -hmac <32 times s>."""
    assert signature(SECRET.encode(), 1_700_000_000, b"{}") == (
        "t=1700000000,v1=73b0c93d610ddd03ce2b853c7b6263d71114d7f83e5a29ed052cbd2a0fbddebc"
    )


ANSWERS: list[tuple[bytes, int | str]] = [
    (b"HTTP/1.1 200 OK\r\n\r\n", 200),
    (b"HTTP/1.0 204\r\n", 204),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\r\n", 201),
    (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 500 No\r\n", 500),
    (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, "none of HTTP"),
    (b"SSH-2.0-x\r\n", "none of HTTP"),
    (b"", "none of HTTP"),
    (b"HTTP/1.1 200", "none of HTTP"),
    (b"x" * 100_000, "none of HTTP"),
    (b"HTTP/1.1 100 a\r\n" + b"x: y\r\n" * 1000, "none of HTTP"),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS, ids=range(len(ANSWERS)))
def test_answers(answer: bytes, expected: int | str) -> None:
    def respond(_: bytes) -> bytes:
        return answer

    if isinstance(expected, int):
        assert asyncio.run(posted(respond)) == expected
    else:
        with pytest.raises(NotPosted, match=expected):
            asyncio.run(posted(respond))


def test_an_answer_that_drips_is_not_waited_for() -> None:
    async def drip() -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            except OSError:
                return
            finally:
                writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            return await post(webhook(server, seconds=0.5), b"{}", 1)

    with pytest.raises(NotPosted, match=r"did not answer within 0\.5 s"):
        asyncio.run(drip())


async def posted(respond: Callable[[bytes], bytes]) -> int:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /hook HTTP/1.1\r\n")
        assert await reader.readexactly(2) == b"{}"
        writer.write(respond(head))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        return await post(webhook(server), b"{}", 1)


def webhook(server: asyncio.Server, seconds: float = 10.0) -> WebhookSettings:
    port = server.sockets[0].getsockname()[1]
    return WebhookSettings(f"http://127.0.0.1:{port}/hook", SECRET.encode(), networks=HERE, seconds=seconds)
