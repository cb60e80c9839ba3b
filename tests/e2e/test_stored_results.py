"""Results that are kept: names that the caller chooses, labels, filters of lists, deletion."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Wire

MOMENTS = {"symbols": ["A", "B"], "covariance": [0.04, 0.01, 0.01, 0.09], "periodsPerYear": 12}
OPTIMIZE = {"moments": MOMENTS, "objective": {"minRisk": {}}}
PRICES = {"symbols": ["A", "B"], "dates": [18263, 18264, 18265], "values": [1.0, 1.0, 1.1, 1.0, 1.2, 1.1]}
BACKTEST = {"prices": PRICES, "strategy": {"equalWeight": {}}, "wait": "20s"}
REALLOCATE = {
    "portfolio": {"holdings": [{"symbol": "A", "quantity": 10}]},
    "snapshot": {"assets": [{"symbol": "A", "price": 1.0}, {"symbol": "B", "price": 1.0}]},
    "targetWeights": {"weights": [{"symbol": "B", "weight": 1.0}]},
}
# Service, method, request, kind of resource, field of the id.
KINDS = [
    pytest.param("OptimizationService", "Optimize", OPTIMIZE, "Optimization", "optimizationId", id="optimization"),
    pytest.param("BacktestService", "Backtest", BACKTEST, "Backtest", "backtestId", id="backtest"),
    pytest.param("ReallocationService", "Reallocate", REALLOCATE, "Reallocation", "reallocationId", id="reallocation"),
]


@pytest.mark.parametrize(("service", "method", "request_", "kind", "field"), KINDS)
def test_the_caller_may_choose_the_name(
    wire: Wire, service: str, method: str, request_: dict[str, Any], kind: str, field: str
) -> None:
    named = {**request_, field: "my-own_1", "requestId": f"{kind} own"}
    made = wire.call(f"{service}/{method}", named)
    assert made["name"] == f"{kind.lower()}s/my-own_1"
    assert wire.call(f"{service}/{method}", named)["name"] == made["name"]
    assert wire.call(f"{service}/Get{kind}", {"name": made["name"]})["name"] == made["name"]
    taken = wire.refused(f"{service}/{method}", {**request_, field: "my-own_1"})
    assert (taken.code, taken.reason) == ("ALREADY_EXISTS", "ALREADY_EXISTS")
    other = wire.refused(f"{service}/{method}", {**named, field: "other"})
    assert other.reason == "REQUEST_ID_REUSED"
    assert wire.refused(f"{service}/{method}", {**request_, field: "a/b"}).rules == ("STRING_PATTERN",)


@pytest.mark.parametrize(("service", "method", "request_", "kind", "field"), KINDS)
def test_a_name_and_a_label_do_not_change_the_answer(
    wire: Wire, service: str, method: str, request_: dict[str, Any], kind: str, field: str
) -> None:
    def fingerprint(**more: str) -> str:
        answer = wire.call(f"{service}/{method}", {**request_, **more})
        return str(answer["result"]["inputFingerprint"] if kind == "Backtest" else answer["inputFingerprint"])

    assert fingerprint() == fingerprint(label="x", **{field: "fingerprinted"})


@pytest.mark.parametrize(("service", "method", "request_", "kind", "field"), KINDS)
def test_lists_show_what_was_asked_for(
    wire: Wire, service: str, method: str, request_: dict[str, Any], kind: str, field: str
) -> None:
    plural = f"{kind.lower()}s"
    made = [wire.call(f"{service}/{method}", {**request_, "label": label}) for label in ("red", "blue", "red")]
    assert [one["label"] for one in made] == ["red", "blue", "red"]

    def listed(**filters: str) -> list[str]:
        return [one["name"] for one in wire.call(f"{service}/List{plural.title()}", filters).get(plural, [])]

    assert listed(label="red") == [made[2]["name"], made[0]["name"]]
    assert listed(label="green") == []
    newest = wire.call(f"{service}/List{plural.title()}", {"label": "red"})[plural][0]
    assert newest["label"] == "red"
    at = newest["createTime"]
    assert made[2]["name"] in listed(startCreateTime=at)
    assert made[0]["name"] not in listed(startCreateTime=at)
    assert made[2]["name"] not in listed(endCreateTime=at)
    assert listed(startCreateTime=(datetime.now(UTC) + timedelta(days=1)).isoformat()) == []
    empty = wire.refused(f"{service}/List{plural.title()}", {"startCreateTime": at, "endCreateTime": at})
    assert empty.fields == ("end_create_time",)


@pytest.mark.parametrize(("service", "method", "request_", "kind", "field"), KINDS)
def test_what_is_deleted_is_gone(
    wire: Wire, service: str, method: str, request_: dict[str, Any], kind: str, field: str
) -> None:
    name = wire.call(f"{service}/{method}", request_)["name"]
    assert wire.call(f"{service}/Delete{kind}", {"name": name}) == {}
    for again in ("Get", "Delete"):
        assert wire.refused(f"{service}/{again}{kind}", {"name": name}).reason == "NOT_FOUND"
