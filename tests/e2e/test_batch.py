"""Many accounts over one universe: each keyed, each what Optimize alone would say, a failure a value."""

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from absfinance.v1.optimization_pb2 import ENGINE_RISKFOLIO
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeBatchResponse
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub
from google.protobuf.json_format import ParseDict

from tests.conftest import COMPLETE, Wire, refusal_of

RNG = np.random.default_rng(13)
SYMBOLS = [f"S{i}" for i in range(8)]
MOMENTS = {
    "symbols": SYMBOLS,
    "expectedReturns": RNG.normal(0.001, 0.001, 8).tolist(),
    "covariance": np.cov(RNG.normal(0.0, 0.01, (60, 8)).T).ravel().tolist(),
    "periodsPerYear": 252,
}
CAPS = {"label": "caps", "weightBounds": {"upper": 0.4}}
UNIVERSE = {"universe": {"moments": MOMENTS, "spec": {"objective": {"minRisk": {}}, "constraints": [CAPS]}}}


def batch(channel: grpc.Channel, *parts: dict[str, Any]) -> dict[str, OptimizeBatchResponse]:
    def sent() -> Iterator[OptimizeBatchRequest]:
        for part in parts:
            yield ParseDict(part, OptimizeBatchRequest())

    found = list(OptimizationServiceStub(channel).OptimizeBatch(sent(), timeout=60))
    assert len({one.key for one in found}) == len(found)
    return {one.key: one for one in found}


def account(key: str, **more: Any) -> dict[str, Any]:
    return {"account": {"key": key, **more}}


def test_a_limit_from_returns_is_shared_or_has_none(channel: grpc.Channel) -> None:
    panel = {"symbols": SYMBOLS, "dates": list(range(60)), "values": RNG.normal(0.0, 0.01, 480).tolist()}
    shared = {"label": "net", "network": {"network": {"codependence": "CODEPENDENCE_KENDALL"}}}
    plain: dict[str, Any] = {"returns": panel, "periodsPerYear": 252, "spec": {"objective": {"minRisk": {}}}}
    own = account("own", constraints=[{"label": "each", "clusters": {"clusters": 2}}])
    refused = batch(channel, {"universe": plain}, own, account("none"))
    assert "universe.spec" in refused["own"].error.message
    assert refused["none"].WhichOneof("outcome") == "result"
    plain["spec"]["constraints"] = [shared]
    found = batch(channel, {"universe": plain}, own, account("none"))
    held = {key: sum(w.weight != 0.0 for w in one.result.weights) for key, one in found.items()}
    assert 1 <= held["own"] <= 2 < held["none"]


