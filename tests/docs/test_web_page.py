"""What docs/web.md shows: its settings, its call by curl, and the content types of its table."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from server.settings import Settings
from server.web.answering import Answering
from server.web.methods import all_methods
from server.web_settings import WebSettings
from tests.conftest import ROOT, RunningServer

PAGE = (ROOT / "docs/web.md").read_text()
START, CALL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


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
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    server = start_server("--workers", "1", "--web-listen", "127.0.0.1:0")
    command = shlex.split(CALL.replace("http://127.0.0.1:8080", server.browsers))
    done = subprocess.run([*command, "--silent"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [w["weight"] for w in json.loads(done.stdout)["weights"]] == pytest.approx([8 / 11, 3 / 11])


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
