"""Portfolios on the wire and in the store, where they are kept as the message itself."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

from absfinance.v1 import portfolio_pb2
from absfinance.v1.portfolio_service_pb2 import CreatePortfolioRequest, ListPortfoliosResponse, UpdatePortfolioRequest
from google.protobuf.field_mask_pb2 import FieldMask

from domain.errors import InvalidInput, NotSupported
from domain.monitoring.events import Holdings
from domain.portfolio import Portfolio
from domain.reallocation.cost_benefit import CostBenefitRule
from domain.reallocation.request import Thresholds, check_amounts
from domain.records import dataclass
from server.commands.reallocation import Mandate, OptimizedTarget, Target
from server.converters.constraint import constraint_from_proto
from server.converters.mandates import check_mandate
from server.converters.paths import error_path, require_unique
from server.converters.specification import specification_from_proto
from server.converters.taxes import lots_by_symbol_from_proto
from server.converters.weights import weights_from_proto
from server.ports.portfolios import PortfolioDraft, PortfolioPage, PortfolioRecord

NAME = "portfolios/"
CHANGEABLE = ("display_name", "currency", "holdings", "cash", "mandate")
LOT_TOLERANCE = 1e-9


def id_of(name: str) -> str:
    """The id in a resource name."""
    return name.removeprefix(NAME)


def draft_from_proto(request: CreatePortfolioRequest) -> PortfolioDraft:
    """A portfolio to store. Raises InvalidInput."""
    payload = payload_of(request.portfolio)
    bare = CreatePortfolioRequest()
    bare.CopyFrom(request)
    bare.ClearField("request_id")
    body = hashlib.sha256(bare.SerializeToString(deterministic=True)).digest()
    return PortfolioDraft(payload, body, request.portfolio_id or None, request.request_id or None)


@dataclass(frozen=True, slots=True)
class PortfolioUpdate:
    """A change of a portfolio that is still the one that was read."""

    portfolio_id: str
    etag: str
    change: Callable[[bytes], bytes]  # of the stored payload


def change_from_proto(request: UpdatePortfolioRequest) -> PortfolioUpdate:
    """What an update asks for. Raises InvalidInput for a mask that names what cannot change."""
    if not request.portfolio.name:
        raise InvalidInput("portfolio.name", "must be given: the name of the portfolio to change")
    if not request.portfolio.etag:
        raise InvalidInput("portfolio.etag", "must be given: the etag of the portfolio as it was read")
    paths = list(request.update_mask.paths) or _sent(request.portfolio)
    for i, path in enumerate(paths):
        descriptor: Any = portfolio_pb2.Portfolio.DESCRIPTOR
        if path.split(".")[0] not in CHANGEABLE or not FieldMask(paths=[path]).IsValidForDescriptor(descriptor):
            raise InvalidInput(f"update_mask.paths[{i}]", f"{path} is none of {', '.join(CHANGEABLE)}")
    change = partial(_merged, source=request.portfolio.SerializeToString(), paths=tuple(paths))
    return PortfolioUpdate(id_of(request.portfolio.name), request.portfolio.etag, change)


def record_to_proto(record: PortfolioRecord) -> portfolio_pb2.Portfolio:
    """A stored portfolio."""
    portfolio = portfolio_pb2.Portfolio.FromString(record.payload)
    portfolio.name, portfolio.etag = NAME + record.id, record.etag
    portfolio.create_time.FromDatetime(record.created)
    portfolio.update_time.FromDatetime(record.updated)
    return portfolio


def page_to_proto(page: PortfolioPage, *, with_owners: bool = False) -> ListPortfoliosResponse:
    """A page of portfolios without their positions and mandates."""
    response = ListPortfoliosResponse(next_page_token=page.next_token)
    for record in page.records:
        full = record_to_proto(record)
        response.portfolios.add(
            name=full.name,
            display_name=full.display_name,
            currency=full.currency,
            holding_count=len(full.holdings),
            cash=full.cash,
            etag=full.etag,
            create_time=full.create_time,
            update_time=full.update_time,
            owner=record.owner if with_owners else "",
        )
    return response


def holdings_from_proto(portfolio: portfolio_pb2.Portfolio) -> Portfolio:
    """Positions and cash. Raises InvalidInput."""
    require_unique("holdings", [holding.symbol for holding in portfolio.holdings])
    for i, holding in enumerate(portfolio.holdings):
        total = sum(lot.quantity for lot in holding.lots)
        if holding.lots and abs(total - holding.quantity) > LOT_TOLERANCE * max(1.0, abs(holding.quantity)):
            raise InvalidInput(
                f"holdings[{i}].lots", f"must sum to the quantity of {holding.quantity:g}, sum to {total:g}"
            )
    return Portfolio({holding.symbol: holding.quantity for holding in portfolio.holdings}, portfolio.cash)


@dataclass(frozen=True, slots=True)
class WatchedHoldings:
    """What a stored portfolio holds, and its currency; "" is not known."""

    holdings: Holdings
    currency: str


def watched_holdings_from_bytes(payload: bytes, day: int) -> WatchedHoldings:
    """What a stored portfolio holds, in the units of a day since 1970-01-01. Raises InvalidInput."""
    portfolio = portfolio_pb2.Portfolio.FromString(payload)
    holdings = Holdings(holdings_from_proto(portfolio), day, lots_by_symbol_from_proto(portfolio))
    return WatchedHoldings(holdings, portfolio.currency)


def mandate_from_bytes(payload: bytes) -> Mandate:
    """A stored portfolio with its target. Raises NotSupported for what no engine does yet."""
    return mandate_from_proto(portfolio_pb2.Portfolio.FromString(payload))


def mandate_from_proto(portfolio: portfolio_pb2.Portfolio) -> Mandate:
    """A portfolio with its target. Raises InvalidInput, or NotSupported for what no engine does yet."""
    with error_path("portfolio"):
        holdings, lots = holdings_from_proto(portfolio), lots_by_symbol_from_proto(portfolio)
        mandate = portfolio.mandate
        with error_path("mandate"):
            thresholds = thresholds_from_proto(mandate.thresholds) if mandate.HasField("thresholds") else None
            return Mandate(holdings, _target(mandate), thresholds, lots, portfolio.currency)


def thresholds_from_proto(thresholds: portfolio_pb2.Thresholds) -> Thresholds:
    """How far weights may drift."""
    return Thresholds(
        thresholds.max_utilization if thresholds.HasField("max_utilization") else None,
        thresholds.drift_band if thresholds.HasField("drift_band") else None,
        thresholds.relative_band if thresholds.HasField("relative_band") else None,
        thresholds.max_tracking_error_annual if thresholds.HasField("max_tracking_error_annual") else None,
        CostBenefitRule(thresholds.cost_benefit.risk_aversion, thresholds.cost_benefit.horizon_days)
        if thresholds.HasField("cost_benefit")
        else None,
    )


def _target(mandate: portfolio_pb2.Mandate) -> Target | None:
    kind = mandate.WhichOneof("target")
    if kind is None:
        return None
    if kind == "weights":
        if mandate.constraints:
            raise NotSupported("constraints of a mandate with fixed weights are not supported yet")
        return weights_from_proto("weights.weights", mandate.weights.weights)
    with error_path("optimize"):
        specification = specification_from_proto(mandate.optimize)
    first = len(specification.constraints)
    extra = tuple(constraint_from_proto(first + i, constraint) for i, constraint in enumerate(mandate.constraints))
    lookback = mandate.optimize.lookback_periods if mandate.optimize.HasField("lookback_periods") else None
    return OptimizedTarget(specification.with_constraints(extra), lookback)


def _sent(portfolio: portfolio_pb2.Portfolio) -> list[str]:
    """The changeable fields that a message has: present, or not empty."""
    return [field.name for field, _ in portfolio.ListFields() if field.name in CHANGEABLE]


def payload_of(portfolio: portfolio_pb2.Portfolio) -> bytes:
    """A portfolio as it is stored. Raises InvalidInput."""
    with error_path("portfolio"):
        holdings = holdings_from_proto(portfolio)
        lots_by_symbol_from_proto(portfolio)
        check_mandate(portfolio)
    check_amounts(holdings)
    kept = portfolio_pb2.Portfolio()
    kept.CopyFrom(portfolio)
    for name in ("name", "etag", "create_time", "update_time"):
        kept.ClearField(name)
    return kept.SerializeToString(deterministic=True)


def _merged(before: bytes, source: bytes, paths: tuple[str, ...]) -> bytes:
    changed = portfolio_pb2.Portfolio.FromString(before)
    mask = FieldMask(paths=paths)
    # A field of the mask that the new values do not have is cleared; merging alone would keep the old one.
    for path in mask.paths:
        if "." not in path:
            changed.ClearField(path)
    mask.MergeMessage(
        portfolio_pb2.Portfolio.FromString(source), changed, replace_message_field=True, replace_repeated_field=True
    )
    return payload_of(changed)
