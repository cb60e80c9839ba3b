"""The program of clients/rust, built from the contract and run against a real server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.kept_builds import cargo_variables
from tests.conftest import ROOT, RunningServer

BUILD_SECONDS = 600.0
PROTOC = Path(sys.executable).with_name("python-grpc-tools-protoc")


@pytest.mark.timeout(BUILD_SECONDS + 120.0)
@pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
def test_it_optimises_and_follows_a_backtest(server: RunningServer) -> None:
    variables = {**os.environ, **cargo_variables(), "PROTOS": str(ROOT / "protos"), "PROTOC": str(PROTOC)}
    command = ["cargo", "run", "--quiet", "--locked", "--", f"http://{server.address}"]
    done = subprocess.run(
        command, cwd=ROOT / "clients/rust", env=variables, capture_output=True, text=True, timeout=BUILD_SECONDS
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    # Weights of least variance are in inverse proportion to the variances .04 and .09: 9/13 and 4/13.
    assert lines[:2] == ["A 0.6923", "B 0.3077"]
    assert "simulating optimize" in lines
    assert lines[-2] == "BACKTEST_STATE_SUCCEEDED"
    assert re.fullmatch(r"final wealth 1\.\d{4}", lines[-1])
