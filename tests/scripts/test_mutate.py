"""A change that a test notices is killed, one that no test can notice survives, and the copy is as before."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.nearest_tests import over_the_wire
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("server/converters/cost.py", ["e2e/test_costs", "e2e/test_cases"]),
        ("server/security.py", ["server/test_startup", "e2e/test_lifecycle", "e2e/test_cases"]),
    ],
)
def test_files_that_start_a_server(path: str, files: list[str]) -> None:
    found = over_the_wire(Path(path))
    assert found == [f"tests/{name}.py" for name in files]
    assert all((ROOT / file).exists() for file in found)


@pytest.mark.exhaustive
@pytest.mark.skipif(sys.platform != "linux", reason="forks loaded libraries")
def test_a_small_run(tmp_path: Path) -> None:
    file = "domain/costs/self_financing.py"
    before = (ROOT / file).read_bytes()
    command = [sys.executable, "-m", "scripts.mutate", "--count", "3", "--paths", file, "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    outcomes = [line.split()[1] for line in done.stdout.splitlines() if file in line and "measured" not in line]
    assert len(outcomes) == 3
    assert "killed" in outcomes
    assert (tmp_path / "tree" / file).read_bytes() == before == (ROOT / file).read_bytes()
