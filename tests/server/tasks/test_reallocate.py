"""What a reallocation asks services outside for, and what it does with what it is handed back."""

from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest, AssessLiquidityResponse
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from domain.reallocation.target import TargetWeights
from server.commands.stored import DataRequest, StoredData
from server.execution.control import Control
from server.ports.errors import Refused
from server.ports.panels import StoredPanelRef
from server.ports.remote import RemoteTargets
from server.ports.results import ResultDraft
from server.tasks.reallocate import reallocation

TODAY = date(2024, 1, 2)
DESK = RemoteTargets(liquidity="desk:1")
REQUEST = {
    "portfolio": {"holdings": [{"symbol": "A", "quantity": 100}]},
    "snapshot": {"assets": [{"symbol": "A", "price": 10}, {"symbol": "B", "price": 10}]},
    "targetWeights": {"weights": [{"symbol": "B", "weight": 1}]},
    "limits": {"maxParticipation": 0.2},
    "horizonDays": 4,
}


def run(found: StoredData | None = None, services: RemoteTargets = DESK, **more: Any) -> Any:
    request = json_format.ParseDict(REQUEST | more, ReallocateRequest()).SerializeToString()
    control = cast(Control, lambda: None)  # never cancelled
    return reallocation(request, TODAY, found or StoredData(), control, lambda _: None, services)


class Unhurried:
    """The control of a task that has all the time there is."""

    def __call__(self) -> None:
        """It is never cancelled."""

    def limit(self, seconds: float) -> None:
        """Sets none."""

    def load(self, name: str) -> None:
        """Loads nothing."""

    def unlimited(self) -> None:
        """As it is."""


def answer(available: float) -> dict[str, bytes]:
    message = AssessLiquidityResponse()
    for symbol in "AB":
        message.assessment.assets.add(symbol=symbol, state="LIQUIDITY_STATE_PARTIAL", available_quantity=available)
    return {"LiquidityService": message.SerializeToString()}


def test_the_call_that_is_needed() -> None:
    needed = run()
    assert isinstance(needed, DataRequest)
    (call,) = needed.calls
    assert (call.service, call.method, call.target) == ("LiquidityService", "AssessLiquidity", "desk:1")
    assert call.timeout_seconds is None
    request = AssessLiquidityRequest.FromString(call.request)
    assert {trade.symbol: trade.quantity for trade in request.trades} == {"A": -100.0, "B": 100.0}
    assert (request.max_participation, request.horizon_days) == (0.2, 4)
    assert isinstance(run(services=RemoteTargets()), ResultDraft)


def test_a_target_is_handed_back_and_not_computed_again() -> None:
    needed = run()
    assert needed.target == TargetWeights({"B": 1.0})
    handed = TargetWeights({"B": 0.25})
    (call,) = run(StoredData(target=handed)).calls
    trades = AssessLiquidityRequest.FromString(call.request).trades
    assert {trade.symbol: trade.quantity for trade in trades} == {"A": -100.0, "B": 25.0}


def test_the_fingerprint_is_of_the_answer_too() -> None:
    found = [run(StoredData(answers=answer(available))) for available in (10.0, 10.0, 11.0)]
    assert all(isinstance(one, ResultDraft) for one in found)
    assert found[0].input_fingerprint == found[1].input_fingerprint
    assert found[0].input_fingerprint != found[2].input_fingerprint
    assert found[0].input_fingerprint != run(services=RemoteTargets()).input_fingerprint


def test_an_answer_that_is_no_message() -> None:
    with pytest.raises(Refused) as raised:
        run(StoredData(answers={"LiquidityService": b"\xff\xff"}))
    assert b"REMOTE_ANSWER_INVALID" in raised.value.status
    assert b"the bytes cannot be parsed as AssessLiquidityResponse" in raised.value.status


def test_a_gap_in_stored_prices_is_one_of_the_assets_of_the_snapshot(tmp_path: Path) -> None:
    """They are all of the request that names these prices."""
    sent = {name: part for name, part in REQUEST.items() if name != "targetWeights"}
    sent["targetOptimize"] = {"objective": {"minRisk": {}}}
    request = json_format.ParseDict(sent, ReallocateRequest()).SerializeToString()

    def planned(found: StoredData | None) -> Any:
        return reallocation(request, TODAY, found, Unhurried(), lambda _: None)

    needed = planned(None)
    assert isinstance(needed, DataRequest)
    [selection] = needed.panels
    file = tmp_path / "prices.npy"
    np.save(file, np.array([[10.0, 20.0], [11.0, np.nan], [12.0, 21.0]]))
    panel = StoredPanelRef(("A", "B"), np.array([19_000, 19_001, 19_002], np.int32), file)
    with pytest.raises(Refused) as raised:
        planned(StoredData(panels={selection: panel}))
    [violation] = next(
        detail.field_violations
        for packed in Status.FromString(raised.value.status).details
        if packed.Unpack(detail := BadRequest())
    )
    assert violation.field == "snapshot.assets"
    assert "B has no value on 2022-01-09" in violation.description
