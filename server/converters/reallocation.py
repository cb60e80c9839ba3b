"""Reallocations on the wire."""

from functools import lru_cache

from absfinance.v1 import cost_pb2, reallocation_pb2
from absfinance.v1.reallocation_pb2 import Reallocation as ReallocationProto
from absfinance.v1.reallocation_service_pb2 import (
    ListReallocationsResponse,
    ReallocateRequest,
)
from absfinance.v1.weight_pb2 import AssetWeight

from domain.market_data.snapshot import Quote, Snapshot
from domain.reallocation.cost_benefit import CostBenefit
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.request import Limits
from domain.reallocation.result import Failure, Reallocation, Unchanged
from domain.reallocation.schedule import Trade
from domain.reallocation.shortfall import Shortfall
from domain.reallocation.summary import Summary
from domain.reallocation.utilization import Threshold, UtilizationReport
from domain.reallocation.volatility import Volatilities
from server.commands.reallocation import OptimizedTarget, Planned, ReallocateCommand, RemoteTarget, Target
from server.converters.cost import fees_from_proto, planned_costs_from_proto
from server.converters.dates import date_from_proto
from server.converters.execution import impact_to_proto, schedule_from_proto, set_schedule
from server.converters.identity import identity_of
from server.converters.liquidity import assessment_to_proto
from server.converters.market_input import selection_from_proto
from server.converters.modes import active_risk_from_proto, currencies_from_proto, modes_from_proto
from server.converters.paths import error_path, require_unique
from server.converters.portfolios import id_of, mandate_from_proto, thresholds_from_proto
from server.converters.specification import specification_from_proto
from server.converters.strategy import timeout_of
from server.converters.taxes import add_taxes, tax_terms_from_proto
from server.converters.warning import warnings_to_proto
from server.converters.weights import groups_from_proto, weights_from_proto
from server.ports.market_data import PriceSelection
from server.ports.results import ResultPage, ResultState, StoredResult

NAME = "reallocations/"

_STATES = {
    ResultState.CURRENT: reallocation_pb2.REALLOCATION_STATE_CURRENT,
    ResultState.PARTLY_FILLED: reallocation_pb2.REALLOCATION_STATE_PARTLY_FILLED,
    ResultState.FILLED: reallocation_pb2.REALLOCATION_STATE_FILLED,
    ResultState.SUPERSEDED: reallocation_pb2.REALLOCATION_STATE_SUPERSEDED,
}

_OUTCOMES = {
    None: ListReallocationsResponse.OUTCOME_UNSPECIFIED,
    "plan": ListReallocationsResponse.OUTCOME_PLAN,
    "unchanged": ListReallocationsResponse.OUTCOME_UNCHANGED,
    "failure": ListReallocationsResponse.OUTCOME_FAILURE,
}
_THRESHOLDS = {one: f"THRESHOLD_{one.value}" for one in Threshold}


def reallocate_command_from_proto(request: ReallocateRequest) -> ReallocateCommand:
    """The command of a request. Raises InvalidInput or NotSupported."""
    identity = identity_of(request, "reallocation_id")
    linear, impact = planned_costs_from_proto(request.costs)
    return ReallocateCommand(
        portfolio=(
            mandate_from_proto(request.portfolio) if request.HasField("portfolio") else id_of(request.portfolio_name)
        ),
        market=_market(request),
        target=_target(request),
        thresholds=thresholds_from_proto(request.thresholds) if request.HasField("thresholds") else None,
        limits=_limits(request.limits),
        costs=linear,
        fees=fees_from_proto(request.costs),
        impact=impact,
        schedule=schedule_from_proto(request.schedule) if request.HasField("schedule") else None,
        horizon_days=request.horizon_days if request.HasField("horizon_days") else 1,
        settlement_days=request.settlement_days,
        content=identity.content,
        body=identity.body,
        id=request.reallocation_id or None,
        label=request.label,
        request_id=request.request_id or None,
        validate_only=request.validate_only,
        as_of_date=date_from_proto("as_of_date", request.as_of_date) if request.HasField("as_of_date") else None,
        taxes=tax_terms_from_proto(request),
        modes=modes_from_proto(request),
        disabled_constraints=tuple(request.disabled_constraints),
        currencies=currencies_from_proto(request.snapshot),
        groups=groups_from_proto(request.groups),
        active_risk=active_risk_from_proto(request.snapshot),
        own_costs=tuple(entry.symbol for entry in request.costs.by_asset),
    )


