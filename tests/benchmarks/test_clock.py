"""How sides are timed: warm, in turn, and by the answers of timed runs."""

import subprocess
import sys

from tests.conftest import ROOT

SCRIPT = """
import time
from clock import in_turn

calls = []

def side(name, seconds):
    def run():
        calls.append(name)
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass
        return len(calls)
    return run

def broken():
    raise ValueError("no answer")

timings = in_turn("job", {"a": side("a", 0.03), "broken": broken, "b": side("b", 0.06)}, seconds=0.13)
print(sorted(timings), [timings[name].rounds for name in "ab"])
print("".join(calls))
print(all(timings[name].answer == len(calls) - "".join(reversed(calls)).index(name) for name in "ab"))
print(30 <= timings["a"].median_ms < 60 <= timings["b"].median_ms < 120)
"""


def test_sides_are_warm_and_timed_in_turn() -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["['a', 'b'] [4, 2]", "aabb" + "ab" + "ba" + "a" + "a", "True", "True"]
    assert "broken failed: ValueError: no answer" in done.stderr
