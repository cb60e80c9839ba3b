"""What a simulation works on, as arrays: T dates, N assets, E corporate actions.

Everything that holds for the whole simulation is a `NamedTuple` of arrays and numbers; what changes from date to date
is the `ACCOUNT` record and the arrays of `Positions`. A table that a request does not need has no rows.
"""

from typing import Any, NamedTuple, Protocol, get_type_hints

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Account(Protocol):
    """What an account is worth and what has happened in it: a record of the type `ACCOUNT`."""

    cash: float
    receivable: float  # dividends after their ex-date and before their pay date
    nav: float  # net asset value after the last date that is simulated
    unit_value: float  # of one unit of the account, 1 at the start; external flows change the number of units alone
    opening_nav: float  # net asset value at the start
    first_nav: float  # likewise, after the trades of that date
    high_water: float  # of the unit value
    years_to_fee: float  # years since the performance fee was last settled
    next_action: int  # index of the first corporate action that is not applied
    next_payment: int  # likewise of the payments, in the order of their pay dates
    next_decision: int  # likewise of the planned decisions that are not made
    next_fill: int  # likewise of those that are not filled
    has_target: int  # 1 once a decision has set the target
    last_decision: int  # date of the last one, below 0 for none
    band_made: int  # date of a decision by a band that waits for its fill, below 0 for none
    carried: int  # number of assets whose trade waits for a date on which it can be made
    rest_traded: int  # date on which what is carried was last traded, below 0 for none
    cash_floor: float  # least weight of cash after what is carried: 0, or what the decision borrows, below 0
    first_purchase: int  # FIRST_NOT_MADE, FIRST_CARRIED or FIRST_MADE
    flow_waits: int  # 1 while money that came in waits to be invested, where only flows are traded
    first_borrowed: int  # first date at whose close cash is below 0, below 0 for none
    fills: int
    flow_today: float  # external flow of the last date
    flow_end: float  # of it, what came in after the return of the period
    # Sums since the start, in money.
    commission: float
    spread: float
    impact: float
    fixed: float
    borrow: float
    financing: float
    management_fee: float
    performance_fee: float
    withholding: float
    interest: float
    dividends: float  # before withholding
    flows: float
    uncovered_loss: float  # what the net asset value fell below 0 where it was used up
    holding_cost_fractions: float  # fees, borrow and financing over the net asset value they were charged on


ACCOUNT = np.dtype(
    [(name, np.float64 if kind is float else np.int64) for name, kind in get_type_hints(Account).items()], align=True
)


def copied_account(account: NDArray[Any]) -> NDArray[Any]:
    """A copy of an account (1,), as bytes: field by field, as numpy copies records, it takes ten times as long."""
    return account.view(np.int64).copy().view(account.dtype)


FIRST_NOT_MADE, FIRST_CARRIED, FIRST_MADE = 0, 1, 2
"""States of the purchase from cash alone: nothing is held so far; a part of it waits; it is over, or was not needed."""


class Positions(NamedTuple):
    """What is held, and what waits to be traded.

    Where only flows are traded, `band_target` and `carried` are money to buy for instead of weights to trade to:
    trading to a weight sells an asset whose price has risen in between.
    """

    units: Floats  # (N,)
    reference: Floats  # (N,), price up to which the gain of each position is in `gains`: the next one starts from it
    gains: Floats  # (N,), gains of price since the start, in money
    owed: Floats  # (E,), what the account is owed: net amount of each dividend between its ex-date and its pay date
    target: Floats  # (N,), weights of the latest decision of the strategy that was made
    band_target: Floats  # (N,), weights of a decision by a band that waits for its fill
    carried: Floats  # (N,), weights that assets still have to be traded to; NaN for none
    dropped: Flags  # (D,), planned decisions that are not filled


class Prices(NamedTuple):
    """Prices of every date."""

    marks: Floats  # (T, N), closing prices, the last one during a halt; 0 where an asset is not listed
    fills: Floats  # (T, N), prices at which orders are filled
    tradable: Flags  # (T, N), or no rows where every asset with a price can be traded on every date
    returns: Floats  # (T, N), total returns to each date; no rows unless a trigger needs them


SPLIT, DIVIDEND, DELISTING = 0, 1, 2
"""Kinds of corporate actions, in the order in which they take effect on one date."""

MARGIN_CALL = 3
"""The kind of an asset event that is no corporate action."""

PERFORMANCE_FEE = 5
"""The kind of a row about a performance fee: asset -1, 0, 0, money that is charged."""

WEIGHED = 4
"""The kind of a row about a decision by the cost-benefit trigger: asset -1, benefit and cost per year, 0."""


class Actions(NamedTuple):
    """Corporate actions in order of their dates, and of their kinds within a date."""

    date: Integers  # (E,)
    asset: Integers  # (E,)
    kind: Integers  # (E,)
    amount: Floats  # (E,), units for one unit; dividend of one unit before withholding; price paid for one unit
    pay_date: Integers  # (E,), of dividends; T or more where it lies after the last date
    payment_order: Integers  # (E,), indices of the actions in the order of their pay dates
    withholding_rate: float
    reinvests: bool


