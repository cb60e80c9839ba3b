"""Portfolios: what is stored of them, how an update changes that, and mandates as targets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from absfinance.v1.portfolio_pb2 import Portfolio as PortfolioProto
from absfinance.v1.portfolio_service_pb2 import CreatePortfolioRequest, UpdatePortfolioRequest
from google.protobuf import json_format

from domain.errors import InvalidInput, NotSupported
from domain.optimization.request.constraints import WeightBounds
from domain.portfolio import Portfolio
from domain.reallocation.request import Thresholds
from server.commands.reallocation import Mandate, OptimizedTarget
from server.converters import portfolios as converters
from server.ports.portfolios import PortfolioPage, PortfolioRecord
from tests.owners import OWNER

HOLDINGS = [{"symbol": "A", "quantity": 3.0}, {"symbol": "B", "quantity": -1.0}]
FULL = {"displayName": "n", "currency": "CHF", "holdings": HOLDINGS, "cash": 5.0}
WEIGHTS = {"weights": {"weights": [{"symbol": "A", "weight": 0.5}]}}
BOUNDS = [{"weightBounds": {"upper": 0.5}}]


def portfolio(**fields: Any) -> PortfolioProto:
    return json_format.ParseDict(fields, PortfolioProto())


def created(request_id: str = "", **fields: Any) -> CreatePortfolioRequest:
    return CreatePortfolioRequest(portfolio=portfolio(**fields), request_id=request_id)


def changed(paths: list[str], **fields: Any) -> PortfolioProto:
    """FULL after an update."""
    request = UpdatePortfolioRequest(portfolio=portfolio(name="portfolios/x", etag="e", **fields))
    request.update_mask.paths.extend(paths)
    change = converters.change_from_proto(request).change
    return PortfolioProto.FromString(change(portfolio(**FULL).SerializeToString()))


def test_what_the_server_sets_is_not_stored() -> None:
    sent = created(**FULL, name="portfolios/y", etag="e", createTime="2020-01-01T00:00:00Z")
    draft = converters.draft_from_proto(sent)
    assert PortfolioProto.FromString(draft.payload) == portfolio(**FULL)
    assert (draft.id, draft.request_id) == (None, None)


def test_a_request_is_told_by_all_but_its_own_id() -> None:
    first, again, other = (
        converters.draft_from_proto(request)
        for request in (created("r", **FULL), created("s", **FULL), created("r", **FULL | {"cash": 6.0}))
    )
    assert (first.request_id, again.request_id) == ("r", "s")
    assert first.body == again.body != other.body


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"holdings": HOLDINGS + HOLDINGS}, "portfolio.holdings[2].symbol"),
        ({"holdings": [HOLDINGS[0] | {"lots": [{"quantity": 1.0}, {"quantity": 1.5}]}]}, "portfolio.holdings[0].lots"),
        ({"cash": 1e300}, "portfolio.cash"),
    ],
)
def test_what_is_not_stored(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        converters.draft_from_proto(created(**fields))
    assert raised.value.field == named


@pytest.mark.parametrize("quantity", [3.0, 3.0 + 2e-9, 3.0 - 2e-9])
def test_lots_sum_to_the_quantity_but_for_rounding(quantity: float) -> None:
    lots = [{"quantity": 1.0}, {"quantity": quantity - 1.0}]
    found = converters.holdings_from_proto(portfolio(holdings=[HOLDINGS[0] | {"lots": lots}]))
    assert found.quantities == {"A": 3.0}
    with pytest.raises(InvalidInput, match="sum to the quantity of 3, sum to"):
        converters.holdings_from_proto(portfolio(holdings=[HOLDINGS[0] | {"lots": [{"quantity": 3.0 + 4e-9}]}]))


def test_holdings() -> None:
    assert converters.holdings_from_proto(portfolio(**FULL)) == Portfolio({"A": 3.0, "B": -1.0}, 5.0)


def test_without_a_mask_what_is_sent_changes() -> None:
    assert changed([], cash=7.0) == portfolio(**FULL | {"cash": 7.0})
    assert changed([], holdings=HOLDINGS[:1]) == portfolio(**FULL | {"holdings": HOLDINGS[:1]})


def test_a_field_of_the_mask_that_is_not_sent_is_cleared() -> None:
    assert changed(["holdings", "cash"], displayName="other") == portfolio(displayName="n", currency="CHF")


def test_a_part_of_a_mandate_changes_alone() -> None:
    mandate = {"thresholds": {"driftBand": 0.05}, **WEIGHTS}
    found = changed(["mandate.thresholds"], mandate=mandate)
    assert found == portfolio(**FULL, mandate={"thresholds": {"driftBand": 0.05}})


@pytest.mark.parametrize(
    ("name", "etag", "path", "named"),
    [
        ("", "e", "cash", "portfolio.name"),
        ("portfolios/x", "", "cash", "portfolio.etag"),
        ("portfolios/x", "e", "etag", "update_mask.paths[0]"),
        ("portfolios/x", "e", "mandate.nothing", "update_mask.paths[0]"),
    ],
)
def test_updates_that_say_too_little_or_what_cannot_change(name: str, etag: str, path: str, named: str) -> None:
    request = UpdatePortfolioRequest(portfolio=portfolio(name=name, etag=etag, cash=1.0))
    request.update_mask.paths.append(path)
    with pytest.raises(InvalidInput) as raised:
        converters.change_from_proto(request)
    assert raised.value.field == named


def test_an_update_names_what_it_changes() -> None:
    update = converters.change_from_proto(UpdatePortfolioRequest(portfolio=portfolio(name="portfolios/x", etag="e")))
    assert (update.portfolio_id, update.etag) == ("x", "e")


def record(**fields: Any) -> PortfolioRecord:
    times = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    return PortfolioRecord(OWNER, "x", portfolio(**fields).SerializeToString(), "e", *times)


def test_a_stored_portfolio() -> None:
    found = converters.record_to_proto(record(**FULL))
    assert (found.name, found.etag) == ("portfolios/x", "e")
    assert (found.create_time.ToDatetime().year, found.update_time.ToDatetime().year) == (2020, 2021)
    assert list(found.holdings) == list(portfolio(**FULL).holdings)


def test_a_page_has_no_positions() -> None:
    page = converters.page_to_proto(PortfolioPage((record(**FULL, mandate=WEIGHTS),), "next"))
    (line,) = page.portfolios
    assert (line.name, line.display_name, line.currency, line.holding_count) == ("portfolios/x", "n", "CHF", 2)
    assert (line.cash, line.etag, page.next_page_token) == (5.0, "e", "next")
    assert (line.create_time.ToDatetime().year, line.update_time.ToDatetime().year) == (2020, 2021)


def mandate(**fields: Any) -> Mandate:
    return converters.mandate_from_bytes(portfolio(holdings=HOLDINGS, mandate=fields).SerializeToString())


def test_a_mandate_of_weights() -> None:
    thresholds = {"thresholds": {"maxUtilization": 1.2, "driftBand": 0.05}}
    holdings = Portfolio({"A": 3.0, "B": -1.0}, 0.0)
    assert mandate(**WEIGHTS, **thresholds) == Mandate(holdings, {"A": 0.5}, Thresholds(1.2, 0.05))
    assert mandate() == Mandate(holdings, None, None)
    assert mandate(thresholds={}).thresholds == Thresholds(None, None)


def test_a_mandate_that_is_optimised_has_more_constraints() -> None:
    optimize = {"objective": {"minRisk": {}}, "constraints": BOUNDS, "lookbackPeriods": 9}
    target = mandate(optimize=optimize, constraints=BOUNDS).target
    assert isinstance(target, OptimizedTarget)
    assert target.lookback == 9
    assert target.specification.constraints == tuple(WeightBounds(f"constraints[{i}]", None, 0.5, ()) for i in (0, 1))


def test_mandates_that_cannot_be_used() -> None:
    with pytest.raises(NotSupported, match="fixed weights"):
        mandate(**WEIGHTS, constraints=BOUNDS)
    twice = [{"symbol": "A", "weight": 0.5}] * 2
    with pytest.raises(InvalidInput) as raised:
        mandate(weights={"weights": twice})
    assert raised.value.field == "portfolio.mandate.weights.weights[1].symbol"
    with pytest.raises(InvalidInput) as raised:
        mandate(optimize={"objective": {"tracking": {"benchmark": twice}}})
    assert raised.value.field.startswith("portfolio.mandate.optimize.objective.tracking.benchmark")
