"""Each rule of the contract names a field that the message has, and says in words what it demands."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import absfinance.v1
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest, GetBacktestSeriesRequest
from absfinance.v1.market_data_service_pb2 import ListInstrumentsRequest, PublishMarketDataRequest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest
from buf.validate import validate_pb2
from google.protobuf import json_format
from google.protobuf.message import Message

from server.converters.message import InvalidRequest, message_from_bytes
from server.converters.not_built import is_built
from server.converters.violations import Violation, first_field, pattern_in_words
from tests.fuzzing.answers import has_path

PANEL = {"symbols": ["A"], "dates": [0, 1], "values": [1, 2]}
OPTIMIZE = {"prices": PANEL, "objective": {"minRisk": {}}}
RISK = {"prices": PANEL, "weights": [{"symbol": "A", "weight": 1}]}

CASES: dict[str, tuple[type[Message], dict[str, Any], str, str]] = {
    "a rule over the request": (
        OptimizeRequest,
        {**OPTIMIZE, "checkFeasibility": True},
        "check_feasibility",
        "check_feasibility needs validate_only: without it the problem is solved anyway",
    ),
    "one of two lists": (
        AnalyzeRiskRequest,
        {"prices": PANEL},
        "weights",
        "give weights or holdings, one of them",
    ),
    "one of two lists, both sent": (
        AnalyzeRiskRequest,
        {**RISK, "holdings": [{"symbol": "A", "quantity": 1}]},
        "weights",
        "give weights or holdings, one of them",
    ),
    "cash beside weights": (
        AnalyzeRiskRequest,
        {**RISK, "cash": 1},
        "cash",
        "cash stands beside holdings; beside weights it is 1 less their sum",
    ),
    "no strategy": (BacktestRequest, {"prices": PANEL}, "strategy", "give strategy or strategies, one of them"),
    "an empty batch": (PublishMarketDataRequest, {"batchId": "a"}, "bars", "give bars or quotes, one of them"),
    "a rule over a message inside": (
        OptimizeRequest,
        {**OPTIMIZE, "prices": None, "marketData": {}},
        "market_data",
        "give symbols or a universe, one of them",
    ),
    "a rule over an entry of a list": (
        AnalyzeRiskRequest,
        {**RISK, "stress": [{"label": "x", "historical": {}}]},
        "stress[0].historical",
        "give a name, or both dates",
    ),
    "no input": (
        OptimizeRequest,
        {"objective": {"minRisk": {}}},
        "prices",
        "must be set: one of prices, returns, moments, scenarios, market_data",
    ),
    "no strategy inside": (
        BacktestRequest,
        {"prices": PANEL, "strategies": [{}]},
        "strategies[0]",
        "must be set: one of equal_weight, fixed_weights, schedule, inverse_volatility, optimize, momentum, "
        "volatility_target, cppi, blend, remote, select",
    ),
    "no series": (
        GetBacktestSeriesRequest,
        {"name": "backtests/a"},
        "series",
        "must be set: one of BACKTEST_SERIES_EQUITY, BACKTEST_SERIES_WEIGHTS, BACKTEST_SERIES_TRADES, "
        "BACKTEST_SERIES_DRAWDOWN, BACKTEST_SERIES_NAV, BACKTEST_SERIES_HOLDINGS, BACKTEST_SERIES_CASH, "
        "BACKTEST_SERIES_EXPOSURES, BACKTEST_SERIES_CONTRIBUTIONS, BACKTEST_SERIES_COSTS, BACKTEST_SERIES_TURNOVER, "
        "BACKTEST_SERIES_GROSS_EQUITY",
    ),
    "an engine of the server's own": (
        OptimizeRequest,
        {**OPTIMIZE, "solver": {"engine": "ENGINE_CLOSED_FORM"}},
        "solver.engine",
        "must be one of ENGINE_AUTO, ENGINE_FAST, ENGINE_RISKFOLIO",
    ),
    "an unknown number of an enum": (
        OptimizeRequest,
        {**OPTIMIZE, "missingData": 99},
        "missing_data",
        "must be one of MISSING_DATA_POLICY_FAIL, MISSING_DATA_POLICY_DROP_DATES, "
        "MISSING_DATA_POLICY_MAXIMUM_LIKELIHOOD, MISSING_DATA_POLICY_PAIRWISE, MISSING_DATA_POLICY_ASSET_STATES",
    ),
    "a name that is none": (
        GetBacktestSeriesRequest,
        {"name": "x", "series": "BACKTEST_SERIES_NAV"},
        "name",
        "must be 'backtests/{id}', the id 1 to 64 characters of A-Z, a-z, 0-9, '_' and '-'",
    ),
    "a label without a kind": (
        ListInstrumentsRequest,
        {"group": "Energy"},
        "group",
        "must be empty, or 'kind=name', such as 'sector=Energy', 1 to 63 characters before the '=', 1 to 64 after it",
    ),
}


def broken(kind: type[Message], request: dict[str, Any]) -> Violation:
    with pytest.raises(InvalidRequest) as raised:
        message_from_bytes(kind, json_format.ParseDict(request, kind()).SerializeToString())
    [violation] = raised.value.violations
    return violation


@pytest.mark.parametrize(("kind", "request_", "field", "rule"), CASES.values(), ids=CASES)
def test_a_broken_rule_names_a_field_and_says_what_to_send(
    kind: type[Message], request_: dict[str, Any], field: str, rule: str
) -> None:
    violation = broken(kind, request_)
    assert (violation.field, violation.rule) == (field, rule)
    assert has_path(json_format.ParseDict(request_, kind()), violation.field)


def kinds() -> Iterator[Any]:
    """The descriptor of every message of the contract."""
    waiting = [
        kind
        for module in pkgutil.iter_modules(absfinance.v1.__path__, "absfinance.v1.")
        if module.name.endswith("_pb2")
        for kind in importlib.import_module(module.name).DESCRIPTOR.message_types_by_name.values()
    ]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.nested_types)
        yield kind


def test_every_pattern_of_the_contract_has_words() -> None:
    patterns = set()
    for kind in kinds():
        for field in kind.fields:
            rules = field.GetOptions().Extensions[validate_pb2.field]
            for texts in (rules.string, rules.repeated.items.string, rules.map.keys.string, rules.map.values.string):
                patterns |= {texts.pattern} - {""}
    assert len(patterns) > 10
    assert all(len(pattern_in_words(pattern)) > 10 for pattern in patterns)


def test_every_rule_over_a_message_names_a_field_of_it() -> None:
    rules = [(kind, rule.id) for kind in kinds() for rule in kind.GetOptions().Extensions[validate_pb2.message].cel]
    assert len(rules) > 5
    for kind, rule_id in rules:
        assert first_field(kind, rule_id) in kind.fields_by_name, rule_id


def test_every_required_oneof_has_a_member_to_send() -> None:
    required = [
        oneof for kind in kinds() for oneof in kind.oneofs if oneof.GetOptions().Extensions[validate_pb2.oneof].required
    ]
    assert len(required) > 20
    for oneof in required:
        assert any(map(is_built, oneof.fields)), oneof.full_name
