"""A change that a test notices is killed, and the copy is as before; which tests start a server for a change."""

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


JUDGED = """
import sys
from pathlib import Path
from scripts.forked_tests import TestTree
from scripts.mutants import mutants_of
from scripts.mutate import Judge
from scripts.nearest_tests import Batch, TestMap

class Nearest(TestMap):  # without the tests of all other folders
    def batches(self, mutant):
        yield next(super().batches(mutant))

folder = Path(sys.argv[1])
tree = TestTree(folder / "tree")
judge = Judge(tree, Nearest(tree, folder, lambda text: None), 60.0)
for mutant in mutants_of(Path("domain/costs/linear.py")):
    if mutant.before == "BASIS_POINT = 1e-4":
        print(mutant.before, judge.outcome(mutant).status)
"""


@pytest.mark.exhaustive
@pytest.mark.skipif(sys.platform != "linux", reason="forks loaded libraries")
def test_a_change_is_judged_in_a_copy(tmp_path: Path) -> None:
    file = ROOT / "domain/costs/linear.py"
    before = file.read_bytes()
    command = [sys.executable, "-c", JUDGED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["BASIS_POINT = 1e-4 killed"]
    assert (tmp_path / "tree/domain/costs/linear.py").read_bytes() == before == file.read_bytes()