def planned_to_bytes(planned: Planned) -> bytes:
    """An answer without what storing adds: name and fingerprint."""
    found = planned.reallocation
    message = ReallocationProto(
        utilization=_utilization(found.utilization, found.cost_benefit),
        liquidity=assessment_to_proto(found.liquidity),
        shortfalls=map(_shortfall, found.plan.shortfalls),
        summary=_summary(found.summary, planned.volatilities),
        warnings=warnings_to_proto(planned.warnings),
        impact=impact_to_proto(found.impact),
    )
    _set_outcome(message, found)
    add_taxes(message, found.taxes, found.harvest)
    return message.SerializeToString()


def record_to_bytes(record: StoredResult) -> bytes:
    """A stored answer. Bytes of two messages, one after the other, are those of both merged."""
    kept = ReallocationProto(
        name=NAME + record.id,
        request_id=record.request_id or "",
        label=record.label,
        input_fingerprint=record.input_fingerprint,
    )
    _set_state(kept, record)
    kept.create_time.FromDatetime(record.created)
    return record.payload + kept.SerializeToString()


def summary_to_bytes(payload: bytes) -> bytes:
    """What a list shows of an answer, but for what storing adds."""
    answer = ReallocationProto.FromString(payload)
    summary = answer.summary
    encoded: bytes = ListReallocationsResponse.Summary(
        outcome=_OUTCOMES[answer.WhichOneof("outcome")],
        trade_count=len(answer.plan.trades),
        turnover_one_way=summary.turnover_one_way if summary.HasField("turnover_one_way") else None,
        cost=summary.cost if summary.HasField("cost") else None,
        residual_drift=summary.residual_drift if summary.HasField("residual_drift") else None,
    ).SerializeToString()
    return encoded


def page_to_proto(page: ResultPage, *, with_owners: bool = False) -> ListReallocationsResponse:
    """A page of stored answers without their trades."""
    response = ListReallocationsResponse(next_page_token=page.next_token)
    for record in page.records:
        line = response.reallocations.add()
        line.MergeFromString(record.summary or summary_to_bytes(record.payload))
        line.name, line.request_id, line.label = NAME + record.id, record.request_id or "", record.label
        line.create_time.FromDatetime(record.created)
        _set_state(line, record)
        line.owner = record.owner if with_owners else ""
    return response


def result_state_from_proto(state: int) -> str:
    """The state of a filter; empty for all."""
    return next((name for name, number in _STATES.items() if number == state), "")


def _set_state(message: ReallocationProto | ListReallocationsResponse.Summary, record: StoredResult) -> None:
    message.state = _STATES[record.state]
    if record.superseded is not None:
        message.supersede_time.FromDatetime(record.superseded)
        message.superseded_by = NAME + record.superseded_by if record.superseded_by else ""
    if record.stale_since is not None:
        message.stale_since.FromDatetime(record.stale_since)


def _market(request: ReallocateRequest) -> Snapshot | PriceSelection:
    if request.HasField("market_data"):
        with error_path("market_data"):
            return selection_from_proto(request.market_data).under("market_data")
    return _snapshot_of(request.snapshot.SerializeToString(deterministic=True))


@lru_cache(maxsize=1)
def _snapshot_of(encoded: bytes) -> Snapshot:
    """The accounts of a batch have one market: it is converted once for those that a worker plans one after another."""
    snapshot = reallocation_pb2.MarketSnapshot.FromString(encoded)
    require_unique("snapshot.assets", [asset.symbol for asset in snapshot.assets])
    quotes: dict[str, Quote] = {}
    for i, asset in enumerate(snapshot.assets):
        with error_path(f"snapshot.assets[{i}]"):
            quotes[asset.symbol] = Quote(
                price=asset.price,
                average_daily_volume=asset.average_daily_volume if asset.HasField("average_daily_volume") else None,
                spread_bps=asset.spread_bps if asset.HasField("spread_bps") else None,
                volatility_annual=asset.volatility_annual if asset.HasField("volatility_annual") else None,
                lot_size=asset.lot_size if asset.HasField("lot_size") else 1.0,
                halted=asset.halted,
            )
    return Snapshot(quotes)


def _target(request: ReallocateRequest) -> Target | None:
    match request.WhichOneof("target"):
        case "target_weights":
            return weights_from_proto("target_weights.weights", request.target_weights.weights)
        case "target_optimize":
            spec = request.target_optimize
            with error_path("target_optimize"):
                lookback = spec.lookback_periods if spec.HasField("lookback_periods") else None
                return OptimizedTarget(specification_from_proto(spec), lookback)
        case "target_strategy":
            strategy = request.target_strategy
            return RemoteTarget(strategy.target, timeout_of(strategy), request.label)
    return None


