"""The TypeScript client: its own tests, its types, and its examples on a real server."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.typescript.package_build import run
from tests.conftest import RunningServer
from tests.e2e.event_log import signal, written_log

pytestmark = pytest.mark.timeout(400)  # installing and building take minutes where the machine is busy
EXAMPLES = {
    "optimize": "volatility 6.3 % a year",
    "explain_conflict": "caps: relax by 0.0667",
    "watch_backtest": "after 2900 dates",
    "reallocate": "turnover 15.6 %",
}
"""What each example prints, among other lines."""


def test_its_own_tests(built: Path, npm: str) -> None:
    printed = run(npm, "test", "--silent", cwd=built)
    assert "# fail 0" in printed
    (count,) = re.findall(r"^# pass (\d+)$", printed, re.MULTILINE)
    assert int(count) >= 20


def test_types_of_the_examples_the_runner_and_the_entry_of_the_browser(built: Path, npm: str) -> None:
    run(npm, "run", "--silent", "check", cwd=built)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name: str, built: Path, server: RunningServer) -> None:
    printed = run("node", f"examples/{name}.mjs", server.address, cwd=built, seconds=120)
    assert EXAMPLES[name] in printed


def test_the_example_that_watches_events(built: Path, start_server: Callable[..., RunningServer]) -> None:
    server = start_server("--workers", "1")
    with written_log(server.data_dir) as log:
        log.append(signal("A left its band"))
    printed = run("node", "examples/watch_events.mjs", server.address, "1", cwd=built, seconds=120).splitlines()
    assert printed == ["events 1 to 1 are retained", "1: signal: A left its band"]
