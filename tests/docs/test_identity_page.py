"""The commands of docs/identity.md, in their order, against a server that asks for keys."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT, RunningServer

PAGE = (ROOT / "docs/identity.md").read_text()
FIRST_KEY, LATER_KEYS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
(SNIPPET,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(PROFILE,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def shell(script: str, **variables: str) -> str:
    """Standard output of a script that must succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "COLUMNS": "200", **variables}
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def first_key(folder: Path) -> str:
    """Made by the command of the page."""
    made = FIRST_KEY.replace(".venv/bin/python", shlex.quote(sys.executable)).replace("DIR", shlex.quote(str(folder)))
    key = re.search(r"absfin_\S+", shell(made))
    assert key is not None
    return key[0]


def test_the_commands_make_list_and_revoke_keys(start_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = first_key(folder)
    server = start_server("--auth", "keys", data_dir=folder).address
    export, create, listed, revoke = LATER_KEYS.replace("absfin_...", key).strip().splitlines()
    assert shell(f"{export}\n{create}", ABSFIN_SERVER=server).startswith("absfin_")
    name = re.search(r"(apiKeys/[\w-]+)[^\n]*The desk", shell(f"{export}\n{listed}", ABSFIN_SERVER=server))
    assert name is not None
    shell(f"{export}\n{revoke.replace('apiKeys/ID', name[1])}", ABSFIN_SERVER=server)
    assert re.search(rf"{name[1]}[^\n]*revoked", shell(f"{export}\n{listed}", ABSFIN_SERVER=server))


def test_the_snippet_and_the_profile_list_portfolios(
    start_server: Callable[..., RunningServer], tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    key = first_key(folder)
    server = start_server("--auth", "keys", data_dir=folder).address
    config = tmp_path / "config.toml"
    profile = (
        PROFILE.replace("server.example:443", server).replace("absfin_...", key).replace("tls = true", "tls = false")
    )
    config.write_text(profile)
    config.chmod(0o600)
    variables = {"ABSFIN_PROFILE": "desk", "ABSFIN_CONFIG": str(config)}
    shell("absfin portfolio create mine --cash 1", **variables)
    assert shell("absfin portfolio list", **variables) == "portfolios/mine\n"
    script = tmp_path / "snippet.py"
    script.write_text(SNIPPET.replace("127.0.0.1:50051", server))
    printed = shell(f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}", ABSFIN_TOKEN=key)
    first, second = printed.splitlines()
    assert first == "['portfolios/mine']"
    assert re.fullmatch(r"\['apiKeys/\w+ portfolios/mine'\]", second)
