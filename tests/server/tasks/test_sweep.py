"""The task that runs trials of a sweep, without a server around it."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from absfinance.v1.backtest_pb2 import BACKTEST_STATE_SUCCEEDED
from absfinance.v1.backtest_service_pb2 import SweepRequest
from absfinance.v1.sweep_pb2 import SweepTrial
from google.protobuf.json_format import ParseDict

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from server.converters.backtest_result import outcome_metrics_to_proto
from server.converters.backtests import specification_from_bytes
from server.converters.sweep_request import stored_trials
from server.execution.control import Control
from server.jobs.backtest_run import Job
from server.jobs.sweep_state import TrialDone
from server.ports.errors import Refused
from server.ports.panels import StoredPanelRef
from server.tasks import sweep as sweep_task
from server.tasks.backtest import Drafted
from server.tasks.sweep import run_trials

DATES = 120
SYMBOLS = ("A", "B", "C")


no_control = cast(Control, lambda: None)  # never cancelled


@pytest.fixture
def panel() -> PricePanel:
    returns = np.random.default_rng(5).normal(4e-4, 0.01, (DATES, len(SYMBOLS)))
    return PricePanel.of(SYMBOLS, np.arange(DATES), 100.0 * np.cumprod(1.0 + returns, axis=0))


@pytest.fixture
def job(panel: PricePanel, tmp_path: Path) -> Job:
    path = tmp_path / "panel.npy"
    np.save(path, panel.values)
    return Job(StoredPanelRef(SYMBOLS, panel.dates, path), "prices", {}, {}, None, ())


def sweep(*costs: float) -> bytes:
    """The last three trials need more dates than there are."""
    base = {
        "strategy": {"optimize": {"objective": {"minRisk": {}}, "lookbackPeriods": 40}},
        "rebalancing": {"everyPeriods": {"n": 20}},
        "periodsPerYear": 252,
        "marketData": {"symbols": list(SYMBOLS)},
        "cashFlows": [{"date": {"year": 1970, "month": 4, "day": 1}, "amount": 0.1}],
    }
    axes = [
        {"path": "strategy.optimize.lookbackPeriods", "numbers": {"values": [40, 2 * DATES]}},
        {"path": "costs.commissionBps", "numbers": {"values": list(costs)}},
    ]
    return ParseDict({"grid": {"base": base, "axes": axes}}, SweepRequest()).SerializeToString()


def test_trials_have_the_messages_of_their_backtests(panel: PricePanel, job: Job) -> None:
    """Those that are priced anew too; one that cannot decide is a value, and leaves the others alone."""
    request, done = sweep(0.0, 10.0, 30.0), list[TrialDone]()
    while len(done) < 6:  # a task gives its process back after a second
        run_trials({0: job}, (), request, range(len(done), 6), no_control, done.extend)
    assert [one.index for one in done] == list(range(6))
    trials = stored_trials(request)
    for one in done[:3]:
        plan = prepare(specification_from_bytes(trials.request(one.index).SerializeToString()), panel)
        alone = run(plan, lambda _: None, no_control).strategies[0]
        listed = SweepTrial.FromString(one.trial)
        assert listed.state == BACKTEST_STATE_SUCCEEDED
        assert listed.metrics == outcome_metrics_to_proto(alone.performance, alone.money_weighted_return)
        assert one.returns is not None
        assert len(one.returns.days) == len(plan.days) - 1
    assert {one.error[0] for one in done[3:] if one.error} == {InvalidInput.REASON}
    assert len({one.score for one in done[:3]}) == 3


def test_trials_that_end_within_a_moment_are_reported_together(job: Job) -> None:
    """What they share is in a report once: a sweep of a thousand trials sends their dates some thirty times."""
    base = {
        "strategy": {"equalWeight": {}},
        "rebalancing": {"everyPeriods": {"n": 20}},
        "marketData": {"symbols": list(SYMBOLS)},
    }
    axis = {"path": "costs.commissionBps", "numbers": {"values": list(range(40))}}
    request = ParseDict({"grid": {"base": base, "axes": [axis]}}, SweepRequest()).SerializeToString()
    reports: list[tuple[TrialDone, ...]] = []
    run_trials({0: job}, (), request, range(40), no_control, reports.append)
    assert sorted(one.index for report in reports for one in report) == list(range(40))
    assert len(reports) < 20
    days = {id(one.returns.days) for report in reports for one in report if one.returns is not None}
    assert len(days) == 1


def test_a_draft_prepares_trials_that_differ_in_rates_once(panel: PricePanel, monkeypatch: pytest.MonkeyPatch) -> None:
    """It checks each other one as it would be checked alone."""
    sent = ParseDict({"grid": _GRID}, SweepRequest())
    prepared: list[object] = []

    def counted(*arguments: object) -> object:
        prepared.append(arguments[0])
        return prepare(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sweep_task, "prepare", counted)
    sent.grid.base.prices.symbols.extend(SYMBOLS)
    sent.grid.base.prices.dates.extend(range(DATES))
    sent.grid.base.prices.values.extend(panel.values.ravel().tolist())
    drafted = sweep_task.draft(sent.SerializeToString(), None, no_control, lambda key: None)
    assert isinstance(drafted, Drafted)
    assert len(prepared) == 2
    sent.grid.axes[0].numbers.values.append(2.0 * DATES)
    with pytest.raises(Refused, match="trial 6"):
        sweep_task.draft(sent.SerializeToString(), None, no_control, lambda key: None)


_GRID = {
    "base": {"strategy": {"equalWeight": {}}, "rebalancing": {"everyPeriods": {"n": 20}}},
    "axes": [
        {"path": "execution.lagPeriods", "numbers": {"values": [0, 1]}},
        {"path": "costs.commissionBps", "numbers": {"values": [0.0, 10.0, 30.0]}},
    ],
}
