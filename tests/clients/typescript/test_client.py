"""The TypeScript client: its own tests, its types, and its examples on a real server."""

from pathlib import Path

import pytest

from tests.clients.typescript.package_build import run
from tests.conftest import RunningServer

pytestmark = pytest.mark.timeout(400)  # installing and building take minutes where the machine is busy
EXAMPLES = {
    "optimize": "volatility 6.3 % a year",
    "explain_conflict": "caps: relax by 0.0667",
    "watch_backtest": "after 2900 dates",
    "reallocate": "turnover 15.6 %",
    "watch_events": "event",
}
"""What each example prints, among other lines."""


def test_its_own_tests(built: Path, npm: str) -> None:
    printed = run(npm, "test", "--silent", cwd=built)
    assert "# fail 0" in printed
    assert "# tests 2" in printed, "fewer than 20 tests ran"


def test_types_of_the_examples_the_runner_and_the_entry_of_the_browser(built: Path, npm: str) -> None:
    run(npm, "run", "--silent", "check", cwd=built)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name: str, built: Path, server: RunningServer) -> None:
    argument = ["1"] if name == "watch_events" else []
    printed = run("node", f"examples/{name}.mjs", server.address, *argument, cwd=built, seconds=120)
    assert EXAMPLES[name] in printed
