"""Prices as they were paid, with the splits and dividends beside them, in whole units.

Needs a server (`absfin serve`). Argument: its address.
"""

import sys
from datetime import date

from absfin import CashDividend, Client, Delisting, Panel, Prices, Split, strategies

DAYS = [date(2024, 1, day) for day in (8, 9, 10, 11, 12)]
GONE = float("nan")


def main(address: str) -> None:
    """Buy and hold: a 3:2 split of an odd number of units, a dividend with tax, a delisting that pays 70 %."""
    panel = Panel.of(["A", "B"], DAYS, [[60, 50], [60, 49.5], [40, 49.5], [40, 45], [40, GONE]])
    with Client(address) as client:
        done = client.backtest(
            Prices(panel),
            strategies.fixed_weights({"A": 0.55, "B": 0.45}),
            rebalancing=strategies.never(),
            fill="same_close",
            initial_capital=11_100,
            fractional_holdings=False,
            price_basis="unadjusted",
            withholding_rate=0.15,
            corporate_actions=[
                CashDividend("B", DAYS[1], 1.00, DAYS[3]),
                Split("A", DAYS[2], 1.5),
                Delisting("B", DAYS[4], -0.3),
            ],
            wait_seconds=60,
        )
    for event in done.asset_events:
        print(f"{event.date} {event.kind} of {event.symbol}:", end=" ")
        print(f"{event.quantity_before:g} -> {event.quantity_after:g} units, {event.cash:+.2f} of cash")
    print(f"tax {done.costs['withholding']:.2f}, final cash {done.strategies[0].final_cash:,.2f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
