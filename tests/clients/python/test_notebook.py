"""What a notebook shows of a result: well-formed HTML with its figures."""

import numpy as np
import pytest
from absfin import Client, Holdings, Panel, Prices, Quote, min_risk, strategies

from tests.clients.python.reports.test_html import Page
from tests.conftest import RunningServer


@pytest.fixture(scope="module")
def data() -> Prices:
    values = 50.0 * np.cumprod(1.0 + np.random.default_rng(3).normal(0.001, 0.01, (60, 2)), axis=0)
    return Prices(Panel.of(["A<b>", "C&D"], np.arange(60) + 18_000, values))


def shown(result: object) -> Page:
    page = Page(result._repr_html_())  # type: ignore[attr-defined]
    assert page.open == []
    assert page.tags["b"] == 0  # of the symbol
    return page


def test_a_backtest(server: RunningServer, data: Prices) -> None:
    with Client(server.address) as client:
        job = client.backtest(data, strategies.equal_weight(label="<i>mine</i>"), wait_seconds=60)
    page = shown(job)
    assert page.tags["i"] == 0
    assert f"{job.metrics['sharpe']:.3f}" in page.texts
    assert "A<b>" in page.texts


def test_a_job_without_a_result(server: RunningServer, data: Prices) -> None:
    slow = strategies.optimize(min_risk(), risk_measure="cvar")
    with Client(server.address) as client:
        job = client.backtest(data, slow)
        client.watch(job.name)
    assert f"{job.name} {job.state}, {job.fraction:.0%} done" in "".join(shown(job).texts)


def test_the_other_results(server: RunningServer, data: Prices) -> None:
    with Client(server.address) as client:
        optimum = client.optimize(data, min_risk())
        risk = client.analyze_risk(data, optimum.weights)
        market = [Quote("A<b>", 50.0), Quote("C&D", 40.0)]
        plan = client.reallocate(Holdings({"A<b>": 100.0}), market, {"A<b>": 0.5, "C&D": 0.5})
    assert f"{optimum.weights['A<b>'] * 100:.2f} %" in shown(optimum).texts
    assert f"{(risk.volatility_annual or 0.0) * 100:.2f} %" in shown(risk).texts
    assert f"{plan.trades[0].quantity:+,.6g}" in shown(plan).texts
