"""Stored portfolios: every change knows what it changes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from tests.conftest import Wire


def create(wire: Wire, **more: Any) -> dict[str, Any]:
    portfolio = {
        "displayName": "Mine",
        "currency": "USD",
        "holdings": [{"symbol": "A", "quantity": 100}],
        "cash": 50,
        "mandate": {
            "weights": {"weights": [{"symbol": "A", "weight": 0.5}, {"symbol": "B", "weight": 0.5}]},
            "thresholds": {"driftBand": 0.05},
        },
    }
    created: dict[str, Any] = wire.call("PortfolioService/CreatePortfolio", {"portfolio": portfolio, **more})
    return created


def test_a_portfolio_comes_back(wire: Wire) -> None:
    made = create(wire, portfolioId="first")
    assert made["name"] == "portfolios/first"
    assert made["etag"]
    assert wire.call("PortfolioService/GetPortfolio", {"name": made["name"]}) == made
    refusal = wire.refused("PortfolioService/CreatePortfolio", {"portfolio": {}, "portfolioId": "first"})
    assert (refusal.code, refusal.reason) == ("ALREADY_EXISTS", "ALREADY_EXISTS")


def test_one_request_id_makes_one_portfolio(wire: Wire) -> None:
    made = create(wire, requestId="p-1")
    assert create(wire, requestId="p-1")["name"] == made["name"]
    refusal = wire.refused("PortfolioService/CreatePortfolio", {"portfolio": {"cash": 1}, "requestId": "p-1"})
    assert refusal.reason == "REQUEST_ID_REUSED"


def update(wire: Wire, portfolio: dict[str, Any], *paths: str) -> dict[str, Any]:
    request = {"portfolio": portfolio, **({"updateMask": ",".join(paths)} if paths else {})}
    return dict(wire.call("PortfolioService/UpdatePortfolio", request))


def test_an_update_changes_what_its_mask_names(wire: Wire) -> None:
    made = create(wire)
    changed = update(wire, {"name": made["name"], "etag": made["etag"], "cash": 75, "displayName": "Other"}, "cash")
    assert (changed["cash"], changed["displayName"]) == (75, "Mine")
    assert changed["etag"] != made["etag"]
    nested = {"name": made["name"], "etag": changed["etag"], "mandate": {"thresholds": {"driftBand": 0.1}}}
    again = update(wire, nested, "mandate.thresholds")
    assert again["mandate"]["thresholds"] == {"driftBand": 0.1}
    assert again["mandate"]["weights"] == made["mandate"]["weights"]
    emptied = update(wire, {"name": made["name"], "etag": again["etag"]}, "holdings", "cash")
    assert "holdings" not in emptied
    assert "cash" not in emptied
    everything = update(wire, {"name": made["name"], "etag": emptied["etag"], "currency": "EUR"})
    assert everything["currency"] == "EUR"


def test_an_update_without_a_mask_changes_what_is_sent(wire: Wire) -> None:
    made = create(wire)
    renamed = update(wire, {"name": made["name"], "etag": made["etag"], "displayName": "Other"})
    same = {"name", "currency", "holdings", "cash", "mandate"}
    assert {key: renamed[key] for key in same} == {key: made[key] for key in same}
    assert renamed["displayName"] == "Other"
    empty = update(wire, {"name": made["name"], "etag": renamed["etag"], "cash": 0})
    assert empty["cash"] == 0
    assert empty["holdings"] == made["holdings"]
    assert update(wire, {"name": made["name"], "etag": empty["etag"]})["displayName"] == "Other"


def test_an_update_must_know_what_it_changes(wire: Wire) -> None:
    made = create(wire)
    update(wire, {**made, "cash": 1}, "cash")
    refusal = wire.refused("PortfolioService/UpdatePortfolio", {"portfolio": {**made, "cash": 2}})
    assert (refusal.code, refusal.reason) == ("ABORTED", "ETAG_MISMATCH")
    assert refusal.metadata["etag"] == wire.call("PortfolioService/GetPortfolio", {"name": made["name"]})["etag"]
    without = {"portfolio": {"name": made["name"], "cash": 2}}
    assert wire.refused("PortfolioService/UpdatePortfolio", without).fields == ("portfolio.etag",)
    unknown = {"portfolio": made, "updateMask": "etag"}
    assert wire.refused("PortfolioService/UpdatePortfolio", unknown).fields == ("update_mask.paths[0]",)
    stale = wire.refused("PortfolioService/DeletePortfolio", {"name": made["name"], "etag": made["etag"]})
    assert stale.reason == "ETAG_MISMATCH"


def test_of_many_updates_at_once_one_wins(wire: Wire) -> None:
    made = create(wire)

    def attempt(cash: int) -> bool:
        try:
            update(wire, {**made, "cash": cash}, "cash")
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.ABORTED:
                raise
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


@pytest.mark.parametrize(
    ("portfolio", "field"),
    [
        ({"cash": "NaN"}, "portfolio.cash"),
        ({"holdings": [{"symbol": "A"}, {"symbol": "A"}]}, "portfolio.holdings[1].symbol"),
        ({"holdings": [{"symbol": "A", "quantity": "Infinity"}]}, "portfolio.holdings[0].quantity"),
        ({"cash": -1e308}, "portfolio.cash"),
        ({"holdings": [{"symbol": "A"}, {"symbol": "B", "quantity": 1e308}]}, "portfolio.holdings[1].quantity"),
        ({"currency": "dollars"}, "portfolio.currency"),
        (
            {"holdings": [{"symbol": "A", "quantity": 5, "lots": [
                {"quantity": 4, "unitCost": 1, "purchaseDate": {"year": 2020, "month": 1, "day": 1}}]}]},
            "portfolio.holdings[0].lots",
        ),
    ],
)  # fmt: skip
def test_bad_portfolios_are_refused(wire: Wire, portfolio: dict[str, Any], field: str) -> None:
    refusal = wire.refused("PortfolioService/CreatePortfolio", {"portfolio": portfolio})
    assert refusal.fields == (field,)


def test_an_update_keeps_the_limits_of_reallocate(wire: Wire) -> None:
    made = create(wire)
    holdings = [{"symbol": "A", "quantity": 1e22}]
    refusal = wire.refused("PortfolioService/UpdatePortfolio", {"portfolio": {**made, "holdings": holdings}})
    assert refusal.fields == ("portfolio.holdings[0].quantity",)
    market = {
        "snapshot": {"assets": [{"symbol": "A", "price": 1}]},
        "targetWeights": {"weights": [{"symbol": "A", "weight": 1}]},
    }
    same = wire.refused("ReallocationService/Reallocate", {"portfolio": {"holdings": holdings}, **market})
    assert (same.fields, same.message) == (refusal.fields, refusal.message)


def test_pages_and_deletion(wire: Wire) -> None:
    names = sorted(create(wire, portfolioId=f"page-{i}")["name"] for i in range(5))
    seen: list[str] = []
    listed: list[dict[str, Any]] = []
    token = ""
    for _ in range(100):
        page = wire.call("PortfolioService/ListPortfolios", {"pageSize": 2, "pageToken": token})
        listed += page.get("portfolios", [])
        seen = [portfolio["name"] for portfolio in listed]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert not token, "the pages never end"
    assert [name for name in seen if "page-" in name] == names
    assert len(seen) == len(set(seen))
    assert all("holdings" not in portfolio and "mandate" not in portfolio for portfolio in listed)
    assert [p["holdingCount"] for p in listed if "page-" in p["name"]] == [1] * 5
    wire.call("PortfolioService/DeletePortfolio", {"name": names[0]})
    for method in ("GetPortfolio", "DeletePortfolio"):
        assert wire.refused(f"PortfolioService/{method}", {"name": names[0]}).reason == "NOT_FOUND"


def test_a_mandate_is_the_target_of_a_reallocation(wire: Wire) -> None:
    made = create(wire)
    market = {"snapshot": {"assets": [{"symbol": "A", "price": 1.0}, {"symbol": "B", "price": 1.0}]}}
    answer = wire.call("ReallocationService/Reallocate", {"portfolioName": made["name"], **market})
    assert {t["symbol"]: t["quantity"] for t in answer["plan"]["trades"]} == {"A": -25.0, "B": 75.0}
    listed = wire.call("ReallocationService/ListReallocations", {"portfolio": made["name"]})["reallocations"]
    assert [one["name"] for one in listed] == [answer["name"]]
    unknown = wire.refused("ReallocationService/Reallocate", {"portfolioName": "portfolios/none", **market})
    assert unknown.reason == "NOT_FOUND"
