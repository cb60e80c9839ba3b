"""Hold twice the equity with borrowed money, in an account that must keep a maintenance ratio.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys
from datetime import date

from absfin import Client, Stored, strategies, trading_costs


def main(address: str) -> None:
    """Two stocks at weights of 1 each through 2008 and 2009, rebalanced once a year."""
    with Client(address) as client:
        done = client.backtest(
            Stored(["JPM", "XOM"], start=date(2007, 1, 3), end=date(2009, 12, 31)),
            strategies.fixed_weights({"JPM": 1.0, "XOM": 1.0}),
            rebalancing=strategies.calendar("annual"),
            initial_capital=100_000,
            maintenance_ratio=0.3,
            costs=trading_costs(5, financing_rate_annual={date(2007, 1, 1): 0.05, date(2008, 10, 8): 0.02}),
            wait_seconds=60,
        )
    (result,) = done.strategies
    print(f"{result.final_nav:,.0f} of 100,000 is left, after a drawdown of {result.metrics['max_drawdown']:.0%}")
    print(f"financing {done.costs['financing']:,.0f}, commission {done.costs['commission']:,.0f}")
    for event in done.asset_events[:4]:
        change = event.quantity_after / event.quantity_before - 1.0
        print(f"{event.date} {event.kind} {event.symbol}: {change:+.1%} of the position for {event.cash:,.0f}")
    print(f"{len(done.asset_events)} positions closed in part")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
