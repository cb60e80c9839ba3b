"""Answers as tables on a terminal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from absfin.backtest_results import Backtest, StrategyResult
from absfin.cli.layout import add_named_column, new_console, new_table
from absfin.formatting import number, percent
from absfin.results import Optimization, Reallocation, ResultWarning
from absfin.risk_report import RiskReport
from absfin.selection import Selection
from absfin.significance import StatisticalValidation, StrategyComparison

NEGLIGIBLE = 5e-5
"""Weights below it would be shown as 0.00 %; tables leave them out."""


def show_optimization(answer: Optimization) -> None:
    """Prints weights with their risk contributions as fractions of the risk, then the figures."""
    table = new_table(("symbol", "weight", "fraction of risk"), ("weight", "fraction of risk"), answer.name)
    for symbol, weight in sorted(answer.weights.items(), key=lambda item: -abs(item[1])):
        if abs(weight) >= NEGLIGIBLE:
            fraction = (
                answer.risk_contributions[symbol] / answer.volatility_annual if answer.volatility_annual else None
            )
            table.add_row(symbol, percent(weight), percent(fraction))
    console = new_console()
    console.print(table)
    certificate = answer.certificate
    show_figures(
        console,
        {
            "expected return, annual": percent(answer.expected_return_annual),
            "volatility, annual": percent(answer.volatility_annual),
            "ratio": number(answer.ratio),
            "effective number of assets": number(answer.effective_number_of_assets),
            "binding": ", ".join(dict.fromkeys(b.label for b in answer.binding)) or "-",
            "solver": f"{certificate.solver} {certificate.solver_version}, {certificate.solve_seconds * 1e3:.2f} ms",
            "largest constraint violation": f"{certificate.max_constraint_violation:.1e}",
            "duality gap": "-" if certificate.duality_gap is None else f"{certificate.duality_gap:.1e}",
        },
    )
    show_warnings(console, answer.warnings)


def show_risk(report: RiskReport) -> None:
    """Prints the figures, then the risk contributions."""
    console = new_console()
    level = f"{report.confidence_level:.0%}"
    show_figures(
        console,
        {
            "observations": str(report.observations),
            "expected return, annual": percent(report.expected_return_annual),
            "volatility, annual": percent(report.volatility_annual),
            "Sharpe ratio": number(report.sharpe),
            "Sortino ratio": number(report.figures.get("sortino")),
            "Calmar ratio": number(report.figures.get("calmar")),
            "maximum drawdown": percent(report.max_drawdown),
            f"VaR {level}, historical": percent(report.value_at_risk["historical"]),
            f"VaR {level}, Gaussian": percent(report.value_at_risk["gaussian"]),
            f"VaR {level}, Cornish-Fisher": percent(report.value_at_risk["cornish_fisher"]),
            f"CVaR {level}, historical": percent(report.conditional_value_at_risk["historical"]),
            "ulcer index": percent(report.figures.get("ulcer_index")),
            "beta": number(report.beta_to_benchmark),
            "tracking error, annual": percent(report.tracking_error_annual),
        },
    )
    table = new_table(("symbol", "risk contribution"), ("risk contribution",))
    for symbol, contribution in sorted(report.contributions.items(), key=lambda item: -abs(item[1])):
        if abs(contribution) >= NEGLIGIBLE:
            table.add_row(symbol, percent(contribution))
    console.print(table)
    if report.stress:
        console.print(_stress(report))
    reasons: dict[str, list[str]] = {}
    for name, reason in report.undefined.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        console.print(f"not defined ({reason}): {', '.join(names)}", style="dim", markup=False)
    show_warnings(console, report.warnings)


def _stress(report: RiskReport) -> Table:
    """Return of the portfolio in each stress scenario."""
    table = new_table(("scenario", "return"), ("return",))
    for result in report.stress:
        stressed = result.portfolio_return if result.HasField("portfolio_return") else None
        table.add_row(result.label, percent(stressed) if not result.undefined else result.undefined)
    return table


def show_backtest(backtest: Backtest) -> None:
    """Prints the figures of all strategies and benchmarks as one table."""
    numbers = ("final wealth", "per year", "volatility", "Sharpe", "max drawdown", "turnover a year", "failed")
    table = new_table(("", *numbers), numbers, backtest.name)
    for one in (*backtest.strategies, *backtest.benchmarks):
        figures = one.metrics
        table.add_row(
            one.label,
            f"{figures['final_wealth']:.4f}",
            percent(figures.get("cagr")),
            percent(figures.get("volatility_annual")),
            number(figures.get("sharpe")),
            percent(figures.get("max_drawdown")),
            percent(figures.get("turnover_annual")),
            str(len(one.failed_rebalances)),
        )
    console = new_console()
    console.print(table)
    accounts = [one for one in (*backtest.strategies, *backtest.benchmarks) if one.reconciliation is not None]
    if any(_has_more_than_commission(one) for one in accounts):
        console.print(_accounts(accounts))
    for one in accounts:
        for kind, count in Counter(event.kind for event in one.asset_events).items():
            console.print(f"{one.label}: {count} x {kind.replace('_', ' ')}", style="dim", markup=False)
        if one.bankrupt_date is not None:
            console.print(f"{one.label}: nothing is left from {one.bankrupt_date} on", style="yellow", markup=False)
    for one in backtest.strategies:
        if one.selection is not None:
            console.print(_selection(one.label, one.selection))
    for one in backtest.strategies:
        if one.validation is not None and one.validation.proto.resamples:
            console.print(_validation(one.label, one.validation))
    show_warnings(console, backtest.warnings)


def _selection(label: str, found: Selection) -> Table:
    """How often each candidate was chosen, and what became of the score that it was chosen by."""
    table = new_table(("", "value"), ("value",), f"{label}: {found.choice_count} selections")
    for candidate, count in found.chosen.items():
        table.add_row(f"chosen: {candidate}", str(count))
    table.add_row("mean score before the choice", number(found.in_sample_mean))
    table.add_row("mean score after it", number(found.out_of_sample_mean))
    table.add_row("slope of one on the other", number(found.degradation_slope))
    table.add_row("followed by a loss", percent(found.loss_share))
    return table


def _validation(label: str, found: StatisticalValidation) -> Table:
    """How far a Sharpe ratio can be trusted."""
    table = new_table(("", "value"), ("value",), f"{label}: Sharpe ratio {number(found.sharpe_annual)} a year")
    table.add_row("probability above the benchmark ratio", percent(found.probabilistic_sharpe))
    needed = found.minimum_track_record_periods
    table.add_row("minimum track record", "-" if needed is None else f"{needed:,.0f} periods")
    for method, (lower, upper) in found.sharpe_intervals.items():
        table.add_row(f"interval, {method.replace('_', ' ')}", f"{lower:.3f} to {upper:.3f}")
    for benchmark, one in found.sharpe_differences.items():
        table.add_row(f"no difference to {benchmark}, p-value", number(one.p_value))
    table.add_row("equal in all sub-periods, p-value", number(found.sub_period_p_value))
    table.add_row("expected maximum drawdown", percent(found.expected_max_drawdown))
    if found.timing_luck:
        returns = found.timing_luck.values()
        table.add_row("total return over shifted dates", f"{percent(min(returns))} to {percent(max(returns))}")
    return table


def show_comparison(found: StrategyComparison) -> None:
    """Prints what tests of many strategies say about the best of them."""
    # The names of all better strategies stand in one cell: both columns are texts.
    table = new_table(("", "value"), title=f"{found.best} of {found.trial_count} strategies")
    spa = found.spa
    for name, text in (
        ("Sharpe ratio per period", f"{found.best_sharpe:.4f}"),
        ("effective number of strategies", f"{found.effective_trial_count:.2f}"),
        ("no strategy is better, p-value", "-" if spa is None else f"{spa[1]:.3f} ({spa[0]:.3f} to {spa[2]:.3f})"),
        ("better than the benchmark", ", ".join(found.superior) or "none"),
        ("deflated Sharpe ratio", percent(found.deflated_sharpe)),
        ("with the effective number", percent(found.deflated_sharpe_effective)),
        ("probability of overfitting", percent(found.probability_of_overfitting)),
        ("probability of loss out of sample", percent(found.probability_of_loss)),
    ):
        table.add_row(name, text)
    console = new_console()
    console.print(table)
    for name, reason in found.undefined.items():
        console.print(f"{name.replace('_', ' ')}: {reason}", style="dim", markup=False)
    show_warnings(console, found.warnings)


def _has_more_than_commission(one: StrategyResult) -> bool:
    flows = one.reconciliation.flows if one.reconciliation else 0.0
    return bool(flows) or any(amount for kind, amount in one.costs.items() if kind != "commission")


def _accounts(accounts: Sequence[StrategyResult]) -> Table:
    """How the net asset values came about, in money, with the costs by kind."""
    table = new_table(("",), title="in money")
    for one in accounts:
        add_named_column(table, one.label)

    def row(name: str, figures: Iterable[float | None]) -> None:
        table.add_row(name, *("-" if figure is None else f"{figure:,.2f}" for figure in figures))

    whole = [one.reconciliation for one in accounts if one.reconciliation is not None]
    row("start", [each.start_nav for each in whole])
    row("+ flows", [each.flows for each in whole])
    row("+ gains", [each.gains for each in whole])
    for kind in dict.fromkeys(kind for one in accounts for kind, amount in one.costs.items() if amount):
        row(f"- {kind.replace('_', ' ')}", [one.costs.get(kind) for one in accounts])
    row("= end", [each.end_nav for each in whole])
    if any(one.money_weighted_return is not None for one in accounts):
        table.add_row("money-weighted return", *(percent(one.money_weighted_return) for one in accounts))
    return table


def show_reallocation(answer: Reallocation) -> None:
    """Prints the trades in order, then their summary."""
    console = new_console()
    if answer.outcome != "plan":
        console.print(f"{answer.outcome}: {answer.message}")
    else:
        numbers = ("step", "day", "units", "price", "cost", "cash after")
        table = new_table(("step", "day", "symbol", "units", "price", "cost", "cash after"), numbers, answer.name)
        for t in answer.trades:
            table.add_row(
                str(t.step),
                str(t.day),
                t.symbol,
                f"{t.quantity:+,.6g}",
                f"{t.price:,.2f}",
                f"{t.cost:,.2f}",
                f"{t.cash_after:,.2f}",
            )
        console.print(table)
        show_figures(
            console,
            {
                "cost": f"{answer.cost:,.2f}",
                "turnover, one-way": percent(answer.turnover_one_way),
                "residual drift": percent(answer.residual_drift),
                "cash": f"{answer.cash_after:,.2f}",
                **({} if answer.tax is None else {"tax": f"{answer.tax:,.2f}"}),
            },
        )
    for trade in answer.trades:
        if trade.harvested_quantity:
            units = f"{trade.harvested_quantity:,.6g} units of {trade.symbol}"
            console.print(f"step {trade.step} sells {units} to realise a loss", style="dim", markup=False)
        if trade.substitute_for:
            replaced = ", ".join(trade.substitute_for)
            console.print(f"step {trade.step} buys {trade.symbol} instead of {replaced}", style="dim", markup=False)
    for symbol, causes in answer.shortfalls.items():
        console.print(f"{symbol} is traded less than requested: {', '.join(causes)}", style="dim", markup=False)
    for symbol, day in answer.restricted_until.items():
        console.print(f"{symbol} bought until {day} would make a loss a wash sale", style="dim", markup=False)
    show_warnings(console, answer.warnings)


def show_warnings(console: Console, warnings: Iterable[ResultWarning]) -> None:
    """Prints each warning on a line."""
    for warning in warnings:
        console.print(f"warning: {warning.message}", style="yellow", markup=False)


def show_figures(console: Console, figures: dict[str, str]) -> None:
    """Prints each figure on a line, with its name."""
    grid = Table.grid(padding=(0, 2))
    for name, value in figures.items():
        grid.add_row(name, value)
    console.print(grid)


def weights_in_words(weights: Mapping[str, float]) -> str:
    """Symbols with their weights on a line, the largest first, without negligible ones."""
    held = sorted(weights.items(), key=lambda item: -abs(item[1]))
    return ", ".join(f"{symbol} {percent(weight)}" for symbol, weight in held if abs(weight) >= NEGLIGIBLE)
