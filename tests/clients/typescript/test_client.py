"""The TypeScript client against a real server: its own tests, its types, its bundle for a browser, its examples."""

from pathlib import Path

import pytest

from tests.clients.typescript.conftest import run
from tests.conftest import RunningServer

EXAMPLES = {
    "optimize": "volatility 6.3 % a year",
    "explain_conflict": "caps: relax by 0.0667",
    "watch_backtest": "after 2900 dates",
    "reallocate": "turnover 15.6 %",
    "watch_events": "event",
}
"""What each example prints, among other lines."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name: str, built: Path, server: RunningServer) -> None:
    printed = run("node", f"examples/{name}.mjs", server.address, cwd=built, seconds=90)
    assert EXAMPLES[name] in printed


def test_examples_and_the_runner_have_types(built: Path, npm: str) -> None:
    run(npm, "run", "--silent", "check", cwd=built)
