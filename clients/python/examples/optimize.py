"""Optimise weights from stored prices, bound a sector, and see which constraints are in conflict.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys

from absfin import (
    Client,
    InfeasibleProblem,
    Stored,
    group_bounds,
    max_ratio,
    min_risk,
    return_floor,
    risk_budget,
    weight_bounds,
)

SYMBOLS = ["AAPL", "JNJ", "JPM", "KO", "MSFT", "PFE", "PG", "WMT", "XOM"]


def main(address: str) -> None:
    """Three portfolios and an infeasible problem."""
    data = Stored(SYMBOLS)
    with Client(address) as client:
        problems = {
            "minimum variance": (min_risk(), []),
            "equal risk": (risk_budget(), []),
            "maximum Sharpe, 25 % caps": (max_ratio(0.01), [weight_bounds(upper=0.25, label="caps")]),
        }
        for name, (objective, constraints) in problems.items():
            answer = client.optimize(data, objective, constraints=constraints)
            held = {symbol: weight for symbol, weight in answer.weights.items() if weight > 0.001}
            print(f"{name}: return {answer.expected_return_annual:.2%}, volatility {answer.volatility_annual:.2%}")
            print("  " + ", ".join(f"{symbol} {weight:.1%}" for symbol, weight in held.items()))

        constraints = [
            return_floor(0.25, label="25 % a year"),
            weight_bounds(upper=0.25, label="caps"),
            group_bounds("sector=Health Care", lower=0.1, label="some health care"),
        ]
        try:
            client.optimize(data, min_risk(), constraints=constraints)
        except InfeasibleProblem as error:
            print("not possible together: " + ", ".join(conflict.label for conflict in error.conflicts))
            for conflict in error.conflicts:
                if conflict.smallest_relaxation is not None:
                    print(f"  {conflict.label}: relaxing it alone by {conflict.smallest_relaxation:.4f} is enough")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
