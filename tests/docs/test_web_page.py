"""What docs/web.md and the cookbook show: settings, calls by curl, and the content types that are served."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from scripts.documented_calls import CALL as SHOWN_CALL
from scripts.documented_calls import Call, different, documents, shown_documents
from server.settings import Settings
from server.web.answering import Answering
from server.web.methods import all_methods
from server.web_settings import WebSettings
from tests.conftest import HAS_WEB, ROOT, RunningServer

PAGE = (ROOT / "docs/web.md").read_text()
START, CALL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.skipif(not HAS_WEB, reason="the extra `web` is not installed: such settings are refused")
def test_the_server_of_the_page(tmp_path: Path) -> None:
    install, start = START.strip().splitlines()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert install.removeprefix("uv sync --extra ") in extras
    variables, program = start.split(" uv run ")
    assert program == "python -m server"
    environment = dict(variable.split("=", 1) for variable in variables.split())
    settings = Settings.read(["--data-dir", str(tmp_path)], environment)
    assert settings.web == WebSettings("127.0.0.1:8080", ("https://desk.example.com",))


def test_the_call_of_the_page(start_server: Callable[..., RunningServer]) -> None:
    _require_curl()
    server = start_server("--workers", "1", "--web-listen", "127.0.0.1:0")
    command = shlex.split(CALL.replace("http://127.0.0.1:8080", server.browsers))
    done = subprocess.run([*command, "--silent"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [w["weight"] for w in json.loads(done.stdout)["weights"]] == pytest.approx([8 / 11, 3 / 11])


COOKBOOK = ROOT / "docs/cookbook.md"
BY_CURL = COOKBOOK.read_text().partition("\n## With curl\n")[2]
BACKTEST = "absfinance.v1.BacktestService/Backtest"


def test_every_method_answers_over_http_what_the_cookbook_shows(fresh_sample_server: RunningServer) -> None:
    _require_curl()
    if not HAS_WEB:
        pytest.skip("the extra `web` is not installed: no server serves browsers")
    address = fresh_sample_server.browsers
    command = [sys.executable, "scripts/documented_calls.py", address, "--tool", "curl", str(COOKBOOK)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("true") >= 40
    # What follows a backtest needs the one that the page has deleted again.
    [started] = [call for call in map(Call, _calls(COOKBOOK)) if call.method == BACKTEST]
    assert started.run("curl", address, {})[1] == ""
    for block, shown in re.findall(r"```sh\n(.*?)\n```(?:\n+```json\n(.*?)\n```)?", BY_CURL, re.DOTALL):
        script = block.replace("http://127.0.0.1:8080", address).replace("curl ", "curl --silent --show-error ")
        real = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, timeout=60, check=True)
        if shown:
            assert different(shown_documents(shown), documents(real.stdout.decode())) == "", block
        else:
            assert b'"finished":' in real.stdout


def _calls(page: Path) -> list[str]:
    return [found[1] for found in SHOWN_CALL.finditer(page.read_text())]


def _require_curl() -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")


async def test_the_content_types_are_those_that_are_served() -> None:
    rows = PAGE.partition("| content type |")[2].partition("\n\n")[0]
    shown, base = set[str](), ""
    for name in re.findall(r"`([^`]+)`", rows):
        base = base if name.startswith("+") else name
        shown.add(f"{base}{name}" if name.startswith("+") else name)
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        answering = Answering(channel, 1)
        served = {kind for method in all_methods().values() for kind in answering.content_types(method)}
    assert shown == served
