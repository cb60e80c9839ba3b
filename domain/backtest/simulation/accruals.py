"""Interest, fees and external cash flows of one date."""

from domain.backtest.simulation.arrays import (
    PERFORMANCE_FEE,
    Account,
    Floats,
    Flows,
    Output,
    PerformanceFee,
    Positions,
    Rates,
)
from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.corporate_actions import write_event
from domain.backtest.simulation.valuation import short_value_of

BORROWED = 1e-9
"""Cash that is less far below 0, as a fraction of the net asset value, is a rounding error of weights that sum to 1."""


@compiled
def interest_of(t: int, cash: float, rates: Rates) -> float:
    """Interest from the date before to date t on cash held there; negative on borrowed money."""
    rate: float = rates.cash[t] if cash > 0.0 else rates.financing[t]
    interest: float = cash * rate * rates.years[t]
    return interest


@compiled
def borrow_fee_of(t: int, positions: Positions, marks: Floats, rates: Rates) -> float:
    """Fee for short positions from the date before to date t, at the prices (N,) of the date before."""
    if not rates.has_borrow:
        return 0.0
    fee: float = short_value_of(positions.units, marks, rates.borrow) * rates.years[t]
    return fee


@compiled
def charge_accruals(t: int, interest: float, is_borrowed: bool, borrow: float, account: Account, rates: Rates) -> None:
    """Books interest, the borrow fee and the management fee, which is on the net asset value of the date before.

    Interest on money that is borrowed is a cost, on cash it is a gain: below 0 where the rate is.
    """
    fee = rates.management_fee * rates.years[t] * account.nav
    account.cash += interest - borrow - fee
    charged = borrow + fee
    if is_borrowed:
        account.financing -= interest
        charged -= interest
    else:
        account.interest += interest
    account.borrow += borrow
    account.management_fee += fee
    account.holding_cost_fractions += charged / account.nav


@compiled
def note_borrowing(t: int, account: Account) -> None:
    """Keeps the first date at whose close money is borrowed."""
    if account.first_borrowed < 0 and account.cash < -BORROWED * account.nav:
        account.first_borrowed = t


@compiled
def end_flow_of(t: int, nav: float, flows: Flows) -> float:
    """Flow after the return of the period, whose net asset value is given."""
    flow: float = flows.end[t] + flows.end_fraction[t] * nav
    return flow


@compiled
def charge_performance_fee(t: int, account: Account, fee: PerformanceFee, output: Output) -> None:
    """Charges the fee on the unit value after all other costs, and moves the high-water mark.

    Money that comes in on the same date has had no part in the gain.
    """
    mark = account.high_water
    hurdle = mark * (1.0 + fee.hurdle_annual * account.years_to_fee)
    account.years_to_fee = 0.0
    gain = account.unit_value - (mark if fee.is_soft else max(hurdle, mark))
    if account.unit_value > max(hurdle, mark) and gain > 0.0:
        charged = fee.rate * gain * ((account.nav - account.flow_end) / account.unit_value)
        account.cash -= charged
        account.performance_fee += charged
        account.holding_cost_fractions += charged / account.nav
        account.nav -= charged
        account.unit_value -= fee.rate * gain
        write_event(t, -1, PERFORMANCE_FEE, 0.0, 0.0, charged, output)
    account.high_water = max(mark, account.unit_value)
