"""The commands of docs/supabase.md, in their order, and a server that uses what they started."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.supabase_local import down
from tests.conftest import ROOT
from tests.supabase_stack import why_not

START, END = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/supabase.md").read_text(), re.DOTALL)
PROGRAMS = {"scripts/supabase-local": "scripts.supabase_local", "scripts/migrate": "scripts.migrations"}


@pytest.fixture
def folder() -> Iterator[Path]:
    if why_not("system") and (cause := why_not("wheel")):
        pytest.skip(cause)
    made = Path(tempfile.mkdtemp(prefix="absfin-page-"))
    made.chmod(0o711)
    yield made
    down(made / "supabase")
    shutil.rmtree(made)


def shell(script: str, folder: Path) -> str:
    """Standard output of a script that must succeed; what the scripts install is there already."""
    python = shlex.quote(sys.executable)
    script = script.replace(".venv/bin/python", python)
    for program, module in PROGRAMS.items():
        script = script.replace(program, f"{python} -m {module}")
    environment = {
        **os.environ, "ABSFIN_SUPABASE_DIR": str(folder / "supabase"), "ABSFIN_DATA_DIR": str(folder / "data"),
    }  # fmt: skip
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_start_use_and_end_a_stack(folder: Path) -> None:
    printed = shell(START, folder).splitlines()
    assert all(line.startswith("applied  ") for line in printed[:-1])
    assert printed[-1].startswith("absfin_")
    status, stopped = END.splitlines()
    assert "export ABSFIN_STORAGE=supabase" in shell(status, folder)
    assert shell(stopped, folder) == "stopped\n"


def test_settings_for_containers(folder: Path) -> None:
    """Every variable that compose.yaml asks for, and a key that the server accepts."""
    drawn = dict(line.split("=", 1) for line in shell("scripts/supabase-local keys", folder).splitlines())
    asked = set(re.findall(r"\$\{(\w+):-\}", (ROOT / "compose.yaml").read_text()))
    assert asked == {"SUPABASE_URL", "SUPABASE_KEY", "POSTGRES_PASSWORD", "JWT_SECRET"}
    assert asked < set(drawn)
    from server.settings import Settings

    given = {name: drawn[name] for name in ("ABSFIN_STORAGE", "SUPABASE_URL", "SUPABASE_KEY")}
    assert Settings.read(("--data-dir", str(folder / "data")), given).supabase_key == drawn["SUPABASE_KEY"]
