"""The live page in a real browser: what it shows of a real server, and that nothing in it fails."""

from collections.abc import Callable
from typing import Any

import pytest

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
    assert [row.split("\t")[3][0] for row in found["stand"]] == ["-", "-"]  # a drawdown is drawn below 0
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


def weights(rows: list[str]) -> dict[str, float]:
    """Weights in per cent by asset, of the rows of a table."""
    cells = [row.split("\t") for row in rows]
    return {symbol: float(weight.removesuffix(" %")) for symbol, weight, *_ in cells}
