"""Simulate a strategy, watch its progress, and read its weights.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys

from absfin import Client, Milestone, Stored, max_ratio, strategies, weight_bounds

SYMBOLS = ["AAPL", "JNJ", "JPM", "KO", "MSFT", "PFE", "PG", "WMT", "XOM"]


def main(address: str) -> None:
    """The best Sharpe ratio of the last two years, optimised every quarter, and two benchmarks."""
    strategy = strategies.optimize(
        max_ratio(), 504, constraints=[weight_bounds(upper=0.3, label="caps")], label="best Sharpe ratio"
    )
    with Client(address) as client:
        job = client.backtest(
            Stored(SYMBOLS),
            strategy,
            rebalancing=strategies.calendar("quarterly"),
            commission_bps=10,
            benchmarks=["SP500", strategies.equal_weight(label="equal weight")],
        )
        # The stream resumes by itself after a broken connection or a restart of the server.
        for news in client.watch(job.name):
            if isinstance(news, Milestone):
                print(f"{news.date} {news.kind}: {news.message}")
        done = client.get_backtest(job.name)
        for result in (*done.strategies, *done.benchmarks):
            figures = result.metrics
            print(
                f"{result.label}: {figures['cagr']:.2%} a year, volatility {figures['volatility_annual']:.2%}, "
                f"largest drawdown {figures['max_drawdown']:.2%}"
            )
        weights = client.backtest_series(job.name, "weights")
    held = {
        symbol: weight for symbol, weight in zip(weights.symbols, weights.values[-1], strict=True) if weight > 0.001
    }
    print("held at the end: " + ", ".join(f"{symbol} {weight:.1%}" for symbol, weight in held.items()))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
