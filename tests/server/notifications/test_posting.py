"""Which addresses a webhook may have, and what is taken as an answer: by real sockets."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
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
        ({"url": "https://a.example@127.0.0.1/", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://a.example\\@127.0.0.1/", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://a.example#@127.0.0.1/", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://127\u30020.0.1/", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://a.example:0/", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://a.example:70000/", "secret": SECRET}, "--webhook-url"),
        ({"url": "https://[::1/", "secret": SECRET}, "--webhook-url"),
        ({"url": "file:///etc/passwd", "secret": SECRET}, "--webhook-url"),
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
    *("::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "fec0::1", "5f00::1", "2001:db8::1", "100::1"),
    *("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "192.88.99.1", "198.18.0.1", "240.0.0.1"),
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


SPELLINGS = ["2130706433", "0177.0.0.1", "0x7f.1", "0x7f000001", "017700000001", "127.1", "0", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", *SPELLINGS])
def test_other_spellings_of_this_machine_lead_nowhere(host: str) -> None:
    """What a name or a number leads to is looked at, not how it is written."""

    async def attempt() -> list[str]:
        async with listening("127.0.0.1") as (port, callers):
            url = f"http://{host}:{port}/hook"
            for hosts in (frozenset[str](), frozenset({host.strip("[]")})):
                with pytest.raises(NotPosted, match="leads to no address that may be called"):
                    await post(WebhookSettings(url, SECRET.encode(), hosts), b"{}", 1)
            return callers

    assert asyncio.run(attempt()) == []


class ChangingNames(asyncio.SelectorEventLoop):
    """An event loop whose names have the addresses that are listed, the next ones each time they are asked for."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[Any] = []

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """The next answer."""
        self.asked.append(host)
        found = self.answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


@asynccontextmanager
async def listening(*addresses: str) -> AsyncIterator[tuple[int, list[str]]]:
    """Receivers at one port of several addresses, and which of them were connected to."""
    callers: list[str] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer.get_extra_info("sockname")[0])
        writer.write(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.3/\r\n\r\n")
        writer.close()

    first = socket.create_server((addresses[0], 0))
    port = first.getsockname()[1]
    sockets = [first, *(socket.create_server((address, port)) for address in addresses[1:])]
    async with AsyncExitStack() as open_:
        for one in sockets:
            await open_.enter_async_context(await asyncio.start_server(serve, sock=one))
        yield port, callers


def called(*answers: tuple[str, ...]) -> tuple[int | str, list[str], int]:
    """Status or reason of a post to a name whose addresses change, who was connected to, how often it was asked.

    The settings allow 127.0.0.1 alone.
    """
    loop = ChangingNames(*answers)

    async def attempt() -> tuple[int | str, list[str]]:
        async with listening("127.0.0.1", "127.0.0.2", "127.0.0.3") as (port, callers):
            allowed = (ipaddress.ip_network("127.0.0.1/32"),)
            settings = WebhookSettings(f"http://hook.example:{port}/", SECRET.encode(), networks=allowed)
            try:
                return await post(settings, b"{}", 1), callers
            except NotPosted as error:
                return str(error), callers

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        end, callers = runner.run(attempt())
    return end, callers, len(loop.asked)


def test_a_name_that_changes_after_it_was_checked_is_not_asked_again() -> None:
    """And the receiver answers with a redirect to a third address, which nobody goes to."""
    assert called(("127.0.0.1",), ("127.0.0.2",)) == (307, ["127.0.0.1"], 1)


def test_a_name_that_becomes_allowed_later_is_refused_now() -> None:
    end, callers, asked = called(("127.0.0.2",), ("127.0.0.1",))
    assert "leads to no address that may be called" in str(end)
    assert (callers, asked) == ([], 1)


def test_of_several_addresses_only_one_that_is_allowed_is_taken() -> None:
    assert called(("127.0.0.2", "127.0.0.3", "127.0.0.1")) == (307, ["127.0.0.1"], 1)


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
