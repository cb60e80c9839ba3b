"""The live page in a real browser: what it shows of a real server, and that nothing in it fails."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from absfin import Client, Panel, Stored, min_risk

from tests.conftest import RunningServer
from tests.e2e.event_log import signal, written_log

Visit = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.timeout(400)  # installing and building take minutes where the machine is busy


def test_a_backtest_is_followed_over_a_reload_and_cancelled(visit: Visit) -> None:
    found = visit("follow.mjs")
    assert found["problems"] == []
    assert found["foreign"] == []
    before, after = found["before"], found["after"]
    for seen in (before, after):
        assert seen["state"].lower() == "running"
        assert "strategy 1 of 1: Least risk" in seen["facts"]
        assert seen["lines"] == 2  # net asset value and drawdown
        assert len(seen["milestones"]) == 1  # the stage, once, after the reload too
    assert 0.0 < before["done"] <= after["done"] < 1.0
    assert before["dates"] <= after["dates"]
    assert before["starts"].split()[0] == after["starts"].split()[0]  # the curve has its beginning again
    assert found["cancelled"] == {"button": False}
    assert [row.split("\t")[0] for row in found["rows"]] == ["Equal weights", "Inverse volatility"]
    assert all(float(row.split("\t")[3].removesuffix(" %")) <= 0.0 for row in found["stand"])  # drawn below 0
    assert all("–" not in row.split("\t")[:6] for row in found["rows"])


def test_a_conflict_is_explained_and_relaxed_with_one_click(visit: Visit) -> None:
    found = visit("optimise.mjs")
    assert found["problems"] == []
    assert found["foreign"] == []
    assert sum(weights(found["first"]).values()) == pytest.approx(100.0, abs=0.05)
    assert max(weights(found["first"]).values()) <= 40.0
    assert any(row.startswith("largest weight\t2.50 %") for row in found["shown"])  # eight assets of a tenth each
    assert float(found["upper"]) == pytest.approx(12.5, abs=1e-3)
    assert weights(found["relaxed"]) == dict.fromkeys("ABCDEFGH", 12.5)


def test_stored_prices_are_proposed_and_used(visit: Visit, served: RunningServer) -> None:
    days = np.arange(200)
    swings = 1.0 + np.column_stack((0.05 * np.sin(days / 3), 0.02 * np.cos(days / 4), 0.03 * np.sin(days / 5)))
    stored = Panel.of(["STORED1", "STORED2", "STORED3"], days, 100.0 * swings)
    with Client(served.address) as client:
        client.import_prices(stored)
        expected = client.optimize(Stored(stored.symbols), min_risk())
    found = visit("stored.mjs")
    assert found["problems"] == []
    assert found["foreign"] == []
    assert found["proposed"] == "STORED1, STORED2, STORED3"
    assert "prices of 3 are stored" in found["hint"]
    shown = weights(found["weights"])
    assert shown == {symbol: pytest.approx(100.0 * weight, abs=0.011) for symbol, weight in expected.weights.items()}


def test_a_frontier_is_explored_trades_are_planned_and_charts_and_events_are_shown(
    visit: Visit, served: RunningServer
) -> None:
    with written_log(served.data_dir) as log:
        log.append(signal("A left its band"))
    found = visit("explore.mjs", "A left its band")
    assert found["problems"] == []
    assert found["foreign"] == []
    returns = [float(found[place].split()[1]) for place in ("bottom", "middle", "top")]
    risks = [float(found[place].split()[5]) for place in ("bottom", "middle", "top")]
    assert (returns, risks) == (sorted(returns), sorted(risks))
    assert returns[2] - returns[1] > 0.5  # the drag to the upper end
    assert sum(weights(found["chosen"]).values()) == pytest.approx(100.0, abs=0.05)
    assert [row.split("\t")[1] for row in found["trades"]] == ["sell A", "buy B", "buy C"]
    assert found["charts"] >= 4
    assert any("A left its band" in event for event in found["events"])


def test_every_view_can_be_used_without_a_mouse_in_the_dark_and_on_a_phone(visit: Visit) -> None:
    found = visit("check_access.mjs")
    assert found["problems"] == []
    views = found["views"]
    assert len(views) == 3 * (len(found["links"]) + 1)
    assert [(view["view"], view["faults"]) for view in views if view["faults"]] == []
    assert all(view["checked"] > 15 for view in views)
    assert [view["view"] for view in views if view["sideways"] > 0] == []
    papers = {screen: {view["paper"] for view in views if view["screen"] == screen} for screen in ("light", "dark")}
    assert len(papers["light"]) == len(papers["dark"]) == 1
    assert papers["light"] != papers["dark"]
    fields = ["Source", "Assets", "Dates", "Objective", "Smallest weight", "Largest weight", "Least return", "Optimise"]
    assert [name for name in found["reached"] if name in fields][: len(fields)] == fields


def weights(rows: list[str]) -> dict[str, float]:
    """Weights in per cent by asset, of the rows of a table."""
    cells = [row.split("\t") for row in rows]
    return {symbol: float(weight.removesuffix(" %")) for symbol, weight, *_ in cells}
