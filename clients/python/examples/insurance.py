"""Three stocks as they are, scaled to a volatility, and insured at a floor.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys
from datetime import date

from absfin import Client, Stored, strategies


def main(address: str) -> None:
    """Equal weights through 2008: a volatility target of 10 %, and CPPI with a floor of 80 % and a multiplier of 4."""
    base = strategies.equal_weight()
    with Client(address) as client:
        done = client.backtest(
            Stored(["JNJ", "JPM", "XOM"], start=date(2006, 1, 3), end=date(2010, 12, 31)),
            [
                base,
                strategies.volatility_target(base, 0.10, 63, max_leverage=1.0),
                strategies.cppi(base, floor=0.8, multiplier=4.0),
            ],
            rebalancing=strategies.calendar("weekly"),
            commission_bps=5,
            wait_seconds=60,
        )
    for result in done.strategies:
        figures = result.metrics
        print(f"{result.label}: {figures['total_return']:.1%}, volatility {figures['volatility_annual']:.1%}", end=", ")
        print(f"drawdown {figures['max_drawdown']:.1%}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
