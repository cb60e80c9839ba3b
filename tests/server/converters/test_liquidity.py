"""Liquidity: trades to assess, assessments as messages, and what a service outside may answer."""

from typing import Any

import pytest
from absfinance.v1 import liquidity_pb2
from absfinance.v1.liquidity_service_pb2 import AssessLiquidityRequest, AssessLiquidityResponse
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.market_data.snapshot import LARGEST_AMOUNT
from domain.reallocation.liquidity import AssetLiquidity, LiquidityAssessment, LiquidityState
from server.converters import liquidity as converters
from server.converters.liquidity import AssessCommand

SUFFICIENT, UNKNOWN = "LIQUIDITY_STATE_SUFFICIENT", "LIQUIDITY_STATE_UNKNOWN"


def command(**fields: Any) -> AssessCommand:
    return converters.assess_command_from_proto(json_format.ParseDict(fields, AssessLiquidityRequest()))


def remote(*assets: dict[str, Any], trades: dict[str, float] | None = None) -> LiquidityAssessment:
    """What is read from an answer; by default the trade is to sell 100 units of A."""
    answer = json_format.ParseDict({"assessment": {"assets": assets}}, AssessLiquidityResponse())
    return converters.remote_assessment_from_bytes(answer.SerializeToString(), trades or {"A": -100.0})


def test_trades_to_assess() -> None:
    trades = [{"symbol": "A", "quantity": -3.0}, {"symbol": "B", "quantity": 2.0}]
    found = command(trades=trades, maxParticipation=0.25, horizonDays=5)
    assert found == AssessCommand({"A": -3.0, "B": 2.0}, 0.25, 5)


def test_a_tenth_of_the_volume_of_one_day_unless_said() -> None:
    assert command() == AssessCommand({}, 0.1, 1)