def _limits(limits: reallocation_pb2.ReallocationLimits) -> Limits:
    return Limits(
        max_participation=limits.max_participation if limits.HasField("max_participation") else None,
        min_trade_value=limits.min_trade_value,
        cash_floor=limits.cash_floor,
        max_turnover=limits.max_turnover if limits.HasField("max_turnover") else None,
        fractional=limits.fractional,
        max_cost_bps=limits.max_cost_bps if limits.HasField("max_cost_bps") else None,
    )


def _set_outcome(message: ReallocationProto, found: Reallocation) -> None:
    match found.outcome:
        case ReallocationPlan(trades, _, warnings):
            message.plan.gap, message.plan.optimal = found.gap, found.optimal
            message.plan.warnings.extend(warnings_to_proto(warnings))
            message.warnings.extend(message.plan.warnings)
            message.plan.trades.extend(map(_trade, trades))
            set_schedule(message.plan, found.schedule)
        case Unchanged(reason):
            message.unchanged.reason = reason
        case Failure(reason, text, nearest):
            message.failure.reason, message.failure.message = reason, text
            message.failure.nearest_trades.extend(map(_trade, nearest))


def _trade(trade: Trade) -> reallocation_pb2.PlannedTrade:
    return reallocation_pb2.PlannedTrade(
        step=trade.step,
        symbol=trade.symbol,
        quantity=trade.quantity,
        price=trade.price,
        cost=trade.cost,
        cash_after=trade.cash_after,
        day=trade.day,
        crossed_quantity=trade.crossed or None,
    )


def _utilization(report: UtilizationReport, worth: CostBenefit | None) -> reallocation_pb2.UtilizationReport:
    message = reallocation_pb2.UtilizationReport(
        exceeded=report.exceeded,
        tracking_error_annual=report.tracking_error_annual,
        invested_weight=report.invested_weight,
        target_invested_weight=report.target_invested_weight,
        drift=report.drift,
        thresholds=[_THRESHOLDS[one] for one in report.thresholds],
    )
    for asset in report.assets:
        message.assets.add(
            symbol=asset.symbol,
            current_weight=asset.current_weight,
            target_weight=asset.target_weight,
            utilization=asset.utilization,
            exceeded=asset.exceeded,
            thresholds=[_THRESHOLDS[one] for one in asset.thresholds],
            fx_drift=asset.fx_drift,
            price_drift=asset.price_drift,
        )
    for group in report.groups:
        message.groups.add(
            name=group.name,
            current_weight=group.current_weight,
            target_weight=group.target_weight,
            utilization=group.utilization,
        )
    if worth is not None:
        message.cost_benefit.benefit_annual = worth.benefit_annual
        message.cost_benefit.cost_annual = worth.cost_annual
        message.cost_benefit.worth_it = worth.worth_it
    return message


def _shortfall(shortfall: Shortfall) -> reallocation_pb2.Shortfall:
    message = reallocation_pb2.Shortfall(
        symbol=shortfall.symbol, requested=shortfall.requested, planned=shortfall.planned
    )
    for cause in shortfall.causes:
        code = reallocation_pb2.ShortfallCode.Value(f"SHORTFALL_CODE_{cause.code}")
        message.reasons.add(code=code, limit=cause.limit)
    return message


def _summary(summary: Summary, volatilities: Volatilities) -> reallocation_pb2.ReallocationSummary:
    return reallocation_pb2.ReallocationSummary(
        weights_before=[AssetWeight(symbol=s, weight=w) for s, w in sorted(summary.weights_before.items())],
        weights_after=[AssetWeight(symbol=s, weight=w) for s, w in sorted(summary.weights_after.items())],
        volatility_annual_before=volatilities.before,
        volatility_annual_after=volatilities.after,
        cost_bps=summary.cost_bps,
        cost=summary.cost,
        residual_drift=summary.residual_drift,
        turnover_one_way=summary.turnover_one_way,
        days_to_complete=summary.days_to_complete,
        nav_before=summary.nav_before,
        nav_after=summary.nav_after,
        cash_after=summary.cash_after,
        costs=cost_pb2.CostBreakdown(
            commission=summary.costs.commission,
            spread=summary.costs.spread,
            impact=summary.costs.impact,
            fixed=summary.costs.fixed or None,
        ),
        tracking_error_annual=summary.tracking_error_annual,
    )
