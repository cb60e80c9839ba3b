"""A schedule of a plan: its periods, and the cash that its purchases need before sales have settled."""

import pytest

from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.optimal_execution.planned_schedule import ScheduleTerms
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.trade_schedule import TradeSchedule

MARKET = Snapshot({"A": Quote(10.0), "B": Quote(20.0)})


def scheduled(settlement_days: int, cash: float = 0.0) -> TradeSchedule:
    """All of 1000 is in A, half of it is to be in B: without risk, even trades of 25 A and 12.5 B on each of two days.

    Cash stays what it is.
    """
    worth = 1000.0 + cash
    request = ReallocationRequest(
        Portfolio({"A": 100.0}, cash),
        MARKET,
        {"A": 500.0 / worth, "B": 500.0 / worth},
        limits=Limits(fractional=True),
        horizon_days=2,
        settlement_days=settlement_days,
        schedule=ScheduleTerms(risk_aversion=0.0, periods=2, temporary=1e-6, volatilities=(0.0, 0.0)),
    )
    found = reallocate(request).schedule
    assert found is not None
    return found


@pytest.mark.parametrize("settlement_days", [0, 1])
def test_even_trades(settlement_days: int) -> None:
    """They cost temporary x trade^2: 1e-6 x 2 x (25^2 + 12.5^2)."""
    found = scheduled(settlement_days)
    assert {one.symbol: one.after for one in found.assets} == {"A": (25.0, 0.0), "B": (12.5, 0.0)}
    assert found.expected_cost == pytest.approx(2e-6 * (25.0**2 + 12.5**2), rel=1e-12)


def test_sales_that_settle_at_once_pay_for_purchases() -> None:
    assert scheduled(0).warnings == ()


@pytest.mark.parametrize(("cash", "missing"), [(0.0, "250"), (100.0, "150")])
def test_cash_is_missing_until_sales_have_settled(cash: float, missing: str) -> None:
    """The first period buys for 250; the 250 of its sales are there in the second."""
    (warning,) = scheduled(1, cash).warnings
    assert (warning.code, warning.field) == ("SCHEDULE_NEEDS_CASH", "schedule")
    assert warning.message.startswith(f"after period 1 the purchases of the schedule have taken {missing} more than")


def test_cash_that_is_there_is_enough() -> None:
    assert scheduled(1, 250.0).warnings == ()
