"""The README of the Python client: what it installs is there, and its program runs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.conftest import ROOT, RunningServer

CLIENT = ROOT / "clients/python"
README = (CLIENT / "README.md").read_text()
USUAL_ADDRESS = "127.0.0.1:50051"


def blocks(language: str) -> list[str]:
    """The code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_a_backtest_watched_live(server: RunningServer, tmp_path: Path) -> None:
    (program,) = blocks("python")
    assert USUAL_ADDRESS in program
    script = tmp_path / "watch.py"
    script.write_text(program.replace(USUAL_ADDRESS, server.address))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "simulating equal_weight" in lines
    assert lines[-2] == "finished: succeeded"
    assert re.fullmatch(r"final wealth 1\.\d{4}", lines[-1])


def test_what_is_installed_by_path_is_what_the_client_needs() -> None:
    """Everything else that it needs comes from a package registry."""
    paths = re.findall(r"\.\./abs-finance/(\S+)", blocks("sh")[0])
    projects = [tomllib.loads((ROOT / path / "pyproject.toml").read_text())["project"] for path in paths]
    assert [project["name"] for project in projects] == ["absfinance-api", "absfin"]
    assert "absfinance-api" in projects[1]["dependencies"]


def test_every_link_leads_to_a_file() -> None:
    for path in re.findall(r"\]\(([^)#]+)", README):
        assert (CLIENT / path).exists(), path
