"""Converts the options of a command to arguments of the client."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import typer
from absfinance.v1.backtest_pb2 import Rebalancing

from absfin import constraints, objectives, strategies
from absfin.cli.csv_files import read_panel
from absfin.data import Prices, Stored

OBJECTIVES = (
    "min-risk",
    "max-return",
    "max-utility",
    "max-ratio",
    "max-diversification",
    "risk-budget",
    "relaxed-risk-budget",
    "kelly",
    "hierarchical",
    "equal-weight",
    "inverse-volatility",
)


def objective_of(name: str, *, risk_free_rate: float, risk_aversion: float) -> objectives.Objective:
    """The objective of a name such as "max-ratio"."""
    if name not in OBJECTIVES:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(OBJECTIVES)}", param_hint="--objective")
    if name == "max-ratio":
        return objectives.max_ratio(risk_free_rate)
    if name == "max-utility":
        return objectives.max_utility(risk_aversion)
    plain: objectives.Objective = getattr(objectives, name.replace("-", "_"))()
    return plain


def constraints_of(
    lower: float | None, upper: float | None, min_return: float | None, groups: Iterable[str]
) -> list[constraints.Constraint]:
    """The constraints of the options, each labelled with the option it came from."""
    found: list[constraints.Constraint] = []
    if lower is not None or upper is not None:
        found.append(constraints.weight_bounds(lower, upper, label="--min-weight/--max-weight"))
    if min_return is not None:
        found.append(constraints.return_floor(min_return, label="--min-return"))
    for text in groups:
        name, _, bounds = text.partition(":")
        low, _, high = bounds.partition(":")
        try:
            edges = [float(edge) if edge else None for edge in (low, high)]
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not kind=name:lower:upper", param_hint="--group") from None
        found.append(constraints.group_bounds(name, edges[0], edges[1], label=f"--group {name}"))
    return found


def data_of(
    symbols: str, universe: str, prices: Path | None, start: datetime | None, end: datetime | None
) -> Prices | Stored:
    """The prices of a file, or a selection of stored prices."""
    if prices is not None:
        return Prices(read_panel(prices))
    if not symbols and not universe:
        raise typer.BadParameter("give --symbols, --universe or --prices")
    return Stored(
        symbols=[symbol.strip() for symbol in symbols.split(",") if symbol.strip()],
        universe=universe,
        start=start.date() if start else None,
        end=end.date() if end else None,
    )


def strategy_of(
    name: str, lookback: int | None, risk_measure: str, limits: list[constraints.Constraint]
) -> strategies.Strategy:
    """The strategy of a name: a formula, or an objective that is optimised over the past periods."""
    if name == "equal-weight":
        return strategies.equal_weight()
    if name == "inverse-volatility":
        return strategies.inverse_volatility(lookback)
    objective = objective_of(name, risk_free_rate=0.0, risk_aversion=3.0)
    return strategies.optimize(
        objective,
        lookback,
        constraints=limits,
        risk_measure=risk_measure,  # type: ignore[arg-type]  # the client checks it
        label=name,
    )


def rebalancing_of(text: str) -> Rebalancing:
    """The rebalancing of a name such as "monthly" or "never", or of a number of periods."""
    if text == "never":
        return strategies.never()
    if text.isdigit() and int(text) > 0:
        return strategies.every_periods(int(text))
    frequencies = ("daily", "weekly", "monthly", "quarterly", "semiannual", "annual")
    for frequency in frequencies:
        if frequency == text:
            return strategies.calendar(frequency)  # type: ignore[arg-type]  # checked above
    raise typer.BadParameter(f"{text!r} is neither a number of periods nor one of never, {', '.join(frequencies)}")
