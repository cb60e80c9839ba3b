"""Save every month into a portfolio that is brought back to the edges of its bands, and compare the two returns.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys
from datetime import date

from absfin import CashFlow, Client, PerformanceFee, RecurringCashFlow, Stored, strategies, trading_costs


def main(address: str) -> None:
    """Three stocks at equal weights, 1 000 a month, a withdrawal in March 2020, and a manager who takes fees."""
    with Client(address) as client:
        done = client.backtest(
            Stored(["AAPL", "JNJ", "XOM"], start=date(2013, 1, 2)),
            strategies.equal_weight(),
            rebalancing=strategies.rebalancing(band=strategies.drift_band(0.05, to="edge"), max_turnover=0.1),
            initial_capital=100_000,
            cash_flows=[RecurringCashFlow("monthly", 1_000), CashFlow(date(2020, 3, 16), -20_000)],
            costs=trading_costs(
                5, 2, cash_rate_annual=0.01, management_fee_annual=0.01, performance_fee=PerformanceFee(0.1, 0.05)
            ),
            wait_seconds=60,
        )
    (result,) = done.strategies
    print(f"time-weighted {result.metrics['total_return']:.1%}, money-weighted {result.money_weighted_return:.1%}")
    if whole := done.reconciliation:
        print(f"{whole.start_nav:,.0f} + {whole.flows:,.0f} of flows + {whole.gains:,.0f} of gains", end=" ")
        print(f"- {whole.costs:,.0f} of costs = {whole.end_nav:,.0f}")
    for kind, amount in done.costs.items():
        if amount:
            print(f"  {kind.replace('_', ' ')}: {amount:,.0f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
