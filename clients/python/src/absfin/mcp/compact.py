"""Answers that are short enough to be read by a language model: summaries, the largest rows, and thinned series."""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from absfin.backtest_results import Backtest, StrategyResult
from absfin.data import Panel
from absfin.results import Optimization, Reallocation, ResultWarning
from absfin.risk_report import RiskReport

DECIMALS = 6
"""Of a number; below 0.1 significant digits are counted instead."""

NEGLIGIBLE = 1e-6
"""Weights below it are left out."""

MAX_VALUES = 4000
"""Of a table by date, in all columns: it has fewer dates instead of fewer columns."""

MAX_CHARACTERS = 60_000
"""Of an answer as text: hosts refuse or cut more than about 25 000 tokens."""

CUTS = (200, 50, 10)
"""Entries that lists keep in an answer that is too long, the first of these that makes it short enough."""

MAX_TEXT = 1000
"""Characters that a text keeps in such an answer."""

MAX_RECORD = 100
"""Names of a record, such as all figures of a strategy, that are kept in any case."""

MAIN_METRICS = (
    "final_wealth",
    "total_return",
    "cagr",
    "volatility_annual",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "value_at_risk",
    "conditional_value_at_risk",
    "turnover_annual",
    "cost_total",
    "tracking_error_annual",
    "information_ratio",
    "beta",
)
"""Figures of a backtest that its summary has; the others are there on request."""


