"""Rules of rebalancing, from their messages."""

from collections.abc import Mapping

from absfinance.v1 import backtest_pb2

from domain.backtest.drift_band import BandDestination, BandScope, BandTrigger, BandWidth, DriftBand
from domain.backtest.rebalancing import BuyAndHold, Calendar, DayOfPeriod, EveryPeriods, Rebalancing, RebalancingDates
from domain.errors import InvalidInput
from server.converters.frequency import frequency_from_proto
from server.converters.paths import error_path, require_unique
from server.converters.weights import optional_field

Band = backtest_pb2.Rebalancing.DriftBand

_DAYS: Mapping[int, DayOfPeriod] = {
    backtest_pb2.REBALANCE_DAY_UNSPECIFIED: DayOfPeriod.FIRST,
    backtest_pb2.REBALANCE_DAY_FIRST: DayOfPeriod.FIRST,
    backtest_pb2.REBALANCE_DAY_LAST: DayOfPeriod.LAST,
    backtest_pb2.REBALANCE_DAY_NTH: DayOfPeriod.NTH,
}
_TRIGGERS: Mapping[int, BandTrigger] = {
    Band.BAND_TRIGGER_UNSPECIFIED: BandTrigger.ANY_BREACH,
    Band.BAND_TRIGGER_ANY_BREACH: BandTrigger.ANY_BREACH,
    Band.BAND_TRIGGER_TRACKING_ERROR: BandTrigger.TRACKING_ERROR,
    Band.BAND_TRIGGER_COST_BENEFIT: BandTrigger.COST_BENEFIT,
}
_DESTINATIONS: Mapping[int, BandDestination] = {
    Band.DESTINATION_UNSPECIFIED: BandDestination.TARGET,
    Band.DESTINATION_TARGET: BandDestination.TARGET,
    Band.DESTINATION_EDGE: BandDestination.EDGE,
    Band.DESTINATION_FRACTION: BandDestination.FRACTION,
}


def rebalancing_from_proto(message: backtest_pb2.Rebalancing) -> Rebalancing:
    """A rule of rebalancing: monthly without a schedule, or no dates where there is a band or only flows are traded.

    Raises InvalidInput with the path of the field.
    """
    return Rebalancing(
        schedule=_schedule(message),
        band=_band(message.drift_band) if message.HasField("drift_band") else None,
        min_periods_between=message.min_periods_between,
        flows_only=message.flows_only,
        max_turnover=optional_field(message, "max_turnover"),
        tranches=message.tranches if message.HasField("tranches") else 1,
    )


def rebalancing_dates_from_proto(path: str, message: backtest_pb2.RebalancingDates) -> RebalancingDates:
    """The dates of a part of a blend, or of the blend. Raises InvalidInput with the path of the field."""
    with error_path(path):
        try:
            return _dates(message)
        except InvalidInput as error:
            raise InvalidInput(error.field.removeprefix("rebalancing."), error.rule) from None


def _schedule(message: backtest_pb2.Rebalancing) -> RebalancingDates:
    if message.WhichOneof("schedule") is None and (message.HasField("drift_band") or message.flows_only):
        return BuyAndHold()
    return _dates(message)


def _dates(message: backtest_pb2.Rebalancing | backtest_pb2.RebalancingDates) -> RebalancingDates:
    match message.WhichOneof("schedule"):
        case "every_periods":
            return EveryPeriods(message.every_periods.n)
        case "never":
            return BuyAndHold()
    calendar = message.calendar
    nth = calendar.nth_day if calendar.HasField("nth_day") else None
    return Calendar(frequency_from_proto(calendar.frequency), _DAYS[calendar.day], calendar.offset_days, nth)


def _band(band: Band) -> DriftBand:
    require_unique("rebalancing.drift_band.by_asset", [entry.symbol for entry in band.by_asset])
    groups = [entry.group for entry in band.by_group]
    seen: set[str] = set()
    for i, group in enumerate(groups):
        if group in seen:
            raise InvalidInput(f"rebalancing.drift_band.by_group[{i}].group", f"{group} appears twice")
        seen.add(group)
    if band.HasField("fraction") != (band.destination == Band.DESTINATION_FRACTION):
        raise InvalidInput(
            "rebalancing.drift_band.fraction", "must be given with DESTINATION_FRACTION, and only with it"
        )
    return DriftBand(
        width=_width(band),
        by_symbol={entry.symbol: _width(entry) for entry in band.by_asset},
        by_group={entry.group: _width(entry) for entry in band.by_group},
        trigger=_TRIGGERS[band.trigger],
        scope=BandScope.BREACHED if band.scope == Band.BAND_SCOPE_BREACHED else BandScope.ALL,
        destination=_DESTINATIONS[band.destination],
        fraction=band.fraction if band.HasField("fraction") else 1.0,
        max_tracking_error_annual=optional_field(band, "max_tracking_error_annual"),
        risk_aversion=optional_field(band, "risk_aversion"),
        horizon_days=band.horizon_days if band.HasField("horizon_days") else None,
    )


def _width(message: Band | Band.AssetBand | Band.GroupBand) -> BandWidth:
    return BandWidth(optional_field(message, "absolute"), optional_field(message, "relative"))
