"""List the trades that take a portfolio to equal risk contributions, then reallocate a stored one within its bands.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys

from absfin import Client, Holdings, Stored, risk_budget, strategies

HELD = Holdings({"AAPL": 120.0, "JNJ": 40.0, "XOM": 90.0}, cash=2500.0)


def main(address: str) -> None:
    """A plan, and a portfolio that needs no trade."""
    market = Stored(["AAPL", "JNJ", "KO", "XOM"])
    with Client(address) as client:
        target = strategies.spec(risk_budget(), lookback=252)
        plan = client.reallocate(HELD, market, target, commission_bps=5, cash_floor=1000.0)
        for trade in plan.trades:
            verb = "sell" if trade.quantity < 0 else "buy"
            print(
                f"{trade.step}. {verb} {abs(trade.quantity):g} {trade.symbol} at {trade.price:.2f}, "
                f"then {trade.cash_after:.2f} in cash"
            )
        print(f"costs {plan.cost:.2f}, turnover {plan.turnover_one_way:.1%}, {plan.residual_drift:.2%} from the target")
        for symbol, causes in plan.shortfalls.items():
            print(f"{symbol} is traded less than requested: {', '.join(causes)}")
        print(plan.warnings[0].message)

        stored = client.create_portfolio(Holdings(dict(HELD.quantities), HELD.cash).to_proto())
        now = {entry.symbol: entry.weight for entry in plan.proto.summary.weights_before}
        still = client.reallocate(stored.name, market, now, drift_band=0.02)
        print(f"against its own weights: {still.outcome}, {still.message}")
        client.delete_portfolio(stored.name)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
