"""The page that the listener for browsers serves: its files and no others, and who may call from it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import LIGHT, ROOT, RunningServer

LISTS = "/absfinance.v1.PortfolioService/ListPortfolios"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("pages")
    made = above / "page"
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_text("<!doctype html><title>page</title>")
    (made / "assets/main.js").write_text("export {};")
    (made / ".env").write_text("hidden")
    (above / "outside.txt").write_text("outside")
    (made / "link.txt").symlink_to(above / "outside.txt")
    return made


@pytest.fixture(scope="module")
def served(folder: Path, start_server: Callable[..., RunningServer]) -> RunningServer:
    return start_server("--workers", "1", "--web-listen", "127.0.0.1:0", "--web-pages", str(folder))


@pytest.fixture
def browser(served: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.browsers, timeout=60.0, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/", "text/html; charset=utf-8", "<!doctype html><title>page</title>"),
        ("/index.html", "text/html; charset=utf-8", "<!doctype html><title>page</title>"),
        ("/assets/main.js", "text/javascript; charset=utf-8", "export {};"),
    ],
)
def test_files(browser: httpx.Client, path: str, kind: str, text: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, kind, text)
    assert "default-src 'none'; script-src 'self';" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert browser.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/.env", "/link.txt", "/../outside.txt", "/%2e%2e/outside.txt", "/assets", "/other"])
def test_nothing_else_is_served(served: RunningServer, path: str) -> None:
    host, _, port = served.browsers.removeprefix("http://").partition(":")
    command = ["curl", "--silent", "--noproxy", "*", "--path-as-is", f"http://{host}:{port}{path}"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert answer["code"] == "unimplemented"


def test_the_page_may_call_and_one_that_only_has_this_address_may_not(
    served: RunningServer, browser: httpx.Client
) -> None:
    port = served.browsers.rpartition(":")[2]

    def status(origin: str, **headers: str) -> int:
        kind = {"content-type": "application/json", "origin": origin, **headers}
        return browser.post(LISTS, content=b"{}", headers=kind).status_code

    assert status(f"http://127.0.0.1:{port}") == status(f"http://localhost:{port}") == 200
    # A name of somebody else that leads to this machine: browsers send it as the host and as the origin.
    assert status(f"http://rebound.example:{port}", host=f"rebound.example:{port}") == 403
    assert status("http://127.0.0.1:1") == status(f"https://127.0.0.1:{port}") == 403


def test_a_folder_without_a_page_is_refused_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    places = ["--listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data")]
    command = [sys.executable, "-m", *LIGHT, *places, "--web-pages", str(tmp_path / "empty")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode != 0
    assert "--web-pages (ABSFIN_WEB_PAGES) must be the folder of a built page, with index.html" in done.stderr
    assert "Traceback" not in done.stderr
