"""Backtesting libraries on the jobs of `simulate`: each takes prices in its own type, and returns its value path.

What a library takes, a frame of prices and one of weights, is made outside the clock.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path as FilePath

import numpy as np
import pandas as pd
from market import Array
from numpy.typing import NDArray

Path = Callable[[], Array]
"""A job ready to run. It returns the values of the portfolio, (T,), from the initial capital on."""

CAPITAL = 1e6
BPS = 10.0
COST = BPS / 1e4


@dataclass(frozen=True)
class Task:
    """Equal weights of all assets at given dates, the first date among them."""

    days: NDArray[np.int32]  # (T,), since 1970-01-01
    prices: Array  # (T, N)
    decisions: NDArray[np.bool_]  # (T,)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The dates as frames have them."""
        return pd.DatetimeIndex(self.days.astype("datetime64[D]"))

    @property
    def names(self) -> list[str]:
        """Names of the assets."""
        return [f"S{i}" for i in range(self.prices.shape[1])]

    @property
    def frame(self) -> pd.DataFrame:
        """Prices with their dates and names."""
        return pd.DataFrame(self.prices, self.dates, self.names)


@dataclass(frozen=True)
class Terms:
    """What our side of a comparison is simulated by."""

    conventions: str = "EXACT"  # of `domain.backtest.specification.Conventions`
    fill: str = "NEXT_CLOSE"  # of `domain.backtest.specification.Fill`
    at_month_ends: bool = False  # decisions on the last dates of the months, from the first of these on


@dataclass(frozen=True)
class Peer:
    """A library on a job, with the terms that are nearest to its own."""

    name: str  # with its version
    terms: Terms
    run: Path


def vectorbt_path(task: Task) -> Path:
    """Portfolio.from_orders with target percentages, one group, and sales first."""
    import vectorbt

    frame = task.frame
    size = np.full(task.prices.shape, np.nan)
    size[task.decisions] = 1.0 / task.prices.shape[1]

    def run() -> Array:
        portfolio = vectorbt.Portfolio.from_orders(
            frame,
            size=size,
            size_type="targetpercent",
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            fees=COST,
            init_cash=CAPITAL,
        )
        values: Array = portfolio.value().to_numpy()
        return values

    return run


def bt_path(task: Task) -> Path:
    """A Strategy of algos, on fractional positions."""
    import bt

    frame = task.frame
    chosen = bt.algos.RunDaily if task.decisions.all() else bt.algos.RunMonthly

    def run() -> Array:
        algos = [
            chosen(run_on_first_date=True, run_on_last_date=task.decisions[-1]),
            bt.algos.SelectAll(),
            bt.algos.WeighEqually(),
            bt.algos.Rebalance(),
        ]
        test = bt.Backtest(
            bt.Strategy("equal weight", algos),
            frame,
            commissions=lambda quantity, price: abs(quantity) * price * COST,
            integer_positions=False,
            progress_bar=False,
            initial_capital=CAPITAL,
        )
        test.run()
        values: Array = test.strategy.values.to_numpy()[1:]
        return values

    return run


def polars_wide_path(task: Task) -> Path:
    """backtest_wide with the indices of the decisions given; each is filled on the next date."""
    import polars
    import polars_backtest

    dates = {"date": [str(day) for day in task.days.astype("datetime64[D]")]}
    prices = polars.DataFrame(dates | dict(zip(task.names, task.prices.T, strict=True)))
    weights = polars.DataFrame(dates | dict.fromkeys(task.names, 1.0 / len(task.names))).filter(
        polars.Series(task.decisions)
    )
    indices = np.flatnonzero(task.decisions).tolist()

    def run() -> Array:
        found = polars_backtest.backtest_wide(prices, weights, rebalance_indices=indices, fee_ratio=COST, tax_ratio=0.0)
        values: Array = CAPITAL * found["creturn"].to_numpy()
        return values

    return run


def polars_long_path(task: Task) -> Path:
    """The long format, as its documentation begins with: a row for each date and symbol."""
    import polars
    import polars_backtest

    count = task.prices.shape[1]
    frame = polars.DataFrame(
        {
            "date": np.repeat(task.days.astype("datetime64[D]"), count),
            "symbol": np.tile(np.array(task.names), len(task.days)),
            "close": task.prices.ravel(),
            "weight": np.full(task.prices.size, 1.0 / count),
        }
    )
    every = "D" if task.decisions.all() else "M"

    def run() -> Array:
        found = polars_backtest.backtest(
            frame, trade_at_price="close", position="weight", resample=every, fee_ratio=COST, tax_ratio=0.0
        )
        values: Array = CAPITAL * found["creturn"].to_numpy()
        return values

    return run


def cvxportfolio_path(task: Task) -> Path:
    """MarketSimulator with PeriodicRebalance, a cost in proportion and cash without interest."""
    import cvxportfolio

    held = task.frame.pct_change().shift(-1).fillna(0.0)  # from each date to the next; the last date has none
    market = held.assign(cash=0.0)
    target = pd.Series(1.0 / len(task.names), task.names)
    target["cash"] = 0.0
    dates = task.dates[task.decisions]
    nowhere = FilePath(tempfile.gettempdir()) / "absfin-cvxportfolio"  # it stores nothing of data that is given

    def run() -> Array:
        simulator = cvxportfolio.MarketSimulator(
            returns=market,
            cash_key="cash",
            min_history=pd.Timedelta(0),
            costs=[cvxportfolio.TransactionCost(a=COST)],
            round_trades=False,
            base_location=nowhere,
        )
        policy = cvxportfolio.PeriodicRebalance(target, dates)
        values: Array = simulator.backtest(policy, start_time=task.dates[0], initial_value=CAPITAL).v.to_numpy()
        return values

    return run


@dataclass(frozen=True)
class _Library:
    distribution: str
    path: Callable[[Task], Path]
    terms: Terms
    note: str = ""
    largest: int = sys.maxsize  # assets
    daily: bool = True  # whether it has the job of daily decisions


_LIBRARIES = (
    _Library("vectorbt", vectorbt_path, Terms("VECTORBT", "SAME_CLOSE")),
    _Library("bt", bt_path, Terms("BT", "SAME_CLOSE"), largest=20),
    _Library("polars_backtest", polars_long_path, Terms(at_month_ends=True), " (long format)", largest=20),
    _Library("polars_backtest", polars_wide_path, Terms(), " (wide format)", largest=20),
    _Library("cvxportfolio", cvxportfolio_path, Terms(fill="SAME_CLOSE"), largest=20, daily=False),
)


def peers(task: Task) -> list[Peer]:
    """The libraries that are installed and have the job; those that are not installed are named on standard error."""
    found = []
    for library in _LIBRARIES:
        try:
            name = f"{library.distribution} {version(library.distribution)}{library.note}"
        except PackageNotFoundError:
            print(f"# {library.distribution} is not installed and left out", file=sys.stderr)
            continue
        terms = replace(library.terms, at_month_ends=library.terms.at_month_ends and not task.decisions.all())
        if task.prices.shape[1] <= library.largest and (library.daily or not task.decisions.all()):
            found.append(Peer(name, terms, library.path(task)))
    return found
