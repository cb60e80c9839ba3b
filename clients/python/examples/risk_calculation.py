"""The risk of a portfolio, also relative to an index, from stored prices.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys
from datetime import date

from absfin import Client, Stored

WEIGHTS = {"AAPL": 0.3, "JNJ": 0.2, "KO": 0.2, "XOM": 0.3}


def main(address: str) -> None:
    """One report."""
    data = Stored(list(WEIGHTS), start=date(2007, 1, 1), end=date(2016, 12, 31))
    with Client(address) as client:
        report = client.analyze_risk(data, WEIGHTS, benchmark="SP500", confidence_level=0.99)
    print(f"{report.observations} days, annual volatility {report.volatility_annual:.2%}")
    for kind, value in report.value_at_risk.items():
        print(f"VaR 99 % of a day, {kind.replace('_', '-')}: {value:.2%}")
    print(f"CVaR 99 % of a day, historical: {report.conditional_value_at_risk['historical']:.2%}")
    period = report.proto.max_drawdown_period
    print(f"largest drawdown {report.max_drawdown:.2%}, at its depth in {period.trough_date.year}")
    print(f"beta {report.beta_to_benchmark:.3f}, tracking error {report.tracking_error_annual:.2%}")
    for symbol, contribution in report.contributions.items():
        print(f"  {symbol} carries {contribution / report.volatility_annual:.1%} of the risk")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
