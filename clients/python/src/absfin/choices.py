"""Values of the contract by their plain names: "close" for PRICE_FIELD_CLOSE."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

UNSPECIFIED = "UNSPECIFIED"

PriceField = Literal["close", "open", "high", "low", "volume"]
MissingData = Literal["fail", "drop_dates", "maximum_likelihood", "pairwise", "asset_states"]
Measure = Literal[
    "variance",
    "standard_deviation",
    "semi_deviation",
    "mad",
    "gini_mean_difference",
    "kurtosis",
    "semi_kurtosis",
    "first_lower_partial_moment",
    "second_lower_partial_moment",
    "var",
    "value_at_risk",
    "cvar",
    "conditional_value_at_risk",
    "tail_gini",
    "evar",
    "rlvar",
    "worst_realization",
    "range",
    "cvar_range",
    "tail_gini_range",
    "evar_range",
    "rlvar_range",
    "max_drawdown",
    "average_drawdown",
    "dar",
    "cdar",
    "edar",
    "rldar",
    "ulcer_index",
]
RollingFigure = Literal[
    "mean_annual",
    "volatility_annual",
    "sharpe",
    "sortino",
    "skewness",
    "value_at_risk",
    "conditional_value_at_risk",
    "max_drawdown",
    "beta",
    "correlation",
    "tracking_error_annual",
    "information_ratio",
    "semi_deviation",
    "excess_kurtosis",
    "omega",
    "ulcer_index",
    "alpha_annual",
]
SelectionScore = Literal[
    "sharpe",
    "sortino",
    "calmar",
    "cagr",
    "total_return",
    "volatility_annual",
    "max_drawdown",
    "value_at_risk",
    "conditional_value_at_risk",
]
BeforeSelection = Literal["first_candidate", "equal_parts", "cash"]
Frequency = Literal["daily", "weekly", "monthly", "quarterly", "semiannual", "annual"]
Fill = Literal["next_close", "next_open", "same_close"]
FlowTiming = Literal["end_of_day", "start_of_day"]
BandTrigger = Literal["any_breach", "tracking_error", "cost_benefit"]
BandScope = Literal["all", "breached"]
BandDestination = Literal["target", "edge", "fraction"]
DayCount = Literal["act_365f", "act_360", "bars"]
Hurdle = Literal["hard", "soft"]
PriceBasis = Literal["adjusted", "split_adjusted", "unadjusted"]
DividendPolicy = Literal["cash", "reinvest"]
DelistingPolicy = Literal["fail", "last_price", "zero", "shumway_nyse", "shumway_nasdaq"]
Conventions = Literal["exact", "bt", "vectorbt"]
AssetEventKind = Literal[
    "split", "cash_dividend", "delisting", "margin_call", "listing", "halt_begin", "halt_end", "worthless"
]
Series = Literal[
    "equity",
    "weights",
    "trades",
    "drawdown",
    "nav",
    "holdings",
    "cash",
    "exposures",
    "contributions",
    "costs",
    "turnover",
    "gross_equity",
]
ChartName = Literal[
    "equity",
    "drawdown",
    "rolling_risk",
    "weights",
    "monthly_returns",
    "contributions",
    "frontier",
    "correlation",
    "timing_luck",
    "sweep_surface",
    "costs",
    "attribution",
    "liquidity",
    "rolling_returns",
]
ChartTheme = Literal["light", "dark"]
Turnover = Literal["one_way", "two_way"]
Deviation = Literal["drift", "tracking_error"]
Direction = Literal["both", "buy_only", "sell_only"]
LiquidityAllocation = Literal["pro_rata", "max_min", "priority"]
ReallocationState = Literal["current", "partly_filled", "filled", "superseded"]
Graph = Literal["minimum_spanning_tree", "triangulated_maximally_filtered"]
HierarchicalMethod = Literal["hrp", "herc", "herc2", "nco"]
Linkage = Literal["single", "complete", "average", "weighted", "centroid", "median", "ward", "dbht"]
Codependence = Literal[
    "pearson",
    "spearman",
    "kendall",
    "gerber1",
    "gerber2",
    "absolute_pearson",
    "absolute_spearman",
    "absolute_kendall",
    "distance",
    "mutual_information",
    "tail",
    "custom_covariance",
]
KellyMethod = Literal["exact", "quadratic", "second_moment"]
Uncertainty = Literal["none", "box", "ellipsoid"]
Engine = Literal["auto", "fast", "riskfolio"]
TradableState = Literal["tradable", "halted", "delisted", "not_listed"]
LotMethod = Literal["fifo", "lifo", "hifo", "tax_optimal", "specified"]
AttributionModel = Literal["brinson_fachler", "brinson_hood_beebower"]
Linking = Literal["carino", "menchero", "grap", "geometric"]
SegmentKind = Literal[
    "group",
    "unlabelled",
    "costs",
    "fees",
    "cash",
    "financing",
    "trading",
    "withholding",
    "factor",
    "specific",
]
EventKind = Literal[
    "prices",
    "drift",
    "limit",
    "volatility",
    "drawdown",
    "liquidity",
    "price_stale",
    "price_jump",
    "mandate_due",
    "lot_long_term",
    "result_stale",
]
Severity = Literal["info", "warning", "critical"]
NotificationState = Literal["pending", "delivered", "failed", "acknowledged"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Score = Literal[
    "sharpe",
    "sortino",
    "calmar",
    "cagr",
    "information_ratio",
    "total_return",
    "volatility_annual",
    "max_drawdown",
    "value_at_risk",
    "conditional_value_at_risk",
    "turnover_annual",
    "cost_total",
    "tracking_error_annual",
]
TrialOrder = Literal["sweep", "best_first"]


class UnknownChoice(ValueError):
    """An argument is none of the names of its values."""


def choice(enum: EnumTypeWrapper, argument: str, name: str) -> str:
    """The value of the contract for a plain name. Raises UnknownChoice, whose message lists the known names."""
    values = _values(enum)
    wanted = values.get(name.upper())
    if wanted is None:
        names = ", ".join(values).lower()
        raise UnknownChoice(f"{argument}: {name!r} is none of {names}")
    return wanted


def plain_name(enum: EnumTypeWrapper, value: Any) -> Any:
    """The plain name of a value of the contract; of an alias, the first."""
    return _plain_names(enum).get(value) or enum.Name(value)  # which says that there is no such value


@cache
def _values(enum: EnumTypeWrapper) -> Mapping[str, str]:
    """The values that can be chosen, by their names without the prefix: read once, since reading takes longer."""
    prefix = _prefix(enum)
    return {value.removeprefix(prefix): value for value in list(enum.keys())[1:]}


@cache
def _plain_names(enum: EnumTypeWrapper) -> Mapping[int, str]:
    prefix = _prefix(enum)
    return {number: str(enum.Name(number)).removeprefix(prefix).lower() for number in enum.values()}


def _prefix(enum: EnumTypeWrapper) -> str:
    return str(enum.keys()[0]).removesuffix(UNSPECIFIED)
