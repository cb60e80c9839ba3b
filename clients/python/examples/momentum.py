"""Hold the strongest stocks of a set whose members change by date, and what the same rule earns without that.

Needs a server with the sample data (`absfin serve`, then `scripts/load_sample_data`). Argument: its address.
"""

import sys
from datetime import date

from absfin import Client, Stored, strategies

FIRST = ["JPM", "XOM", "PFE", "KO", "JNJ", "WMT"]
LATER = ["AAPL", "MSFT", "UNH", "HD", "JPM", "XOM"]
SYMBOLS = sorted({*FIRST, *LATER})


def main(address: str) -> None:
    """Three of six stocks by the return of the year before, without its last month; in 2012 four names are replaced."""
    momentum = strategies.momentum(252, 3, skip=21)
    stored = Stored(SYMBOLS, start=date(2003, 1, 2), end=date(2019, 12, 31))
    universe = {date(2004, 1, 2): FIRST, date(2012, 1, 3): LATER}
    with Client(address) as client:
        members = client.backtest(stored, momentum, universe=universe, commission_bps=5, wait_seconds=60)
        everything = client.backtest(stored, momentum, commission_bps=5, wait_seconds=60)
    for name, done in (("members", members), ("all of them", everything)):
        (result,) = done.strategies
        held = ", ".join(sorted(symbol for symbol, units in result.final_holdings.items() if units))
        print(
            f"{name}: {result.metrics['cagr']:.1%} a year, drawdown {result.metrics['max_drawdown']:.1%}, holds {held}"
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
