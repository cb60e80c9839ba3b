"""Fields that no engine serves: each is refused by its path where it is set, and no other is."""

from collections.abc import Iterator
from typing import Any

import pytest
from absfinance.v1 import backtest_service_pb2  # noqa: F401  # its messages are looked up by name
from absfinance.v1.portfolio_service_pb2 import CreatePortfolioRequest
from absfinance.v1.reallocation_service_pb2 import ReallocateRequest
from google.protobuf import json_format, symbol_database

from domain.errors import NotSupported
from server.converters import not_built
from server.converters.not_built import NOT_BUILT, PACKAGE, is_built, refuse_what_is_not_built


def refused(**fields: Any) -> str | None:
    try:
        refuse_what_is_not_built(json_format.ParseDict(fields, ReallocateRequest()))
    except NotSupported as error:
        return error.metadata["field"]
    return None


def test_every_line_names_a_field_of_the_contract() -> None:
    for name, served in NOT_BUILT.items():
        message, _, field = f"{PACKAGE}{name}".rpartition(".")
        descriptor = symbol_database.Default().pool.FindMessageTypeByName(message)
        assert is_built(descriptor.fields_by_name[field]) is bool(served)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, None),
        ({"horizonDays": 3}, None),
        ({"settlementDays": 2}, None),
        ({"retainCash": True}, None),
        ({"direction": "DIRECTION_SELL_ONLY"}, None),
        ({"limits": {"tax": {"harvestLosses": True, "substitutes": [{"symbol": "A", "by": "B"}]}}}, None),
        ({"tradeOff": {"costAversion": 1.0}}, None),
        ({"tradeOff": {"taxAversion": 0.0}}, None),
        ({"snapshot": {"assets": [{"symbol": "A"}, {"currency": "CHF"}], "fxRates": [{}]}}, None),
    ],
)
def test_paths(fields: dict[str, Any], path: str | None) -> None:
    assert refused(**fields) == path


@pytest.fixture
def without_triggers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if no engine served triggers."""
    monkeypatch.setattr(not_built, "NOT_BUILT", {**NOT_BUILT, "Mandate.triggers": frozenset()})
    for known in (not_built._watched, not_built._leads_to_any):
        known.cache_clear()
    yield
    monkeypatch.undo()
    for known in (not_built._watched, not_built._leads_to_any):
        known.cache_clear()


@pytest.mark.usefixtures("without_triggers")
def test_a_field_deep_inside() -> None:
    request = CreatePortfolioRequest()
    request.portfolio.mandate.triggers.add()
    with pytest.raises(NotSupported, match=r"portfolio\.mandate\.triggers is not supported yet"):
        refuse_what_is_not_built(request)
