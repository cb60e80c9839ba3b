"""Backtesting libraries on the jobs of `simulate`: each takes prices in its own type, and returns its value path.

What a library takes, a frame of prices and one of weights, is made outside the clock.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path as FilePath
from typing import Any

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
    whole_units: bool = False


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


def zipline_path(task: Task) -> Path:
    """TradingAlgorithm with order_target_percent, on prices in memory and a database of assets in memory.

    Its own reader of prices in memory looks for them under a name that it does not have, and frame by frame; the one
    here is an array. Orders are sized in whole shares by the close they were decided at, and filled at the next one.
    """
    from sqlalchemy import create_engine
    from zipline.algorithm import TradingAlgorithm
    from zipline.api import order_target_percent, set_commission, set_slippage
    from zipline.assets import AssetDBWriter, AssetFinder
    from zipline.data.data_portal import DataPortal
    from zipline.data.in_memory_daily_bars import InMemoryDailyBarReader
    from zipline.finance.commission import PerDollar
    from zipline.finance.slippage import FixedSlippage
    from zipline.finance.trading import SimulationParameters
    from zipline.utils.calendar_utils import get_calendar

    first, last, count = task.dates[0], task.dates[-1], len(task.names)
    row = {date: t for t, date in enumerate(task.dates)}
    around = (first - pd.Timedelta(days=30), last + pd.Timedelta(days=5))  # it asks for sessions beside its own
    calendar = get_calendar("XNYS", start=str(around[0].date()), end=str(around[1].date()))
    sids = list(range(count))
    database = create_engine("sqlite://")
    listed = {"symbol": task.names, "start_date": first, "end_date": last, "asset_name": task.names, "exchange": "XNYS"}
    exchange = {"exchange": ["XNYS"], "canonical_name": ["XNYS"], "country_code": ["US"]}
    AssetDBWriter(database).write(equities=pd.DataFrame(listed, sids), exchanges=pd.DataFrame(exchange))
    finder = AssetFinder(database)
    closes = pd.DataFrame(task.prices, task.dates, sids)
    volumes = pd.DataFrame(1e12, task.dates, sids)  # of a date without a volume it fills nothing
    frames = {**dict.fromkeys(("open", "high", "low", "close"), closes), "volume": volumes}
    decided = frozenset(task.dates[task.decisions])
    without_benchmark = pd.Series(0.0, task.dates)

    class Bars(InMemoryDailyBarReader):
        def get_value(self, sid: int, date: pd.Timestamp, field: str) -> float:
            value: float = self._values[field][row[date], sid]
            return value

        def get_last_traded_dt(self, asset: object, date: pd.Timestamp) -> pd.Timestamp:
            return date

    bars = Bars(frames, calendar, pd.Series("USD", sids))
    assets = finder.retrieve_all(sids)

    def initialize(context: object) -> None:
        set_commission(us_equities=PerDollar(cost=COST))
        set_slippage(us_equities=FixedSlippage(spread=0.0))

    def handle_data(context: object, data: Any) -> None:
        if data.current_session in decided:
            for asset in assets:
                order_target_percent(asset, 1.0 / count)

    def run() -> Array:
        algorithm = TradingAlgorithm(
            SimulationParameters(first, last, calendar, CAPITAL),
            DataPortal(finder, calendar, first, equity_daily_reader=bars, last_available_session=last),
            asset_finder=finder,
            trading_calendar=calendar,
            benchmark_returns=without_benchmark,
            initialize=initialize,
            handle_data=handle_data,
        )
        values: Array = algorithm.run()["portfolio_value"].to_numpy()
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
    _Library("zipline-reloaded", zipline_path, Terms(whole_units=True), largest=20, daily=False),
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
