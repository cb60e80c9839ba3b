"""Complaints are named as the request names the field; the checker of tests/fuzzing reads the same paths by itself."""

from typing import Any

import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeRequest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format
from google.protobuf.message import Message

from domain.errors import InvalidInput
from server.converters.located import located, path_in_request
from tests.fuzzing.answers import has_path

PANEL = {"symbols": ["A", "B"], "dates": [0, 1], "values": [1, 2, 3, 4]}
VIEWS = {"views": [{"terms": [{"symbol": "A", "weight": 1}, {"symbol": "B", "weight": -1}]}], "prior": {}}


def optimize(**changes: Any) -> Message:
    return json_format.ParseDict({"objective": {"minRisk": {}}, **changes}, OptimizeRequest())


def batch(**universe: Any) -> Message:
    return json_format.ParseDict({"universe": universe}, OptimizeBatchRequest())


def reallocate(**changes: Any) -> Message:
    return json_format.ParseDict(changes, ReallocateRequest())


CASES: list[tuple[Message, str, str]] = [
    (optimize(prices=PANEL), "objective.kind", "objective"),
    (optimize(prices=PANEL), "dates", "prices.dates"),
    (optimize(returns=PANEL), "values[3]", "returns.values[3]"),
    (optimize(returns=PANEL), "periods_per_year", "periods_per_year"),
    (optimize(marketData={"symbols": ["A"]}), "prices.values[3]", "market_data"),
    (optimize(marketData={"symbols": ["A"]}), "symbols[0]", "market_data.symbols[0]"),
    (
        optimize(prices=PANEL, estimation={"views": VIEWS}),
        "views[0].terms[1].symbol",
        "estimation.views.views[0].terms[1].symbol",
    ),
    (
        optimize(prices=PANEL, constraints=[{"label": "x", "weightBounds": {"symbols": ["Z"]}}]),
        "constraints[0].symbols[0]",
        "constraints[0].weight_bounds.symbols[0]",
    ),
    (optimize(prices=PANEL, estimation={"covariance": {}}), "covariance", "estimation.covariance"),
    (optimize(moments={"symbols": ["A"], "covariance": [1]}), "covariance", "moments.covariance"),
    (optimize(prices=PANEL), "returns", "prices"),
    (optimize(prices=PANEL), "constraints[7].weight_bounds", "constraints"),
    (optimize(prices=PANEL), "covariance", "prices"),
    (batch(returns=PANEL, spec={}), "covariance", "universe.returns"),
    (reallocate(portfolioName="portfolios/a", marketData={"symbols": ["A"]}), "quotes[0].price", "market_data"),
    (reallocate(portfolioName="portfolios/a", snapshot={}), "nothing.like[3].this", ""),
    (batch(returns=PANEL, spec={}), "periods_per_year", "universe.periods_per_year"),
    (batch(returns=PANEL, spec={}), "returns.dates[1]", "universe.returns.dates[1]"),
    (batch(returns=PANEL, spec={"missingData": 3}), "missing_data", "universe.spec.missing_data"),
    (
        reallocate(portfolio={"holdings": [{"symbol": "A"}]}),
        "portfolio.holdings[0].symbol",
        "portfolio.holdings[0].symbol",
    ),
    (reallocate(portfolioName="portfolios/a"), "portfolio.holdings[0].symbol", "portfolio_name"),
    (
        reallocate(targetOptimize={"objective": {"owa": {"weights": [1]}}}),
        "objective.owa.weights",
        "target_optimize.objective.owa.weights",
    ),
]


@pytest.mark.parametrize(("request_", "field", "path"), CASES, ids=[f"{c[1]} -> {c[2]}" for c in CASES])
def test_a_field_is_found_in_the_request(request_: Message, field: str, path: str) -> None:
    assert path_in_request(field, request_) == path
    assert has_path(request_, path) or not path


def test_the_rule_and_the_reason_stay() -> None:
    moved = located(InvalidInput("dates", "must be later", "LATE"), optimize(prices=PANEL))
    assert (moved.field, moved.rule, moved.reason) == ("prices.dates", "must be later", "LATE")
    assert moved.message == "prices.dates: must be later"


def test_a_complaint_of_no_field_has_no_colon() -> None:
    assert located(InvalidInput("nothing", "must not be"), BacktestRequest()).message == "must not be"
