"""What the service does, on real data, through its public client. Run it through scripts/demo."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from absfin import (
    Client,
    Event,
    Holdings,
    InfeasibleProblem,
    Optimization,
    Stored,
    attribution_options,
    equal_weight,
    group_bounds,
    max_diversification,
    max_ratio,
    min_risk,
    return_floor,
    risk_budget,
    strategies,
    weight_bounds,
)
from absfin.backtest_results import StrategyResult
from absfin.cli.output import follow
from absfin.cli.tables import number, percent, show_reallocation, show_risk
from absfin.reports import write_report
from absfin.reports.stored import stored_report
from absfinance.v1.market_data_service_pb2 import PublishMarketDataRequest
from absfinance.v1.portfolio_pb2 import EVENT_KIND_DRIFT, Portfolio, Trigger
from rich.console import Console
from rich.table import Table
from sample_data import load

# A pipe has no width of its own; a terminal keeps its own.
CONSOLE = Console(width=None if sys.stdout.isatty() else 110)
INDEX = "SP500"
TEAR_SHEET = Path("var/tear_sheet.html")
"""In a folder that is not committed."""


def stocks(client: Client) -> Stored:
    """Every stored symbol but the index."""
    return Stored(symbols=[item.symbol for item in client.instruments() if item.symbol != INDEX])


def compare(client: Client, data: Stored) -> Optimization:
    """Six portfolios side by side; returns the one with the best Sharpe ratio."""
    caps = [weight_bounds(upper=0.15, label="15 % caps")]
    wanted = {
        "equal weight": (equal_weight(), [], "variance"),
        "minimum variance": (min_risk(), [], "variance"),
        "maximum Sharpe ratio, 15 % caps": (max_ratio(), caps, "variance"),
        "equal risk contributions": (risk_budget(), [], "variance"),
        "maximum diversification": (max_diversification(), [], "variance"),
        "minimum CVaR 95 %": (min_risk(), [], "cvar"),
    }
    table = Table(title="20 S&P 500 stocks, 1990-2022, daily")
    for name in ("portfolio", "return", "volatility", "Sharpe", "effective assets", "solver", "solved in", "call took"):
        table.add_column(name, justify="left" if name in ("portfolio", "solver") else "right")
    answers: list[Optimization] = []
    with CONSOLE.status("solving"):
        for name, (objective, constraints, measure) in wanted.items():
            start = time.perf_counter()
            answer = client.optimize(data, objective, constraints=constraints, risk_measure=measure, timeout=120)
            took = time.perf_counter() - start
            answers.append(answer)
            table.add_row(
                name,
                percent(answer.expected_return_annual),
                percent(answer.volatility_annual),
                number(answer.ratio),
                f"{answer.effective_number_of_assets:.1f}",
                answer.certificate.solver,
                f"{answer.certificate.solve_seconds * 1e3:.1f} ms",
                f"{took * 1e3:.0f} ms",
            )
    CONSOLE.print(table)
    CONSOLE.print("Every answer is verified: constraints to 1e-8, the objective against a proven bound.")
    CONSOLE.print("The time of a call includes sending the request, estimating the moments and storing the result.\n")
    return max(answers, key=lambda answer: answer.ratio or 0.0)


def explain_a_conflict(client: Client, data: Stored) -> None:
    """A request that has no answer, and what the service says about it."""
    CONSOLE.print("[bold]At most 10 % in each stock, at least 60 % in technology, and 12 % a year:[/]")
    constraints = [
        weight_bounds(upper=0.10, label="10 % caps"),
        group_bounds("sector=Technology", lower=0.6, label="60 % technology"),
        return_floor(0.12, label="12 % a year"),
    ]
    try:
        client.optimize(data, min_risk(), constraints=constraints)
    except InfeasibleProblem as error:
        CONSOLE.print(f"  {error.message}")
        for conflict in error.conflicts:
            relaxation = conflict.smallest_relaxation
            text = "no change of it alone is enough" if relaxation is None else f"relax it by {relaxation:.4f}"
            CONSOLE.print(f"  - {conflict.label}: {text}", highlight=False)
    CONSOLE.print()


def look_back(client: Client, data: Stored) -> str:
    """33 years day by day: minimum variance, and minimum CVaR with live progress. Returns the name of the first job."""
    past = {"variance": "minimum variance", "cvar": "minimum CVaR 95 %"}
    done: list[StrategyResult] = []
    names: list[str] = []
    for measure, label in past.items():
        started = time.perf_counter()
        job = client.backtest(
            data,
            strategies.optimize(min_risk(), 252, risk_measure=measure, label=label),
            commission_bps=10,
            benchmarks=[strategies.equal_weight(label="equal weight"), INDEX],
            attribution=attribution_options(["sector"]),
        )
        names.append(job.name)
        follow(client.watch(job.name), f"  {label}", shown=sys.stdout.isatty())
        took = time.perf_counter() - started
        found = client.get_backtest(job.name)
        done += [found.strategies[0]] if done else [*found.benchmarks, found.strategies[0]]
        CONSOLE.print(f"  {label}: {found.strategies[0].rebalances} optimisations and 33 years of days in {took:.2f} s")
    table = Table(title="monthly, filled at the next close, 10 bps a trade, 252 days of history")
    for name in ("strategy", "final wealth", "a year", "volatility", "Sharpe", "max drawdown", "turnover a year"):
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for one in done:
        figures = one.metrics
        table.add_row(
            one.label,
            f"{figures['final_wealth']:.2f}",
            percent(figures["cagr"]),
            percent(figures["volatility_annual"]),
            number(figures["sharpe"]),
            percent(figures["max_drawdown"]),
            percent(figures["turnover_annual"]),
        )
    CONSOLE.print(table)
    return names[0]


def write_tear_sheet(client: Client, name: str) -> None:
    """Figures, charts, attribution and costs of a backtest in one file."""
    TEAR_SHEET.parent.mkdir(exist_ok=True)
    write_report(stored_report(client, name), TEAR_SHEET)
    CONSOLE.print(f"{TEAR_SHEET} opens in a browser without a network; absfin report writes PDF and PNG too")


def trade(client: Client, data: Stored) -> None:
    """From whole shares of equal value to minimum variance."""
    last = client.prices(data)
    prices = dict(zip(last.symbols, last.values[-1].tolist(), strict=True))
    shares = {symbol: float(round(5000.0 / price)) for symbol, price in prices.items()}
    wanted = strategies.spec(min_risk(), 252, constraints=[weight_bounds(upper=0.2, label="20 % caps")])
    answer = client.reallocate(Holdings(shares, 1000.0), data, wanted, commission_bps=5, cash_floor=500.0)
    show_reallocation(answer)


def publish_a_price(client: Client, data: Stored) -> None:
    """One price of a watched portfolio rises by 30 %: what is noticed, and the plan that follows."""
    last = client.prices(data)
    prices = dict(zip(last.symbols, last.values[-1].tolist(), strict=True))
    symbol = last.symbols[0]
    portfolio = client.create_portfolio(watched_portfolio(prices))
    batch = PublishMarketDataRequest(batch_id="demo")
    batch.quotes.add(symbol=symbol, time=datetime.now(UTC), last=1.3 * prices[symbol])
    started = time.perf_counter()
    for answer in client.publish_market_data([batch]):
        if answer.accepted_count == 0:
            sys.exit(f"the price of {symbol} was not taken: {answer.rejected[0]}")  # nothing would follow
        CONSOLE.print(f"  {symbol} at {1.3 * prices[symbol]:,.2f} instead of {prices[symbol]:,.2f}", highlight=False)
    for news in client.watch_events(portfolios=[portfolio.name], kinds=["drift"]):
        took = time.perf_counter() - started
        if not isinstance(news, Event):
            continue
        if news.type == "signal":
            CONSOLE.print(f"  after {took * 1e3:.0f} ms, a signal: {news.message}", highlight=False)
        elif news.type == "recomputation":
            if not news.message.startswith("reallocations/"):
                sys.exit(f"there is no plan: {news.message}")
            plan = client.get_reallocation(news.message)
            first = plan.trades[0]
            text = f"{len(plan.trades)} trades, the first {first.quantity:+g} {first.symbol} at {first.price:,.2f}"
            CONSOLE.print(f"  after {took * 1e3:.0f} ms, a plan: {text}", highlight=False)
            return


def watched_portfolio(prices: dict[str, float]) -> Portfolio:
    """Whole shares of equal value; a plan back to equal weights where one is 1 percentage point from its own."""
    portfolio = Holdings({symbol: float(round(5000.0 / price)) for symbol, price in prices.items()}).to_proto()
    for symbol in prices:
        portfolio.mandate.weights.weights.add(symbol=symbol, weight=1.0 / len(prices))
    portfolio.mandate.triggers.add(event=EVENT_KIND_DRIFT, threshold=0.01, action=Trigger.ACTION_REALLOCATE)
    return portfolio


def main(address: str) -> None:
    """The whole tour."""
    started = time.perf_counter()
    with Client(address) as client:
        client.wait_until_ready()
        CONSOLE.print("==> importing 33 years of daily prices through the API")
        load(client)
        data = stocks(client)
        CONSOLE.print("==> optimising")
        best = compare(client, data)
        CONSOLE.print("==> asking for the impossible")
        explain_a_conflict(client, data)
        CONSOLE.print("==> the risk of the portfolio with the best Sharpe ratio, against the index")
        show_risk(client.analyze_risk(data, best.weights, benchmark=INDEX))
        CONSOLE.print("\n==> simulating 33 years")
        name = look_back(client, data)
        CONSOLE.print("==> writing a tear sheet of the first backtest")
        write_tear_sheet(client, name)
        CONSOLE.print("==> listing the trades from whole shares of equal value to minimum variance")
        trade(client, data)
        CONSOLE.print("==> publishing a price, and watching what follows")
        publish_a_price(client, data)
    CONSOLE.print(f"\nAll of it took {time.perf_counter() - started:.0f} s. Where to look next:")
    CONSOLE.print("  docs/cookbook.md              a call with grpcurl for each RPC")
    CONSOLE.print("  clients/python/examples       the same from Python")
    CONSOLE.print("  .venv/bin/absfin --help       the same from a terminal, once `absfin serve` runs")
    CONSOLE.print("  docs/api.md                   the contract")


if __name__ == "__main__":
    main(sys.argv[1])
