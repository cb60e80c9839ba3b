"""Client of the abs-finance portfolio engine: optimise, analyse, import, from Python.

`Client` is for ordinary code, `absfin.aio.Client` its twin for asyncio. Data goes in as numpy arrays (`Panel`,
`Moments`, `Scenarios`), as pandas frames, or as the names of stored prices (`Stored`). Failures are exceptions of
`absfin.errors`.
"""

from absfin import strategies
from absfin.client import Client
from absfin.constraints import (
    factor_exposure,
    group_bounds,
    leverage,
    linear,
    return_floor,
    turnover,
    weight_bounds,
)
from absfin.data import Holdings, Instrument, Moments, Panel, Prices, Quote, Returns, Scenarios, Stored
from absfin.errors import AbsFinanceError, InfeasibleProblem, InvalidInput
from absfin.objectives import (
    equal_weight,
    inverse_volatility,
    max_diversification,
    max_ratio,
    max_return,
    max_utility,
    min_risk,
    risk_budget,
)
from absfin.results import Backtest, Optimization, Reallocation, RiskReport
from absfin.watching import Finished, Milestone, Tick

__all__ = [
    "AbsFinanceError",
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
    "RiskReport",
    "Scenarios",
    "Stored",
    "Tick",
    "equal_weight",
    "factor_exposure",
    "group_bounds",
    "inverse_volatility",
    "leverage",
    "linear",
    "max_diversification",
    "max_ratio",
    "max_return",
    "max_utility",
    "min_risk",
    "return_floor",
    "risk_budget",
    "strategies",
    "turnover",
    "weight_bounds",
]
