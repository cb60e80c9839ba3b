"""Rules of rebalancing: schedules, bands, and their defaults."""

from typing import Any

import pytest
from absfinance.v1.backtest_pb2 import Rebalancing as RebalancingProto
from google.protobuf import json_format

from domain.backtest.drift_band import BandDestination, BandScope, BandTrigger, BandWidth, DriftBand
from domain.backtest.rebalancing import BuyAndHold, Calendar, DayOfPeriod, EveryPeriods, Rebalancing, RebalancingDates
from domain.calendar import Frequency
from domain.errors import InvalidInput
from server.converters.rebalancing import rebalancing_from_proto

BAND = {"absolute": 0.05}


def converted(**fields: Any) -> Rebalancing:
    return rebalancing_from_proto(json_format.ParseDict(fields, RebalancingProto()))


def band(**fields: Any) -> DriftBand:
    found = converted(driftBand=fields).band
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "schedule"),
    [
        ({}, Calendar(Frequency.MONTHLY, DayOfPeriod.FIRST, 0, None)),
        ({"driftBand": BAND}, BuyAndHold()),
        ({"flowsOnly": True}, BuyAndHold()),
        ({"never": {}}, BuyAndHold()),
        ({"everyPeriods": {"n": 7}}, EveryPeriods(7)),
        ({"everyPeriods": {"n": 7}, "driftBand": BAND}, EveryPeriods(7)),
        ({"calendar": {}, "driftBand": BAND}, Calendar()),
        (
            {"calendar": {"frequency": "FREQUENCY_WEEKLY", "day": "REBALANCE_DAY_LAST", "offsetDays": 2}},
            Calendar(Frequency.WEEKLY, DayOfPeriod.LAST, 2, None),
        ),
        ({"calendar": {"day": "REBALANCE_DAY_FIRST"}}, Calendar()),
        ({"calendar": {"day": "REBALANCE_DAY_NTH", "nthDay": 3}}, Calendar(day=DayOfPeriod.NTH, nth=3)),
    ],
)
def test_schedules(fields: dict[str, Any], schedule: RebalancingDates) -> None:
    assert converted(**fields).schedule == schedule


def test_what_is_not_given() -> None:
    assert converted() == Rebalancing()
    assert (converted().tranches, converted().max_turnover, converted().band) == (1, None, None)


def test_limits_of_trading() -> None:
    found = converted(minPeriodsBetween=3, maxTurnover=0.2, tranches=4, everyPeriods={"n": 4})
    assert (found.min_periods_between, found.flows_only, found.max_turnover, found.tranches) == (3, False, 0.2, 4)
    assert converted(flowsOnly=True).flows_only


def test_a_band_with_few_fields() -> None:
    assert band(**BAND) == DriftBand(BandWidth(0.05, None))


def test_a_band_of_tracking_error_with_all_fields() -> None:
    found = band(
        absolute=0.05,
        relative=0.25,
        byAsset=[{"symbol": "A", "absolute": 0.01}, {"symbol": "B", "relative": 0.1}],
        byGroup=[{"group": "G", "absolute": 0.03}],
        trigger="BAND_TRIGGER_TRACKING_ERROR",
        scope="BAND_SCOPE_BREACHED",
        destination="DESTINATION_FRACTION",
        fraction=0.5,
        maxTrackingErrorAnnual=0.02,
    )
    assert found == DriftBand(
        BandWidth(0.05, 0.25),
        {"A": BandWidth(0.01, None), "B": BandWidth(None, 0.1)},
        {"G": BandWidth(0.03, None)},
        BandTrigger.TRACKING_ERROR,
        BandScope.BREACHED,
        BandDestination.FRACTION,
        0.5,
        max_tracking_error_annual=0.02,
    )


def test_a_band_of_costs() -> None:
    found = band(trigger="BAND_TRIGGER_COST_BENEFIT", riskAversion=3.0, horizonDays=30)
    assert (found.trigger, found.risk_aversion, found.horizon_days) == (BandTrigger.COST_BENEFIT, 3.0, 30)
    assert (found.width, found.scope, found.fraction) == (BandWidth(), BandScope.ALL, 1.0)


@pytest.mark.parametrize(
    ("destination", "wanted"),
    [("DESTINATION_TARGET", BandDestination.TARGET), ("DESTINATION_EDGE", BandDestination.EDGE)],
)
def test_destinations(destination: str, wanted: BandDestination) -> None:
    assert band(**BAND, destination=destination).destination is wanted


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"byAsset": [{"symbol": "A", "absolute": 0.1}, {"symbol": "A", "absolute": 0.1}]}, "by_asset[1].symbol"),
        ({"byGroup": [{"group": "G", "absolute": 0.1}, {"group": "G", "absolute": 0.1}]}, "by_group[1].group"),
        ({"fraction": 0.5}, "fraction"),
        ({"destination": "DESTINATION_FRACTION"}, "fraction"),
    ],
)
def test_what_contradicts_itself(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        band(**BAND, **fields)
    assert raised.value.field == f"rebalancing.drift_band.{named}"
