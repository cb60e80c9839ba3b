"""What stands on the standard output of a benchmark: its lines and nothing else."""

import json
import subprocess
import sys

from tests.conftest import ROOT

SCRIPT = """
import os
from output import as_json, result_lines
lines = result_lines()
print("a peer says hello")
os.write(1, b"so does its library in C\\n")
print(as_json({"job": "a", "p50_ms": 1.5, "excess": float("nan")}), file=lines)
"""


def test_nothing_but_json_on_standard_output() -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, timeout=30, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"job": "a", "p50_ms": 1.5, "excess": None}]
    assert "hello" in done.stderr
    assert "library in C" in done.stderr
