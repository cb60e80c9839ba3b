"""What has become of stored reallocations, as callers see it."""

from typing import Any

from tests.conftest import Wire
from tests.e2e.test_fills import created, fill, record

REALLOCATE = "ReallocationService/Reallocate"
LIST = "ReallocationService/ListReallocations"
ASK = {
    "snapshot": {"assets": [{"symbol": "A", "price": 10}]},
    "targetWeights": {"weights": [{"symbol": "A", "weight": 1}]},
}


def plan(wire: Wire, portfolio: str, **more: Any) -> dict[str, Any]:
    return dict(wire.call(REALLOCATE, {"portfolioName": portfolio, **ASK, **more}))


def states(wire: Wire, portfolio: str, **more: Any) -> list[tuple[str, str, str]]:
    """Name, state and successor of the reallocations of a portfolio, newest first."""
    listed = wire.call(LIST, {"portfolio": portfolio, **more}).get("reallocations", [])
    for one in listed:
        kept = wire.call("ReallocationService/GetReallocation", {"name": one["name"]})
        fields = ("state", "supersededBy", "supersedeTime")
        assert [kept.get(name) for name in fields] == [one.get(name) for name in fields]
        assert ("supersedeTime" in one) == (one["state"] == "REALLOCATION_STATE_SUPERSEDED")
    return [(o["name"], o["state"].removeprefix("REALLOCATION_STATE_"), o.get("supersededBy", "")) for o in listed]


def test_a_plan_that_is_superseded_says_so(wire: Wire) -> None:
    name, other = created(wire, cash=1000.0), created(wire, cash=1000.0)
    first = plan(wire, name)
    assert first["state"] == "REALLOCATION_STATE_CURRENT"
    assert "state" not in plan(wire, name, validateOnly=True)
    assert states(wire, name) == [(first["name"], "CURRENT", "")]
    plan(wire, other)
    again = {"requestId": f"again {name}"}
    second = plan(wire, name, **again)
    assert states(wire, name) == [(second["name"], "CURRENT", ""), (first["name"], "SUPERSEDED", second["name"])]
    portfolio = wire.call("PortfolioService/GetPortfolio", {"name": name})
    change = {"portfolio": {**portfolio, "cash": 500}, "updateMask": "cash"}
    wire.call("PortfolioService/UpdatePortfolio", change)
    assert states(wire, name)[0] == (second["name"], "SUPERSEDED", "")
    assert plan(wire, name, **again)["state"] == "REALLOCATION_STATE_SUPERSEDED"  # the first answer, as it stands today
    third = plan(wire, name)
    assert states(wire, name, state="REALLOCATION_STATE_CURRENT") == [(third["name"], "CURRENT", "")]
    assert len(states(wire, name, state="REALLOCATION_STATE_SUPERSEDED")) == 2
    assert [state for _, state, _ in states(wire, other)] == ["CURRENT"]


def test_fills_of_a_plan_do_not_supersede_it(wire: Wire) -> None:
    name = created(wire, cash=1000.0)
    older, made = plan(wire, name), plan(wire, name)
    record(wire, made["name"], fill("f1", 60, 10.0, "2024-01-03"))
    assert states(wire, name)[0] == (made["name"], "PARTLY_FILLED", "")
    record(wire, made["name"], fill("f1", 60, 10.0, "2024-01-03"), fill("f2", 40, 9.5, "2024-01-04"))
    assert states(wire, name) == [(made["name"], "FILLED", ""), (older["name"], "SUPERSEDED", made["name"])]
    unchanged = plan(wire, name, thresholds={"driftBand": 0.5})
    assert "unchanged" in unchanged
    assert [state for _, state, _ in states(wire, name)] == ["CURRENT", "FILLED", "SUPERSEDED"]
    record(wire, name, fill("f3", -1, 10.0, "2024-01-05"))
    assert states(wire, name)[0] == (unchanged["name"], "SUPERSEDED", "")


def test_a_plan_of_an_inline_portfolio_stays_current(wire: Wire) -> None:
    for _ in range(2):
        made = wire.call(REALLOCATE, {"portfolio": {"cash": 100}, **ASK})
    assert made["state"] == "REALLOCATION_STATE_CURRENT"
    kept = wire.call("ReallocationService/GetReallocation", {"name": made["name"]})
    assert kept == made


def test_an_unknown_state_is_refused_by_name(wire: Wire) -> None:
    assert wire.refused(LIST, {"state": 9}).fields == ("state",)
