"""How the process of the listener is kept."""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from server.binding import web_socket
from server.web.process import WebListener, WebProcess
from server.web_settings import WebSettings
from tests.conftest import HAS_WEB


@pytest.mark.skipif(not HAS_WEB, reason="the extra `web` is not installed: no server serves browsers")
@pytest.mark.parametrize("program", ["nowhere", "no\0where"], ids=["OSError", "ValueError"])
async def test_a_listener_that_cannot_be_started_for_a_moment_is_started_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    settings = WebSettings("127.0.0.1:0")
    folder = TemporaryDirectory(dir=tmp_path)
    listener = WebListener(WebProcess(settings, web_socket(settings.listen), folder, None, "info"))
    try:
        with monkeypatch.context() as moment:
            moment.setattr(sys, "executable", str(tmp_path / program))
            listener.start()
            await asyncio.sleep(0.2)
        assert json.loads(await asyncio.wait_for(document(listener.url), 60))["openapi"]
    finally:
        await listener.close()


async def document(url: str) -> bytes:
    host, _, port = url.removeprefix("http://").rpartition(":")
    reading, writing = await asyncio.open_connection(host, int(port))
    writing.write(b"GET /openapi.json HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
    answer = await reading.read()
    writing.close()
    return answer.partition(b"\r\n\r\n")[2]
