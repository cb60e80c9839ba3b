"""What docs/command-line.md shows: its commands in their order, and that it names every command."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from absfin.cli.app import COMMANDS

from tests.conftest import ROOT, RunningServer

PAGE = (ROOT / "docs/command-line.md").read_text()


def test_the_commands_do_what_the_page_says(sample_server: RunningServer, tmp_path: Path) -> None:
    environment = {
        "ABSFIN_SERVER": sample_server.address,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "COLUMNS": "100",
    }
    script = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    shell = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=110, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "prices.csv: 754 rows, 3 columns" in done.stderr
    assert '"status": "SERVING"' in done.stdout
    assert "careful" in done.stdout
    name = json.loads((tmp_path / "backtest.json").read_text())["name"]
    (newest,) = json.loads((tmp_path / "newest.json").read_text())["backtests"]
    assert newest["name"] == name
    (plan,) = map(json.loads, (tmp_path / "plans.jsonl").read_text().splitlines())
    assert plan["key"] == "portfolios/desk"
    assert len(plan["result"]["plan"]["trades"]) == 2


def test_the_page_names_every_command() -> None:
    table = PAGE.partition("## Commands")[2].partition("\n## ")[0]
    named = {
        command.split()[0]
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for command in re.findall(r"`([\w -]+)`", cell)
    }
    assert named == set(COMMANDS)