@pytest.mark.parametrize("count", [5, 200])
def test_each_account_is_what_optimize_says(channel: grpc.Channel, wire: Wire, count: int) -> None:
    held = [RNG.dirichlet(np.ones(8)) for _ in range(count)]
    accounts = []
    for i, weights in enumerate(held):
        current = [{"symbol": s, "weight": w} for s, w in zip(SYMBOLS, weights.tolist(), strict=True)]
        turnover = {"turnover": {"maxTurnover": 0.1 + 0.5 * (i % 2)}}
        accounts.append(account(str(i), currentWeights=current, constraints=[turnover]))
    found = batch(channel, UNIVERSE, *accounts)
    assert found.keys() == {str(i) for i in range(count)}
    for i in range(0, count, max(1, count // 5)):
        own = accounts[i]["account"]
        alone = {
            "moments": MOMENTS,
            "objective": {"minRisk": {}},
            "constraints": [CAPS, *own["constraints"]],
            "currentWeights": own["currentWeights"],
        }
        outcome = found[str(i)]
        refused = outcome.WhichOneof("outcome") == "error"
        if refused:
            assert wire.refused("OptimizationService/Optimize", alone).reason == "PROBLEM_INFEASIBLE"
            continue
        weights = [w["weight"] for w in wire.call("OptimizationService/Optimize", alone)["weights"]]
        assert [w.weight for w in outcome.result.weights] == pytest.approx(weights, abs=1e-9)
        assert outcome.result.certificate.max_constraint_violation <= 1e-8
        assert outcome.result.input_fingerprint


def test_one_failure_is_a_value(channel: grpc.Channel) -> None:
    found = batch(
        channel,
        UNIVERSE,
        account("good"),
        account("impossible", constraints=[{"label": "caps", "weightBounds": {"upper": 0.01}}]),
        account("stranger", constraints=[{"weightBounds": {"symbols": ["Z"], "upper": 0.1}}]),
        account("without outcomes", objective={"kelly": {}}),
        account("other", objective={"equalWeight": {}}),
    )
    codes = {key: one.error.code for key, one in found.items() if one.WhichOneof("outcome") == "error"}
    assert codes == {
        "impossible": grpc.StatusCode.FAILED_PRECONDITION.value[0],
        "stranger": grpc.StatusCode.INVALID_ARGUMENT.value[0],
        "without outcomes": grpc.StatusCode.UNIMPLEMENTED.value[0],
    }
    assert [w.weight for w in found["other"].result.weights] == pytest.approx([0.125] * 8)


def test_a_broken_rule_of_an_account_is_its_outcome(channel: grpc.Channel) -> None:
    cap = {"weightBounds": {"upper": "NaN"}}
    found = batch(channel, UNIVERSE, account("first"), account("broken", constraints=[cap]), account("last"))
    assert {key for key, one in found.items() if one.WhichOneof("outcome") == "result"} == {"first", "last"}
    refused = found["broken"].error
    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "account.constraints[0].weight_bounds.upper" in refused.message


@pytest.mark.parametrize("key", ["", "k" * 129], ids=["no key", "too long"])
def test_an_account_without_a_key_ends_the_batch(channel: grpc.Channel, key: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        batch(channel, UNIVERSE, account("first"), account(key))
    assert refusal_of(raised.value).fields == ("account.key",)


def test_missing_market_data_names_the_field_of_the_universe(channel: grpc.Channel) -> None:
    data = {"marketData": {"symbols": ["NOBODY"]}, "spec": {"objective": {"minRisk": {}}}}
    with pytest.raises(grpc.RpcError) as raised:
        batch(channel, {"universe": data}, account("a"))
    assert refusal_of(raised.value).metadata["field"] == "universe.market_data.symbols"


@pytest.mark.parametrize("parts", [(), (account("a"),), (UNIVERSE, UNIVERSE)], ids=["empty", "no universe", "two"])
def test_the_universe_comes_first_and_once(channel: grpc.Channel, parts: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        batch(channel, *parts)
    assert refusal_of(raised.value).code == "INVALID_ARGUMENT"


@pytest.mark.exhaustive  # loading Riskfolio-Lib takes long
def test_a_small_batch_for_riskfolio_leaves_the_server_without_it(start_server: Any) -> None:
    """One account would fit a thread, where Riskfolio-Lib would stay loaded for good and could not be stopped."""
    server = start_server("--workers", "1", program=COMPLETE)
    spec = {"objective": {"minRisk": {}}, "constraints": [CAPS], "solver": {"engine": "ENGINE_RISKFOLIO"}}
    with server.channel() as channel:
        found = batch(channel, {"universe": {"moments": MOMENTS, "spec": spec}}, account("one"))
    assert found["one"].result.certificate.engine == ENGINE_RISKFOLIO
    mapped = Path(f"/proc/{server.process.pid}/maps")
    if mapped.exists():
        assert any("/clarabel" in Path(f"/proc/{one.pid}/maps").read_text() for one in server.workers())
        assert "/pandas/" not in mapped.read_text()


def test_each_account_is_answered_before_the_stream_is_closed(channel: grpc.Channel) -> None:
    """A caller who sends the next account only after the answer to the one before has one each time."""
    sent: queue.SimpleQueue[OptimizeBatchRequest | None] = queue.SimpleQueue()
    sent.put(ParseDict(UNIVERSE, OptimizeBatchRequest()))
    call = OptimizationServiceStub(channel).OptimizeBatch(iter(sent.get, None), timeout=60)
    for key in ("one", "two", "three"):
        sent.put(ParseDict(account(key), OptimizeBatchRequest()))
        assert next(call).key == key
    sent.put(None)
    assert list(call) == []


def test_a_caller_who_is_owed_nothing_and_sends_nothing_is_ended(start_server: Any) -> None:
    """While an account is solved for longer than that, its caller may be silent."""
    server = start_server("--stream-idle-seconds", "1", "--workers", "1")
    returns = np.random.default_rng(2).normal(0.0, 0.01, (400, 40))
    slow = {
        "returns": {
            "symbols": [f"S{i}" for i in range(40)],
            "dates": list(range(400)),
            "values": returns.ravel().tolist(),
        },
        "periodsPerYear": 252,
        "spec": {"objective": {"minRisk": {}}, "riskMeasure": "RISK_MEASURE_RLVAR"},
    }
    sent: queue.SimpleQueue[OptimizeBatchRequest | None] = queue.SimpleQueue()
    sent.put(ParseDict({"universe": slow}, OptimizeBatchRequest()))
    for i in range(4):
        sent.put(ParseDict(account(f"slow {i}"), OptimizeBatchRequest()))
    with server.channel() as channel:
        call = OptimizationServiceStub(channel).OptimizeBatch(iter(sent.get, None), timeout=60)
        assert {next(call).key for _ in range(4)} == {f"slow {i}" for i in range(4)}
        with pytest.raises(grpc.RpcError) as raised:
            next(call)
        sent.put(None)
    refusal = refusal_of(raised.value)
    assert (refusal.code, refusal.reason) == ("DEADLINE_EXCEEDED", "STREAM_IDLE")


OTHER = {"weightBounds": {"upper": 0.95}}
BENCHMARK = [{"symbol": "Z", "weight": 1.0}]
TWICE = [{"label": "x", "weightBounds": {"upper": 0.5}}, {"label": "x", "weightBounds": {"upper": 0.6}}]
HALF = [{"symbol": "S0", "weight": 0.5}, {"symbol": "S0", "weight": 0.5}]
WRONG: dict[str, dict[str, Any]] = {
    "symbol": {"constraints": [{"weightBounds": {"upper": 0.9}}, {"groupBounds": {"symbols": ["Z"], "upper": 0.5}}]},
    "replaces": {"constraints": [{"label": "caps", "weightBounds": {"symbols": ["Z"], "upper": 0.5}}]},
    "term": {"constraints": [{"linear": {"terms": [{"symbol": "Z", "coefficient": 1.0}], "upper": 1.0}}]},
    "bounds": {"constraints": [{"weightBounds": {"lower": 0.9, "upper": 0.5}}]},
    "label": {"constraints": TWICE},
    "leverage": {"constraints": [{"leverage": {"maxShort": 0.5}}, {"leverage": {"maxShort": 0.6}}]},
    "turnover": {"constraints": [{"label": "t", "turnover": {"maxTurnover": 0.5}}]},
    "group": {"constraints": [{"groupBounds": {"group": "none", "upper": 0.5}}]},
    "tracking error": {"constraints": [{"trackingError": {"benchmark": BENCHMARK, "maxAnnual": 0.1}}]},
    "current weights": {"currentWeights": BENCHMARK},
    "repeated": {"currentWeights": HALF},
    "benchmark": {"objective": {"tracking": {"benchmark": BENCHMARK}}},
    "budgets": {"objective": {"riskBudget": {"budgets": [{"symbol": "S0", "budget": 1.0}]}}},
    "no budget": {"objective": {"riskBudget": {}}, "constraints": [{"leverage": {"budget": 0.0, "maxShort": 1.0}}]},
    "clusters": {"constraints": [{"clusters": {"clusters": 9, "codependence": "CODEPENDENCE_CUSTOM_COVARIANCE"}}]},
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_is_that_of_optimize_with_the_path_of_the_account(
    channel: grpc.Channel, wire: Wire, name: str
) -> None:
    wrong = WRONG[name]
    shared = [CAPS, OTHER]
    universe = {"moments": MOMENTS, "spec": {"objective": {"minRisk": {}}, "constraints": shared}}
    own = wrong.get("constraints", [])
    kept = [one for one in shared if "label" not in one or one["label"] not in {each.get("label") for each in own}]
    alone = {"moments": MOMENTS, "objective": {"minRisk": {}}, **wrong, "constraints": [*kept, *own]}
    expected = wire.refused("OptimizationService/Optimize", alone)
    assert len(expected.fields) == 1
    found = batch(channel, {"universe": universe}, account("wrong", **wrong), account("right"))
    assert found["right"].WhichOneof("outcome") == "result"
    field = expected.fields[0]
    for i in range(len(own)):
        field = field.replace(f"constraints[{len(kept) + i}]", f"constraints[{i}]")
    assert found["wrong"].error.message == f"account.{field}" + expected.message.removeprefix(expected.fields[0])


def test_an_error_in_what_is_shared_has_its_path_there(channel: grpc.Channel) -> None:
    constraints = [CAPS, {"label": "t", "trackingError": {"benchmark": BENCHMARK, "maxAnnual": 0.1}}]
    universe = {"moments": MOMENTS, "spec": {"objective": {"minRisk": {}}, "constraints": constraints}}
    cap = {"label": "caps", "weightBounds": {"upper": 0.5}}
    error = batch(channel, {"universe": universe}, account("a", constraints=[cap]))["a"].error
    assert error.message.startswith("universe.spec.constraints[1].tracking_error.benchmark[0].symbol: ")
    universe["spec"] = {"objective": {"tracking": {"benchmark": BENCHMARK}}}
    error = batch(channel, {"universe": universe}, account("a", constraints=[cap]))["a"].error
    assert error.message.startswith("universe.spec.objective.tracking.benchmark[0].symbol: ")
    universe["spec"] = {"objective": {"minRisk": {}}}
    universe["moments"] = {name: value for name, value in MOMENTS.items() if name != "expectedReturns"}
    error = batch(channel, {"universe": universe}, account("a", objective={"maxRatio": {}}))["a"].error
    assert error.message.startswith("universe.moments.expected_returns: ")


@pytest.mark.parametrize(
    "own",
    [
        {"objective": {"kelly": {}}},
        {"objective": {"hierarchical": {"codependence": "CODEPENDENCE_SPEARMAN"}}},
        {"constraints": [{"riskLimit": {"riskMeasure": "RISK_MEASURE_CVAR", "max": 0.5}}]},
    ],
)
def test_what_needs_returns_in_an_account_alone_says_where_it_belongs(
    channel: grpc.Channel, own: dict[str, Any]
) -> None:
    panel = {"symbols": SYMBOLS, "dates": list(range(60)), "values": RNG.normal(0.0, 0.01, 480).tolist()}
    spec: dict[str, Any] = {"objective": {"minRisk": {}}}
    universe = {"returns": panel, "periodsPerYear": 252, "spec": spec}
    refused = batch(channel, {"universe": universe}, account("own", **own))["own"].error
    assert refused.message.startswith("an objective or a risk limit that needs returns is not supported in an account")
    spec["riskMeasure"] = "RISK_MEASURE_CVAR"
    assert batch(channel, {"universe": universe}, account("own", **own))["own"].WhichOneof("outcome") == "result"
