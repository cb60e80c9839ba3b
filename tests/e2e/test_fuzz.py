"""A short run of scripts/fuzz: whatever is sent, no answer is INTERNAL, late, without a reason, or no number."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import RunningServer, Wire
from tests.families import share_of
from tests.fuzzing.run import Run, remove_portfolios, saved
from tests.fuzzing.server import running


@pytest.mark.timeout(300)
def test_generated_requests_get_answers(tmp_path: Path) -> None:
    count, store = share_of(400), tmp_path / "store"
    store.mkdir(mode=0o700)
    with running(store) as watched:
        report = Run(watched, 1, slack=5.0).run(count, most_seconds=180.0)
        left = watched.left_behind()
    files = saved(report, tmp_path / "findings")
    told = [f"{one.problem} (scripts/fuzz --replay {path})" for path, one in zip(files, report.findings, strict=True)]
    assert [*told, *report.complaints] == []
    assert not left
    assert report.sent == count
    assert report.codes["OK"] > count / 8


def test_portfolios_of_a_run_are_removed_before_memory_is_measured(start_server: Callable[..., RunningServer]) -> None:
    channel = start_server().channel()
    wire = Wire(channel)
    for name in ("prepared", "one", "other"):
        wire.call("PortfolioService/CreatePortfolio", {"portfolio": {"cash": 1}, "portfolioId": name})
    assert remove_portfolios(channel, kept=["portfolios/prepared"]) == 2
    (left,) = wire.call("PortfolioService/ListPortfolios", {})["portfolios"]
    assert left["name"] == "portfolios/prepared"
