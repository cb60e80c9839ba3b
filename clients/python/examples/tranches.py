"""The same strategy on one date of the quarter, and in three parts a month apart.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys
from datetime import date

from absfin import Client, Stored, strategies


def main(address: str) -> None:
    """Momentum decided once a quarter on three dates a month apart, and on all three by a third of the account each."""
    with Client(address) as client:
        for offset in (0, 21, 42):
            once = strategies.calendar("quarterly", offset_days=offset)
            print(f"{offset} dates into the quarter: {earned(client, once)}")
        staggered = strategies.rebalancing(strategies.calendar("quarterly"), tranches=3)
        print(f"in 3 tranches: {earned(client, staggered)}")


def earned(client: Client, rebalancing: strategies.Rebalancing) -> str:
    """Return and drawdown of one backtest."""
    done = client.backtest(
        Stored(["AAPL", "JNJ", "JPM", "KO", "XOM", "WMT"], start=date(2005, 1, 3), end=date(2014, 12, 31)),
        strategies.momentum(126, 2),
        rebalancing=rebalancing,
        commission_bps=5,
        wait_seconds=60,
    )
    return f"{done.metrics['cagr']:.1%} a year, drawdown {done.metrics['max_drawdown']:.1%}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
