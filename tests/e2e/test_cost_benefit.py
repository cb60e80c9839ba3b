"""The cost-benefit trigger over the wire: every trade it starts has its two figures in a milestone."""

from typing import Any

import numpy as np
import pytest
from absfin import Client, Milestone, Panel, Prices, strategies

from tests.conftest import RunningServer, Wire
from tests.e2e.test_backtest_fields import DATES, LEVELS, usual
from tests.e2e.test_simulation import BACKTEST, civil, series

PROGRESS = "BacktestService/BacktestProgress"
TARGET = np.array([0.5, 0.3, 0.2])
AVERSION, HORIZON = 20.0, 40
WORTH = {"trigger": "BAND_TRIGGER_COST_BENEFIT", "riskAversion": AVERSION, "horizonDays": HORIZON}
CLOSES = np.array(list(LEVELS.values())).T
RETURNS = CLOSES[1:] / CLOSES[:-1] - 1.0


def trades(wire: Wire, name: str) -> list[dict[str, Any]]:
    """Milestones of trades that were worth their cost."""
    found = [one["milestone"] for one in wire.stream(PROGRESS, {"backtest": name}) if "milestone" in one]
    return [one for one in found if one["kind"] == "KIND_REBALANCE"]


def variance(deviation: np.ndarray, t: int) -> float:
    """Of tracking per year, on the returns to date t."""
    return float((RETURNS[:t] @ deviation).var(ddof=1)) * 252.0


@pytest.mark.parametrize("fill", ["FILL_SAME_CLOSE", "FILL_NEXT_CLOSE"])
@pytest.mark.parametrize("fraction", [1.0, 0.6])
def test_both_figures_of_every_trade(wire: Wire, fill: str, fraction: float) -> None:
    """Half the aversion x the fall of TE squared, and cost / horizon, from the weights at the close before it."""
    band = {**WORTH, "destination": "DESTINATION_FRACTION", "fraction": fraction}
    answer = wire.call(
        BACKTEST,
        usual(rebalancing={"driftBand": band}, execution={"fill": fill}, costs={"commissionBps": 20}),
    )
    weights = np.array(series(wire, answer["name"], "WEIGHTS")).reshape(len(DATES), 3)
    expected = []
    for t in range(2, len(DATES)):  # tracking variance needs two returns
        before = weights[t]
        if fill == "FILL_SAME_CLOSE":  # those of the series are after the trade; fully invested, they drift from t - 1
            before = weights[t - 1] * CLOSES[t] / CLOSES[t - 1]
            before /= before.sum()
        after = before + fraction * (TARGET - before)
        benefit = 0.5 * AVERSION * (variance(before - TARGET, t) - variance(after - TARGET, t))
        cost = 20e-4 * float(np.abs(after - before).sum()) / (HORIZON / 365.0)
        if benefit > cost:
            expected.append((civil(DATES[t]), benefit, cost))
    found = trades(wire, answer["name"])
    assert 3 < len(expected) < len(DATES) - 10, len(expected)
    assert [one["simulatedDate"] for one in found] == [day for day, _, _ in expected]
    assert [one["benefitAnnual"] for one in found] == pytest.approx([b for _, b, _ in expected], rel=1e-6)
    assert [one["costAnnual"] for one in found] == pytest.approx([c for _, _, c in expected], rel=1e-6)
    assert all(one["label"] == "fixed_weights" for one in found)


def test_the_client_shows_both_figures(server: RunningServer) -> None:
    with Client(server.address) as client:
        band = strategies.drift_band(trigger="cost_benefit", risk_aversion=AVERSION, horizon_days=HORIZON)
        started = client.backtest(
            Prices(Panel.of(LEVELS, DATES, CLOSES)),
            strategies.fixed_weights(dict(zip(LEVELS, TARGET.tolist(), strict=True))),
            rebalancing=strategies.rebalancing(band=band),
            commission_bps=20,
        )
        found = [one for one in client.watch(started.name) if isinstance(one, Milestone) and one.kind == "rebalance"]
    assert found
    assert all((one.benefit_annual or 0.0) > (one.cost_annual or 0.0) > 0.0 for one in found)
