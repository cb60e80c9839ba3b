"""Client of the abs-finance portfolio engine: optimise, analyse, import, from Python.

`Client` is for ordinary code, `absfin.aio.Client` its twin for asyncio. Data goes in as numpy arrays (`Panel`,
`Moments`, `Scenarios`), as pandas frames, or as the names of stored prices (`Stored`). Failures are exceptions of
`absfin.errors`.
"""

from absfin import strategies
from absfin.client import Client
from absfin.constraints import (
    cardinality,
    factor_exposure,
    group_bounds,
    leverage,
    linear,
    minimum_position,
    return_floor,
    risk_limit,
    tracking_error,
    turnover,
    weight_bounds,
)
from absfin.data import Holdings, Instrument, Moments, Panel, Prices, Quote, Returns, Scenarios, Stored
from absfin.errors import AbsFinanceError, InfeasibleProblem, InvalidInput
from absfin.objectives import (
    equal_weight,
    hierarchical,
    inverse_volatility,
    kelly,
    max_diversification,
    max_ratio,
    max_return,
    max_utility,
    min_risk,
    ordered_weighted_average,
    relaxed_risk_budget,
    risk_budget,
    tracking,
    worst_case,
)
from absfin.requests import Account
from absfin.results import Backtest, Optimization, Reallocation, RiskReport
from absfin.risk import (
    RiskModel,
    RiskOptions,
    asset_shocks,
    correlation_stress,
    factor_shocks,
    historical_window,
    worst_windows,
)
from absfin.watching import Finished, Milestone, Tick

__all__ = [
    "AbsFinanceError",
    "Account",
    "Backtest",
    "Client",
    "Finished",
    "Holdings",
    "InfeasibleProblem",
    "Instrument",
    "InvalidInput",
    "Milestone",
    "Moments",
    "Optimization",
    "Panel",
    "Prices",
    "Quote",
    "Reallocation",
    "Returns",
    "RiskModel",
    "RiskOptions",
    "RiskReport",
    "Scenarios",
    "Stored",
    "Tick",
    "asset_shocks",
    "cardinality",
    "correlation_stress",
    "equal_weight",
    "factor_exposure",
    "factor_shocks",
    "group_bounds",
    "hierarchical",
    "historical_window",
    "inverse_volatility",
    "kelly",
    "leverage",
    "linear",
    "max_diversification",
    "max_ratio",
    "max_return",
    "max_utility",
    "min_risk",
    "minimum_position",
    "ordered_weighted_average",
    "relaxed_risk_budget",
    "return_floor",
    "risk_budget",
    "risk_limit",
    "strategies",
    "tracking",
    "tracking_error",
    "turnover",
    "weight_bounds",
    "worst_case",
    "worst_windows",
]
