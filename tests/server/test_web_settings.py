"""Settings of the listener for browsers: what is refused before the server starts."""

import sys
from pathlib import Path

import pytest

from server.settings import WrongSetting
from server.web_settings import WebSettings
from tests.conftest import HAS_WEB
from tests.server.test_settings import read

needs_web = pytest.mark.skipif(not HAS_WEB, reason="the extra `web` is not installed: such settings are refused")
LISTEN = ("--web-listen", "127.0.0.1:8080")
KEYS = ("--auth", "keys")


def test_nobody_is_served_unless_it_is_said(tmp_path: Path) -> None:
    assert read(tmp_path).web is None


def test_without_the_extra_only_browsers_are_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)  # as where it is not installed
    assert read(tmp_path).web is None
    with pytest.raises(WrongSetting, match=r"--web-listen \(ABSFIN_WEB_LISTEN\) needs the extra `web`: pip install"):
        read(tmp_path, *LISTEN)


@needs_web
def test_origins_are_as_browsers_send_them(tmp_path: Path) -> None:
    given = read(tmp_path, *LISTEN, ABSFIN_WEB_ORIGINS="https://Desk.example.com, http://localhost:5173,")
    assert given.web == WebSettings("127.0.0.1:8080", ("https://desk.example.com", "http://localhost:5173"), 500)
    assert read(tmp_path, *LISTEN, "--web-max-calls", "7").web == WebSettings("127.0.0.1:8080", (), 7)
    assert read(tmp_path, *KEYS, ABSFIN_WEB_LISTEN="0.0.0.0:443").web == WebSettings("0.0.0.0:443")


@needs_web
@pytest.mark.parametrize("origin", ["*", "https://*.example.com", "null", "desk.example.com", "https://x/", "ftp://x"])
def test_other_origins_are_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(WrongSetting, match=r"--web-origins \(ABSFIN_WEB_ORIGINS\) must be origins"):
        read(tmp_path, *LISTEN, "--web-origins", origin)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("--web-listen", "0.0.0.0:8080"), "must be a loopback address"),
        (("--web-listen", "8080"), "must be host:port"),
        (("--web-origins", "https://x"), "must be given with --web-listen"),
        ((*LISTEN, "--web-max-calls", "0"), "must be a whole number"),
        (
            (*LISTEN, "--auth", "mtls", "--tls-client-ca", __file__, "--tls-cert", __file__, "--tls-key", __file__),
            "needs jwt or keys",
        ),
    ],
)
def test_wrong_settings(tmp_path: Path, arguments: tuple[str, ...], rule: str) -> None:
    with pytest.raises(WrongSetting, match=rule):
        read(tmp_path, *arguments)
