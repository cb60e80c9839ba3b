"""The live page, built once in a folder of the tests, and a server that serves it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.kept_builds import kept_build
from tests.clients.typescript.package_build import BUILD_SECONDS, LEFT_BY_BUILDS, PACKAGE, copy_of_the_clone
from tests.conftest import COMPLETE, ROOT, RunningServer

PAGE = ROOT / "clients/web"
PROGRAMS = Path(__file__).parent / "programs"
BUILD, START = re.findall(r"^```sh\n(.*?)^```", (PAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
"""Commands of the page's README, in the folder of the clone."""

QUIET = {"npm_config_audit": "false", "npm_config_fund": "false", "npm_config_prefer_offline": "true"}


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found or not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("chromium, node and npm are not all installed: the live page was not opened")
    return found


@pytest.fixture(scope="session")
def page_folder(chromium: str) -> Path:
    """The folder of the page in a copy of the clone, built as its README says; once for all processes of the tests."""
    return kept_build("live-page", (PAGE, PACKAGE, ROOT / "protos", PROGRAMS), _build) / "clients/web"


def _build(clone: Path) -> None:
    copy_of_the_clone(clone)
    shutil.copytree(PAGE, clone / "clients/web", ignore=LEFT_BY_BUILDS)
    variables = {**os.environ, **QUIET}
    for line in BUILD.splitlines():
        done = subprocess.run(
            line.split(), cwd=clone, capture_output=True, text=True, timeout=BUILD_SECONDS, env=variables
        )
        if done.returncode and line.startswith("npm ci"):
            pytest.skip(f"npm cannot install the libraries of the page: {line}: {done.stderr[-300:]}")
        assert done.returncode == 0, f"{line}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    for program in PROGRAMS.iterdir():
        shutil.copy(program, clone / "clients/web")  # beside the libraries that it imports


@pytest.fixture(scope="module")
def served(page_folder: Path, start_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that serves the page."""
    variables = dict(re.findall(r"(ABSFIN_WEB_\w+)=(\S+)", START))
    variables["ABSFIN_WEB_LISTEN"] = variables["ABSFIN_WEB_LISTEN"].replace(":8080", ":0")
    variables["ABSFIN_WEB_PAGES"] = str(page_folder.parents[1] / variables["ABSFIN_WEB_PAGES"])
    return start_server("--workers", "1", program=COMPLETE, environment=variables)


@pytest.fixture
def visit(page_folder: Path, served: RunningServer, chromium: str, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs a program with a browser on the page; returns what it has found. Pictures are in a folder of the test."""

    def with_program(name: str, *arguments: str, seconds: float = 110.0) -> dict[str, Any]:
        pictures = Path(os.environ.get("ABSFIN_PICTURES", tmp_path))
        command = ["node", name, served.browsers, str(pictures), *arguments]
        variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHROMIUM": chromium}
        done = subprocess.run(command, cwd=page_folder, capture_output=True, text=True, timeout=seconds, env=variables)
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return with_program