def plain(value: Any) -> Any:
    """What JSON can say, without what is absent: rounded numbers, texts of dates, names of the contract."""
    if isinstance(value, float | np.floating):
        return rounded(float(value))
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Message):
        return plain(MessageToDict(value, preserving_proto_field_name=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def rounded(value: float) -> float | None:
    """Six decimals, or six significant digits of what is below 0.1; None for what is no number."""
    if not math.isfinite(value):
        return None
    return round(value, DECIMALS) if abs(value) >= 0.1 else float(f"{value:.{DECIMALS}g}")


def as_text(content: Any) -> str:
    """What is sent: JSON without spaces that say nothing."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def fitted(content: dict[str, Any]) -> dict[str, Any]:
    """Plain content; where it is longer than MAX_CHARACTERS, the beginning of its lists, and "cut" says so."""
    whole, found = len(as_text(content)), content
    for entries in CUTS:
        if len(as_text(found)) <= MAX_CHARACTERS:
            break
        kept = f"the first {entries} entries of lists, {max(entries, MAX_RECORD)} of tables"
        cut = {"cut": f"this is {kept}: all of it has {whole} characters; ask for less at once"}
        found = {name: _beginning(value, entries) for name, value in content.items()} | cut
    return found


def _beginning(value: Any, entries: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "..."
    if isinstance(value, list):
        return [_beginning(one, entries) for one in value[:entries]]
    if isinstance(value, dict):
        return {name: _beginning(value[name], entries) for name in list(value)[: max(entries, MAX_RECORD)]}
    return value


def largest(name: str, values: Mapping[str, float], rows: int) -> dict[str, Any]:
    """The largest of the values by size, and what is left out. Negligible ones are not told."""
    order = sorted((one for one in values.items() if abs(one[1]) >= NEGLIGIBLE), key=lambda one: -abs(one[1]))
    answer: dict[str, Any] = {name: dict(order[:rows])}
    if order[rows:]:
        answer[f"{name}_left_out"] = {"count": len(order) - rows, "sum": sum(value for _, value in order[rows:])}
    return answer


def first(name: str, values: Iterable[Any], rows: int) -> dict[str, Any]:
    """The first rows of a list, and how many are left out."""
    every = list(values)
    answer: dict[str, Any] = {name: every[:rows]}
    if every[rows:]:
        answer[f"{name}_left_out"] = len(every) - rows
    return answer


def optimization_summary(found: Optimization, rows: int) -> dict[str, Any]:
    """Weights and figures; a certificate says how far they are from optimal and feasible."""
    volatility = found.volatility_annual
    shares = {symbol: part / volatility for symbol, part in found.risk_contributions.items()} if volatility else {}
    return {
        **_name(found.name),
        **largest("weights", found.weights, rows),
        "expected_return_annual": found.expected_return_annual,
        "volatility_annual": volatility,
        "risk": found.risk,
        "ratio": found.ratio,
        "effective_number_of_assets": found.effective_number_of_assets,
        **largest("fractions_of_risk", shares, rows),
        "turnover_one_way": found.turnover_one_way,
        "cost": found.cost,
        **first("binding", found.binding, rows),
        "certificate": found.certificate,
        **_remarks(found.warnings, found.stale_since),
    }


def risk_summary(found: RiskReport, rows: int, *, all_figures: bool) -> dict[str, Any]:
    """The figures, and the assets that contribute most to the risk."""
    figures = {} if not all_figures else {**found.figures, "undefined": found.undefined}
    return {
        "observations": found.observations,
        "confidence_level": found.confidence_level,
        "expected_return_annual": found.expected_return_annual,
        "volatility_annual": found.volatility_annual,
        "sharpe": found.sharpe,
        "max_drawdown": found.max_drawdown,
        "value_at_risk": found.value_at_risk,
        "conditional_value_at_risk": found.conditional_value_at_risk,
        "beta_to_benchmark": found.beta_to_benchmark,
        "tracking_error_annual": found.tracking_error_annual,
        "information_ratio": found.information_ratio,
        **largest("contributions", found.contributions, rows),
        "stress": [
            {
                "label": one.label,
                "return": one.portfolio_return if one.HasField("portfolio_return") else None,
                "undefined": one.undefined or None,
            }
            for one in found.stress
        ],
        **figures,
        **_remarks(found.warnings),
    }


def backtest_summary(found: Backtest, rows: int, *, all_figures: bool) -> dict[str, Any]:
    """Where a job stands, and once it has succeeded the figures of its strategies and benchmarks."""
    return {
        "name": found.name,
        "state": found.state,
        "fraction": found.fraction,
        "error": found.error or None,
        "strategies": [strategy_summary(one, rows, all_figures=all_figures) for one in found.strategies],
        "benchmarks": [strategy_summary(one, rows, all_figures=all_figures) for one in found.benchmarks],
        **_remarks(found.warnings, found.stale_since),
    }


def strategy_summary(found: StrategyResult, rows: int, *, all_figures: bool) -> dict[str, Any]:
    """Figures of a strategy."""
    main = {name: found.metrics[name] for name in MAIN_METRICS if name in found.metrics}
    answer: dict[str, Any] = {
        "label": found.label,
        "metrics": found.metrics if all_figures else main,
        "final_nav": found.final_nav,
        "rebalances": found.rebalances,
        "costs": found.costs,
        "money_weighted_return": found.money_weighted_return,
        "bankrupt_date": found.bankrupt_date,
    }
    if found.failed_rebalances:
        failed = [dict(zip(("date", "reason", "message"), one, strict=True)) for one in found.failed_rebalances]
        answer |= first("failed_rebalances", failed, rows)
    if all_figures:
        answer |= {"undefined": found.undefined, **largest("final_holdings", found.final_holdings, rows)}
    return answer


def reallocation_summary(found: Reallocation, rows: int) -> dict[str, Any]:
    """The trades in their order, or why there are none."""
    trades = [
        {"step": one.step, "symbol": one.symbol, "quantity": one.quantity, "price": one.price, "cost": one.cost}
        | ({"day": one.day} if one.day > 1 else {})
        for one in found.trades
    ]
    return {
        **_name(found.name),
        "outcome": found.outcome,
        "message": found.message or None,
        "state": found.state or None,
        **first("trades", trades, rows),
        **largest("weights_before", found.weights_before, rows),
        **largest("weights_after", found.weights_after, rows),
        "cost": found.cost,
        "tax": found.tax,
        "turnover_one_way": found.turnover_one_way,
        "residual_drift": found.residual_drift,
        "cash_after": found.cash_after,
        **first("shortfalls", ({"symbol": s, "reasons": r} for s, r in found.shortfalls.items()), rows),
        **_remarks(found.warnings, found.stale_since),
    }


def panel_summary(panel: Panel, points: int, rows: int) -> dict[str, Any]:
    """A table by date: the columns with the largest values, and dates evenly spaced from first to last.

    There are fewer dates than `points` where all columns would have more than MAX_VALUES. Lowest and highest values are
    those of all dates.
    """
    if not len(panel.dates):
        return {"dates": [], "dates_total": 0}
    sizes = np.nanmean(np.abs(np.nan_to_num(panel.values)), axis=0)
    chosen = np.sort(np.argsort(-sizes, kind="stable")[:rows])
    shown = min(points, len(panel.dates), max(2, MAX_VALUES // max(1, len(chosen))))
    at = np.unique(np.linspace(0, len(panel.dates) - 1, shown).round().astype(int))
    columns = {}
    for i in chosen:
        values = panel.values[:, i]
        known = values[np.isfinite(values)]
        extremes = {"lowest": float(known.min()), "highest": float(known.max())} if len(known) else {}
        columns[panel.symbols[i]] = {"values": values[at].tolist(), **extremes}
    answer: dict[str, Any] = {
        "dates": [str(day) for day in panel.dates[at].astype("datetime64[D]")],
        "dates_total": len(panel.dates),
        "columns": columns,
    }
    if len(panel.symbols) > len(chosen):
        answer["columns_left_out"] = len(panel.symbols) - len(chosen)
    return answer


def _name(name: str) -> dict[str, Any]:
    return {"name": name} if name else {}


def _remarks(warnings: Iterable[ResultWarning], stale_since: datetime | None = None) -> dict[str, Any]:
    """Warnings and staleness, where there are any."""
    found = list(warnings)
    return ({"warnings": found} if found else {}) | ({"stale_since": stale_since} if stale_since else {})
