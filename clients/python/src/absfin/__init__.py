"""Python client of the abs-finance portfolio engine: optimisation, risk, backtests, reallocation, market data.

`Client` is for ordinary code, `absfin.aio.Client` for asyncio; they have the same methods. Data is given as numpy
arrays (`Panel`, `Moments`, `Scenarios`), as pandas frames, or as the symbols of stored prices (`Stored`). A failed call
raises an exception of `absfin.errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from absfin import strategies
    from absfin.attribution import (
        Attribution,
        FactorAttribution,
        PathAttribution,
        Segment,
        attribution_options,
        factor_exposures,
    )
    from absfin.backtest_results import AssetEvent, Backtest, Reconciliation, StrategyResult
    from absfin.cash_flows import CashFlow, RecurringCashFlow
    from absfin.client import Client
    from absfin.constraints import (
        cardinality,
        centrality_bounds,
        cluster_limit,
        factor_exposure,
        group_bounds,
        leverage,
        linear,
        minimum_position,
        network_limit,
        return_floor,
        risk_contribution_bounds,
        risk_limit,
        tracking_error,
        turnover,
        weight_bounds,
    )
    from absfin.corporate_actions import CashDividend, CorporateAction, Delisting, Split
    from absfin.costs import AlmgrenImpact, PerformanceFee, trading_costs
    from absfin.data import Holdings, Instrument, Moments, Panel, Prices, Quote, Returns, Scenarios, Stored, TaxLot
    from absfin.errors import (
        AbsFinanceError,
        InfeasibleProblem,
        InvalidInput,
        ProblemError,
        ResourceError,
        TransientError,
    )
    from absfin.events import Event
    from absfin.fills import Fill, RecordedFills
    from absfin.liquidity import AssetLiquidity, Liquidity, MarketMetrics
    from absfin.objectives import (
        equal_weight,
        factor_budget,
        hierarchical,
        higher_moments,
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
    from absfin.results import Optimization, Reallocation, ResultWarning
    from absfin.risk import (
        RiskModel,
        RiskOptions,
        asset_shocks,
        correlation_stress,
        factor_shocks,
        historical_window,
        worst_windows,
    )
    from absfin.risk_report import RiskReport
    from absfin.schedules import AlmgrenChriss
    from absfin.selection import Selection, SelectionChoice
    from absfin.significance import StatisticalValidation, StrategyComparison, statistical_validation
    from absfin.solver import solver_options
    from absfin.taxes import OtherPurchase, RecentTrade, TaxLimits
    from absfin.watching import Finished, Milestone, Tick

__all__ = [
    "AbsFinanceError",
    "Account",
    "AlmgrenChriss",
    "AlmgrenImpact",
    "AssetEvent",
    "AssetLiquidity",
    "Attribution",
    "Backtest",
    "CashDividend",
    "CashFlow",
    "Client",
    "CorporateAction",
    "Delisting",
    "Event",
    "FactorAttribution",
    "Fill",
    "Finished",
    "Holdings",
    "InfeasibleProblem",
    "Instrument",
    "InvalidInput",
    "Liquidity",
    "MarketMetrics",
    "Milestone",
    "Moments",
    "Optimization",
    "OtherPurchase",
    "Panel",
    "PathAttribution",
    "PerformanceFee",
    "Prices",
    "ProblemError",
    "Quote",
    "Reallocation",
    "RecentTrade",
    "Reconciliation",
    "RecordedFills",
    "RecurringCashFlow",
    "ResourceError",
    "ResultWarning",
    "Returns",
    "RiskModel",
    "RiskOptions",
    "RiskReport",
    "Scenarios",
    "Segment",
    "Selection",
    "SelectionChoice",
    "Split",
    "StatisticalValidation",
    "Stored",
    "StrategyComparison",
    "StrategyResult",
    "TaxLimits",
    "TaxLot",
    "Tick",
    "TransientError",
    "asset_shocks",
    "attribution_options",
    "cardinality",
    "centrality_bounds",
    "cluster_limit",
    "correlation_stress",
    "equal_weight",
    "factor_budget",
    "factor_exposure",
    "factor_exposures",
    "factor_shocks",
    "group_bounds",
    "hierarchical",
    "higher_moments",
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
    "network_limit",
    "ordered_weighted_average",
    "relaxed_risk_budget",
    "return_floor",
    "risk_budget",
    "risk_contribution_bounds",
    "risk_limit",
    "solver_options",
    "statistical_validation",
    "strategies",
    "tracking",
    "tracking_error",
    "trading_costs",
    "turnover",
    "weight_bounds",
    "worst_case",
    "worst_windows",
]

_NAMES = {
    "absfin.attribution": (
        "Attribution",
        "FactorAttribution",
        "PathAttribution",
        "Segment",
        "attribution_options",
        "factor_exposures",
    ),
    "absfin.backtest_results": (
        "AssetEvent",
        "Backtest",
        "Reconciliation",
        "StrategyResult",
    ),
    "absfin.cash_flows": (
        "CashFlow",
        "RecurringCashFlow",
    ),
    "absfin.client": ("Client",),
    "absfin.constraints": (
        "cardinality",
        "centrality_bounds",
        "cluster_limit",
        "factor_exposure",
        "group_bounds",
        "leverage",
        "linear",
        "minimum_position",
        "network_limit",
        "return_floor",
        "risk_contribution_bounds",
        "risk_limit",
        "tracking_error",
        "turnover",
        "weight_bounds",
    ),
    "absfin.corporate_actions": (
        "CashDividend",
        "CorporateAction",
        "Delisting",
        "Split",
    ),
    "absfin.costs": (
        "AlmgrenImpact",
        "PerformanceFee",
        "trading_costs",
    ),
    "absfin.data": (
        "Holdings",
        "Instrument",
        "Moments",
        "Panel",
        "Prices",
        "Quote",
        "Returns",
        "Scenarios",
        "Stored",
        "TaxLot",
    ),
    "absfin.errors": (
        "AbsFinanceError",
        "InfeasibleProblem",
        "InvalidInput",
        "ProblemError",
        "ResourceError",
        "TransientError",
    ),
    "absfin.events": ("Event",),
    "absfin.fills": (
        "Fill",
        "RecordedFills",
    ),
    "absfin.liquidity": (
        "AssetLiquidity",
        "Liquidity",
        "MarketMetrics",
    ),
    "absfin.objectives": (
        "equal_weight",
        "factor_budget",
        "hierarchical",
        "higher_moments",
        "inverse_volatility",
        "kelly",
        "max_diversification",
        "max_ratio",
        "max_return",
        "max_utility",
        "min_risk",
        "ordered_weighted_average",
        "relaxed_risk_budget",
        "risk_budget",
        "tracking",
        "worst_case",
    ),
    "absfin.requests": ("Account",),
    "absfin.results": (
        "Optimization",
        "Reallocation",
        "ResultWarning",
    ),
    "absfin.risk": (
        "RiskModel",
        "RiskOptions",
        "asset_shocks",
        "correlation_stress",
        "factor_shocks",
        "historical_window",
        "worst_windows",
    ),
    "absfin.risk_report": ("RiskReport",),
    "absfin.schedules": ("AlmgrenChriss",),
    "absfin.selection": ("Selection", "SelectionChoice"),
    "absfin.significance": (
        "StatisticalValidation",
        "StrategyComparison",
        "statistical_validation",
    ),
    "absfin.solver": ("solver_options",),
    "absfin.taxes": (
        "OtherPurchase",
        "RecentTrade",
        "TaxLimits",
    ),
    "absfin.watching": (
        "Finished",
        "Milestone",
        "Tick",
    ),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Loads what is asked for: all of it takes 0.3 s, which a command line that only prints its help need not spend."""
    if name == "strategies":
        return import_module("absfin.strategies")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = found  # found at once from now on
    return found


def __dir__() -> list[str]:
    """All names, for completion."""
    return sorted({*globals(), *__all__})
