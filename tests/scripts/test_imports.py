"""Every script can be started: what it imports is there. Long ones are run by hand, so nothing else would tell."""

import subprocess
import sys

from tests.conftest import ROOT

IMPORT_ALL = """
import importlib, pathlib, sys
sys.path.insert(0, "scripts")  # where those that are run by their path look
for path in sorted(pathlib.Path("scripts").rglob("*.py")):
    name = ".".join(path.with_suffix("").parts)
    importlib.import_module(name.removesuffix(".__init__"))
    print(name)
"""


def test_every_script_imports_what_is_there() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    assert {"scripts.chaos_run.__main__", "scripts.soak", "scripts.show"} <= set(done.stdout.split())
