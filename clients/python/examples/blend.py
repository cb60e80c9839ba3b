"""Two strategies in one account, each on its own dates, with shares that drift until they are brought back.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys
from datetime import date

from absfin import Client, Stored, min_risk, strategies


def main(address: str) -> None:
    """Momentum every week and least risk every quarter, 40 to 60 at the start of each year."""
    momentum, steady = strategies.momentum(126, 2, skip=5), strategies.optimize(min_risk(), 252)
    parts = [(momentum, 0.4, strategies.calendar("weekly")), (steady, 0.6, strategies.calendar("quarterly"))]
    with Client(address) as client:
        done = client.backtest(
            Stored(["AAPL", "JNJ", "JPM", "KO", "XOM"], start=date(2010, 1, 4), end=date(2019, 12, 31)),
            [
                strategies.blend(parts, rebalancing=strategies.calendar("annual"), label="own dates"),
                strategies.blend([part[:2] for part in parts], label="all monthly"),
            ],
            commission_bps=5,
            wait_seconds=60,
        )
    for result in done.strategies:
        figures = result.metrics
        print(f"{result.label}: {figures['cagr']:.1%} a year, drawdown {figures['max_drawdown']:.1%}", end=", ")
        print(f"turnover {figures['turnover_annual']:.1f} in {result.rebalances} rebalancings")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
