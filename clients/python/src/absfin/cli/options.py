"""Converts the options of a command to arguments of the client."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import typer

from absfin import constraints, objectives
from absfin.choices import Direction, UnknownChoice
from absfin.cli.csv_files import read_panel
from absfin.data import Panel, Prices, Stored
from absfin.strategies import Strategy, remote
from absfin.taxes import TaxLimits

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


def direction_of(*, buy_only: bool, sell_only: bool) -> Direction:
    """Which trades a plan may have. Raises BadParameter where it could have none."""
    if buy_only and sell_only:
        raise typer.BadParameter("--buy-only and --sell-only leave no trade", param_hint="--sell-only")
    return "buy_only" if buy_only else "sell_only" if sell_only else "both"


def decided_by(service: str, weights: Mapping[str, float] | None) -> Mapping[str, float] | Strategy | None:
    """The target: given weights, or the decision of a service. Raises BadParameter for both."""
    if service and weights is not None:
        raise typer.BadParameter("give target weights or a service that decides them", param_hint="--strategy-service")
    return remote(service) if service else weights


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
    """The prices of a file, or stored ones: those of some symbols from one date to another."""
    names = [symbol.strip() for symbol in symbols.split(",") if symbol.strip()]
    if prices is not None:
        if universe:
            raise typer.BadParameter("is for stored prices: a file has no labels", param_hint="--universe")
        return Prices(_part(read_panel(prices), names, start, end))
    if not symbols and not universe:
        raise typer.BadParameter("give --symbols, --universe or --prices")
    return Stored(
        symbols=names,
        universe=universe,
        start=start.date() if start else None,
        end=end.date() if end else None,
    )


def _part(panel: Panel, symbols: list[str], start: datetime | None, end: datetime | None) -> Panel:
    """Some columns of a table, all where none is named, from one date to another."""
    if unknown := sorted(set(symbols) - set(panel.symbols)):
        raise typer.BadParameter(f"{', '.join(unknown)}: no such column in the file of prices", param_hint="--symbols")
    columns = [panel.symbols.index(symbol) for symbol in symbols] or list(range(len(panel.symbols)))
    days = panel.dates.astype("datetime64[D]")
    rows = np.ones(len(days), dtype=bool)
    if start is not None:
        rows &= days >= np.datetime64(start, "D")
    if end is not None:
        rows &= days <= np.datetime64(end, "D")
    if not rows.any():
        raise typer.BadParameter("the file of prices has no date between --start and --end")
    return Panel(tuple(panel.symbols[i] for i in columns), panel.dates[rows], panel.values[rows][:, columns])


@contextmanager
def option(name: str) -> Iterator[None]:
    """Makes a wrong value an error of usage that names the option."""
    try:
        yield
    except typer.BadParameter as error:
        raise typer.BadParameter(error.message, param_hint=name) from None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from None


def pairs_of(text: str) -> dict[str, str]:
    """A=B,C=D: what may be bought instead of each asset."""
    found = {}
    for pair in filter(None, text.split(",")):
        symbol, mark, by = (part.strip() for part in pair.partition("="))
        if not (symbol and mark and by):
            raise typer.BadParameter(f"{pair!r} is not ASSET=SUBSTITUTE", param_hint="--harvest")
        found[symbol] = by
    return found


def tax_limits(
    method: str, rates: str, gain_budget: float | None, forbid_wash_sales: bool, harvest: str
) -> TaxLimits | None:
    """The tax limits of the options; None without --tax."""
    if not method:
        if rates or gain_budget is not None or forbid_wash_sales or harvest:
            raise typer.BadParameter("is needed by the other options on taxes", param_hint="--tax")
        return None
    try:
        short, long = (float(rate) for rate in rates.split(",")) if rates else (None, None)
    except ValueError:
        raise typer.BadParameter(f"{rates!r} is not short-term,long-term", param_hint="--tax-rates") from None
    limits = TaxLimits(
        method.replace("-", "_"),  # type: ignore[arg-type]  # checked by to_proto
        short_term_rate=short,
        long_term_rate=long,
        gain_budget=gain_budget,
        forbid_wash_sales=forbid_wash_sales,
        harvest_losses=bool(harvest),
        substitutes=pairs_of(harvest),
    )
    try:
        limits.to_proto()
    except UnknownChoice as error:
        raise typer.BadParameter(str(error), param_hint="--tax") from None
    return limits
