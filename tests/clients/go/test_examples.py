"""The examples of the client of Go, against a real server."""

import re
from collections.abc import Callable

from tests.conftest import RunningServer

Run = Callable[[str, str], str]


def test_optimize(server: RunningServer, run_example: Run) -> None:
    assert run_example("optimize", server.address).splitlines() == [
        "A 50.0 %",
        "B 50.0 %",
        "return 0.180 and volatility 0.671 a year, solved by daqp",
    ]


def test_a_conflict_is_explained_and_relaxed(server: RunningServer, run_example: Run) -> None:
    assert run_example("conflict", server.address).splitlines() == [
        "no weights satisfy these constraints together: caps, default:budget",
        "caps: relaxed by 0.10 alone, the rest can hold",
        "default:budget: relaxed by 0.20 alone, the rest can hold",
        "with caps of 0.60: A 0.60 B 0.40",
    ]


def test_a_backtest_is_followed_to_its_end(server: RunningServer, run_example: Run) -> None:
    lines = run_example("backtest", server.address).splitlines()
    fractions = [int(line.split("%")[0]) for line in lines if "net asset value" in line]
    assert "simulating optimize" in lines
    assert fractions == sorted(fractions)
    assert re.fullmatch(r"1 has become \d\.\d{4} on 1978-03-19", lines[-1])


def test_reallocate(server: RunningServer, run_example: Run) -> None:
    assert run_example("reallocate", server.address).splitlines() == [
        "1. -48 AAPL at 125.00, then 6597.00 in cash",
        "2. +61 XOM at 106.00, then 127.12 in cash",
        "XOM: 61.76 wanted, 61 planned",
    ]