@pytest.mark.parametrize(
    ("trades", "named"),
    [
        ([{"symbol": "A"}, {"symbol": "A"}], "trades[1].symbol"),
        ([{"symbol": "A"}, {"symbol": "B", "quantity": -1.1 * LARGEST_AMOUNT}], "trades[1].quantity"),
    ],
)
def test_trades_that_are_refused(trades: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        command(trades=trades)
    assert raised.value.field == named


def test_the_largest_trade_is_assessed() -> None:
    trades = [{"symbol": "A", "quantity": -LARGEST_AMOUNT}]
    assert command(trades=trades).trades == {"A": -LARGEST_AMOUNT}


def test_a_service_outside_is_asked_for_the_same() -> None:
    asked = AssessCommand({"A": -3.0, "B": 2.0}, 0.25, 5)
    sent = AssessLiquidityRequest.FromString(converters.assess_request_to_bytes(asked))
    assert converters.assess_command_from_proto(sent) == asked


FULL = AssetLiquidity("A", LiquidityState.PARTIAL, 50.0, 500.0, 0.2, 2.0, 0.5)


def test_an_assessment_with_all_figures() -> None:
    found = converters.assessment_to_proto(LiquidityAssessment((FULL,), remote=True))
    assert json_format.MessageToDict(found) == {
        "state": "LIQUIDITY_STATE_PARTIAL",
        "score": 0.5,
        "fromRemoteService": True,
        "assets": [
            {
                "symbol": "A",
                "state": "LIQUIDITY_STATE_PARTIAL",
                "availableQuantity": 50.0,
                "averageDailyVolume": 500.0,
                "participation": 0.2,
                "daysToTrade": 2.0,
                "score": 0.5,
            }
        ],
    }


def test_figures_that_are_not_known_are_left_out_and_zero_is_not() -> None:
    halted = AssetLiquidity("B", LiquidityState.INSUFFICIENT, 0.0, 0.0, score=0.0)
    unknown = AssetLiquidity("A", LiquidityState.UNKNOWN)
    data = converters.assess_response_to_bytes(LiquidityAssessment((unknown, halted)))
    found = json_format.MessageToDict(AssessLiquidityResponse.FromString(data).assessment)
    assert found["assets"] == [
        {"symbol": "A", "state": UNKNOWN},
        {
            "symbol": "B",
            "state": "LIQUIDITY_STATE_INSUFFICIENT",
            "availableQuantity": 0.0,
            "averageDailyVolume": 0.0,
            "score": 0.0,
        },
    ]
    assert found["state"] == "LIQUIDITY_STATE_INSUFFICIENT"
    assert not found.keys() & {"score", "fromRemoteService"}


@pytest.mark.parametrize("state", LiquidityState)
def test_states_have_their_names_on_the_wire(state: LiquidityState) -> None:
    message = converters.assessment_to_proto(LiquidityAssessment((AssetLiquidity("A", state),)))
    assert liquidity_pb2.LiquidityState.Name(message.assets[0].state) == f"LIQUIDITY_STATE_{state.name}"
    asset = {"symbol": "A", "state": message.assets[0].state, "availableQuantity": 100.0}
    assert remote(asset).assets[0].state is state


def test_an_answer_comes_back_in_the_order_of_the_trades() -> None:
    other = AssetLiquidity("B", LiquidityState.UNKNOWN)
    data = converters.assess_response_to_bytes(LiquidityAssessment((FULL, other)))
    found = converters.remote_assessment_from_bytes(data, {"B": 1.0, "A": -100.0})
    assert found == LiquidityAssessment((other, FULL), remote=True)


@pytest.mark.parametrize(
    ("quantity", "available", "score"), [(-100.0, 25.0, 0.25), (100.0, 300.0, 1.0), (0.0, 0.0, 1.0)]
)
def test_a_score_that_is_not_given_is_the_part_that_is_available(
    quantity: float, available: float, score: float
) -> None:
    asset = {"symbol": "A", "state": "LIQUIDITY_STATE_PARTIAL", "availableQuantity": available}
    assert remote(asset, trades={"A": quantity}).assets[0].score == score


def test_a_score_of_zero_is_a_score() -> None:
    asset = {"symbol": "A", "state": SUFFICIENT, "availableQuantity": 100.0, "score": 0.0}
    assert remote(asset).assets[0].score == 0.0


def test_a_service_may_round_what_is_available() -> None:
    assert remote({"symbol": "A", "state": SUFFICIENT, "availableQuantity": 100.0 * (1.0 - 0.9e-9)})
    with pytest.raises(InvalidInput, match="at least the 100 of the trade"):
        remote({"symbol": "A", "state": SUFFICIENT, "availableQuantity": 100.0 * (1.0 - 1.1e-9)})


@pytest.mark.parametrize(
    ("asset", "named"),
    [
        ({"symbol": "Z"}, "[0].symbol"),
        ({"symbol": "A"}, "[0].state"),
        ({"symbol": "A", "state": 99}, "[0].state"),
        ({"symbol": "A", "state": SUFFICIENT}, "[0].available_quantity"),
        ({"symbol": "A", "state": SUFFICIENT, "availableQuantity": 99.0}, "[0].available_quantity"),
        ({"symbol": "A", "state": UNKNOWN, "availableQuantity": -1.0}, "[0].available_quantity"),
        ({"symbol": "A", "state": UNKNOWN, "availableQuantity": 2 * LARGEST_AMOUNT}, "[0].available_quantity"),
        ({"symbol": "A", "state": UNKNOWN, "averageDailyVolume": -1.0}, "[0].average_daily_volume"),
        ({"symbol": "A", "state": UNKNOWN, "averageDailyVolume": 2 * LARGEST_AMOUNT}, "[0].average_daily_volume"),
        ({"symbol": "A", "state": UNKNOWN, "participation": "Infinity"}, "[0].participation"),
        ({"symbol": "A", "state": UNKNOWN, "participation": "NaN"}, "[0].participation"),
        ({"symbol": "A", "state": UNKNOWN, "daysToTrade": "Infinity"}, "[0].days_to_trade"),
        ({"symbol": "A", "state": UNKNOWN, "daysToTrade": -1.0}, "[0].days_to_trade"),
        ({"symbol": "A", "state": UNKNOWN, "score": 1.5}, "[0].score"),
    ],
)
def test_answers_that_cannot_be_true(asset: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        remote(asset)
    assert raised.value.field == f"assessment.assets{named}"


def test_days_and_participation_may_be_of_any_size() -> None:
    (found,) = remote({"symbol": "A", "state": UNKNOWN, "participation": 1e300, "daysToTrade": 1e300}).assets
    assert (found.participation, found.days_to_trade) == (1e300, 1e300)


def test_each_trade_is_answered_once() -> None:
    asset = {"symbol": "A", "state": UNKNOWN}
    with pytest.raises(InvalidInput, match="twice") as twice:
        remote(asset, asset)
    assert twice.value.field == "assessment.assets[1].symbol"
    with pytest.raises(InvalidInput, match="B is missing") as missing:
        remote(asset, trades={"A": 1.0, "B": 1.0})
    assert missing.value.field == "assessment.assets"


def test_bytes_that_are_no_answer() -> None:
    with pytest.raises(InvalidInput, match="cannot be parsed"):
        converters.remote_assessment_from_bytes(b"\xff", {})