class Rates(NamedTuple):
    """What accrues from the date before to each date; no entries where nothing does."""

    years: Floats  # (T,), length of the period in years, by the day count
    cash: Floats  # (T,), rate on positive cash in force during the period
    financing: Floats  # (T,), rate on negative cash
    borrow: Floats  # (N,), rates on short positions
    management_fee: float
    has_any: bool
    has_borrow: bool


class Flows(NamedTuple):
    """External cash flows by date, no rows where there are none; negative for withdrawals."""

    start: Floats  # (T,), money before the return of the period
    end: Floats  # (T,), money after it and before trading
    end_fraction: Floats  # (T,), fractions of the net asset value before the flow, likewise at the end of the day


class Costs(NamedTuple):
    """What a trade costs."""

    commission: Floats  # (N,), fractions of the traded notional
    spread: Floats  # (N,), likewise
    # A trade of d in money at a price p costs impact d^impact_power + permanent d^2 p^price_power.
    impact: Floats  # (R, N), a row for each date or one for all; (N,) in the costs of one date
    impact_power: float
    permanent: Floats  # likewise
    price_power: float
    per_unit: float  # commission of one unit, in money
    least_commission: float  # of a trade, in money
    most_commission: float
    fixed: float  # of a trade, in money
    charges_first_purchase: bool


class PerformanceFee(NamedTuple):
    """A fee on the rise of the unit value above its high-water mark."""

    rate: float
    hurdle_annual: float
    is_soft: bool  # whether the fee is on the whole gain once the hurdle is passed
    settled: Flags  # (T,), dates on which it is charged; no rows where there is none


ANY_BREACH, TRACKING_ERROR, COST_BENEFIT = 0, 1, 2
"""Triggers of a band."""

TO_TARGET, TO_FRACTION, TO_EDGE = 0, 1, 2
"""Destinations of a trade by a band."""


class Bands(NamedTuple):
    """Drift bands; infinite where there is none, no entries where they are off."""

    absolute: Floats  # (N,), largest difference of a weight to its target
    relative: Floats  # (N,), largest difference as a fraction of the target
    cash_absolute: float
    cash_relative: float
    trigger: int
    only_breached: bool  # whether the other assets are traded as little as possible
    destination: int
    fraction: float  # of the way to the target
    group_members: Flags  # (G, N)
    group_absolute: Floats  # (G,)
    group_relative: Floats  # (G,)
    by_program: bool  # whether destinations depend on groups: the caller finds them by a linear program
    most_tracking_variance: float  # per period
    risk_aversion: float  # over variance per year
    horizon_years: float
    periods_per_year: float
    window: int  # dates of returns that tracking variance is measured over
    is_on: bool


class Plan(NamedTuple):
    """Decisions that do not depend on what happens, in order of their dates."""

    made: Integers  # (D,), dates on which the decisions are made; each is filled `Rules.delay` dates later
    row: Integers  # (D,), which row of the targets
    targets: Floats  # (R, N)
    members: Flags  # (T, N), the universe of each date; no rows where it holds all assets


class Rules(NamedTuple):
    """How decisions become positions."""

    start: int  # date on which the account is opened
    delay: int  # dates between a decision and its fill
    whole_units: bool
    fills_at_open: bool
    least_between: int  # dates from one rebalancing to the next
    flows_only: bool
    most_turnover: float  # one-way, of a rebalancing after the first purchase; infinite for none
    most_traded: Floats  # (R, N), money on one date, a row for each date or one for all; no rows without such a limit
    has_participation_limit: bool
    maintenance_ratio: float  # 0 for no margin account
    conventions: int
    decides_outside: bool  # whether the caller asks a strategy for each decision, and writes its weights to the plan
    is_plain: bool  # fills can take the short way, `plain_fill`: proportional costs, no limits, no halts
    is_quiet: bool  # dates can as well, `simulate_quietly`: there are only planned decisions, plain fills and marks


EXACT, BT, VECTORBT = 0, 1, 2
"""Conventions of a fill."""

FILL, ASSET_EVENT = 0, 1
"""Why a row of holdings was written."""

FILL_WITHOUT_WEALTH, FILL_COSTS_TOO_MUCH = 0, 1
"""Why a fill failed."""


class Output(NamedTuple):
    """What the dates of one call write; rows count from 0 for the first of them."""

    nav: Floats  # (K,), after trading
    flow_start: Floats  # (K,)
    flow_end: Floats  # (K,)
    row_date: Integers  # (R,), date index
    row_kind: Integers  # (R,)
    row_units: Floats  # (R, N), after the event
    row_cash: Floats  # (R,)
    row_cost: Floats  # (R,), fraction of the net asset value before the fill
    row_turnover: Floats  # (R,), one-way
    event: Floats  # (A, 6): date index, asset, kind, units before, units after, cash
    failure: Integers  # (F, 2): date index, reason
    written: Integers  # (3,), rows, events and failures


RUNNING, EXHAUSTED, BEYOND_NUMBERS, FLOW_LEAVES_NOTHING, DECISION_DUE, DESTINATION_DUE = 0, 1, 2, 3, 4, 5
"""How a call ended."""
