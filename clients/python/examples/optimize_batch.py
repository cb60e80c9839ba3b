"""Rebalance many accounts over one universe: each has its own weights and constraints, and pays for its trades.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys

from absfin import AbsFinanceError, Account, Client, Stored, max_utility, trading_costs, turnover, weight_bounds

SYMBOLS = ["AAPL", "JNJ", "KO", "MSFT", "PG", "XOM"]
ACCOUNTS = [
    Account("patient", {"AAPL": 0.4, "KO": 0.2, "XOM": 0.4}, [turnover(0.1, label="trades")]),
    Account("cautious", {"KO": 0.5, "PG": 0.5}, [weight_bounds(upper=0.2, label="caps")]),
    Account("impossible", {"KO": 1.0}, [weight_bounds(upper=0.1, label="caps")]),
]


def main(address: str) -> None:
    """Three accounts, one of which has an infeasible problem."""
    found: dict[str, str] = {}
    with Client(address) as client:
        answers = client.optimize_batch(
            Stored(SYMBOLS),
            max_utility(5.0),
            ACCOUNTS,
            constraints=[weight_bounds(upper=0.4, label="caps")],
            costs=trading_costs(commission_bps=10),
        )
        for key, answer in answers:
            if isinstance(answer, AbsFinanceError):
                found[key] = answer.reason
                continue
            held = ", ".join(f"{symbol} {weight:.1%}" for symbol, weight in answer.weights.items() if weight > 0.001)
            found[key] = f"{held}; turnover {answer.turnover_one_way:.1%}, cost {1e4 * (answer.cost or 0.0):.1f} bps"
    for account in ACCOUNTS:
        print(f"{account.key}: {found[account.key]}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
