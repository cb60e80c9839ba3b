"""What a price costs a monitor of many portfolios and a server. Run it by scripts/bench events."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import count

import numpy as np
from clock import in_turn
from events_served import served
from output import as_json, result_lines

from domain.monitoring.events import (
    ClosingPrice,
    HistoryLoaded,
    Holdings,
    HoldingsChange,
    InstrumentChanged,
    MandateChange,
    PortfoliosChanged,
    PriceSeries,
    PricesObserved,
    QuotedPrice,
    TimePassed,
)
from domain.monitoring.monitor import observe
from domain.monitoring.rules import (
    AlarmRule,
    Band,
    DriftRules,
    LimitRules,
    MonitoredMandate,
    MonitoringRules,
    RiskLimit,
)
from domain.monitoring.state import MonitorState
from domain.monitoring.timestamps import DAY, SECOND
from domain.portfolio import Portfolio
from domain.risk.measures import RiskMeasure

ASSETS = 50
"""Of each portfolio."""

HOUR = 3600 * SECOND

START = 20_000
"""Date of the first quote, in days since 1970-01-01."""

DATES = 252
"""Past closes of each asset, less one."""


@dataclass(frozen=True)
class Result:
    """Median CPU time of one event."""

    job: str
    ours_ms: float
    portfolios: int  # that the event touches
    assets: int  # of each
    signals: int  # raised or cleared in all timed events
    rounds: int


def symbols_of(portfolio: int, shared: bool) -> list[str]:
    """All portfolios hold the same assets, or each one its own but for the first."""
    own = range(ASSETS) if shared else [0, *(1 + portfolio * ASSETS + i for i in range(ASSETS - 1))]
    return [f"S{i:06d}" for i in own]


def rules() -> MonitoringRules:
    """A band for every asset, a largest weight and a sector, a limit of CVaR, and the default rules beside them."""
    cvar = RiskLimit(RiskMeasure.CONDITIONAL_VALUE_AT_RISK, 0.05)
    return MonitoringRules(
        drift=DriftRules(Band(absolute=0.02), alarm=AlarmRule(cooldown_seconds=0.0)),
        limits=LimitRules(max_weight=0.2, risk=(cvar,)),
    )


def watched(portfolios: int, shared: bool) -> MonitorState:
    """A state with prices, volumes and a year of history."""
    random = np.random.default_rng(7)
    time = START * DAY
    state = MonitorState()
    mandates = rules()
    changes: list[HoldingsChange | MandateChange] = []
    for i in range(portfolios):
        symbols = symbols_of(i, shared)
        target = random.dirichlet(np.full(ASSETS, 50.0))
        units = dict(zip(symbols, (1e6 * target / 100.0).tolist(), strict=True))
        weights = dict(zip(symbols, target.tolist(), strict=True))
        name = f"portfolios/{i:05d}"
        changes.append(MandateChange(name, 0, MonitoredMandate(weights, rules=mandates)))
        changes.append(HoldingsChange(name, 0, Holdings(Portfolio(units, 1e4), START)))
    state, _ = observe(state, PortfoliosChanged(time, tuple(changes)))
    days = np.arange(START - DATES, START, dtype=np.int32)
    paths = np.exp(np.cumsum(random.normal(0.0, 0.01, (len(state.instruments.slots), DATES)), axis=1))
    series = (
        PriceSeries(symbol, days, 100.0 * path / path[-1])
        for symbol, path in zip(state.instruments.slots, paths, strict=True)
    )
    state, _ = observe(state, HistoryLoaded(time, tuple(series)))
    for symbol in symbols_of(0, shared):
        state, _ = observe(state, InstrumentChanged(time, symbol, 0, average_daily_volume=1e6, spread_bps=5.0))
    return state


class Feed:
    """Prices of one asset that everybody holds, each a second after the last; the state goes on from price to price."""

    def __init__(self, state: MonitorState) -> None:
        self.state, self.signals = state, 0
        self._ticks = count(1)
        self._random = np.random.default_rng(11)

    def tick(self) -> float:
        """One quote of the first asset."""
        time = START * DAY + next(self._ticks) * SECOND
        price = 100.0 * float(np.exp(self._random.normal(0.0, 0.05)))
        return self._observed(PricesObserved(time, (QuotedPrice("S000000", time, price),)))

    def storm(self) -> float:
        """A price that takes every portfolio out of its bands or back, with a signal of each."""
        time = START * DAY + next(self._ticks) * 2 * HOUR
        price = 100.0 if self.state.instruments.values[0] > 200.0 else 400.0
        return self._observed(PricesObserved(time, (QuotedPrice("S000000", time, price),)))

    def closes(self) -> float:
        """The closes of all assets in one event."""
        time = START * DAY + next(self._ticks) * SECOND
        prices = np.exp(self._random.normal(0.0, 0.01, len(self.state.instruments.slots))) * 100.0
        revision = next(self._ticks)
        names = zip(self.state.instruments.slots, prices.tolist(), strict=True)
        return self._observed(
            PricesObserved(time, tuple(ClosingPrice(symbol, START, price, revision) for symbol, price in names))
        )

    def day_end(self) -> float:
        """Everything that is deferred, after a price of every asset."""
        self.closes()
        time = START * DAY + next(self._ticks) * SECOND
        return self._observed(TimePassed(time, closes_day=True))

    def _observed(self, event: PricesObserved | TimePassed) -> float:
        self.state, signals = observe(self.state, event)
        self.signals += len(signals)
        return float(len(signals))


def results(portfolios: int, quick: bool) -> Iterator[Result]:
    """A price that touches all portfolios, of the same assets or each of its own; closes of all; the end of a date."""
    shared = Feed(watched(portfolios, shared=True))
    storm = Feed(shared.state)
    jobs: dict[str, tuple[Feed, Callable[[], float]]] = {
        f"events/tick_{portfolios}_portfolios": (shared, shared.tick),
        f"events/tick_{portfolios}_portfolios_with_signals": (storm, storm.storm),
        f"events/closes_{portfolios}_portfolios": (shared, shared.closes),
        f"events/closes_and_risk_{portfolios}_portfolios": (shared, shared.day_end),
    }
    if not quick:
        few = Feed(watched(portfolios // 10, shared=True))
        jobs[f"events/tick_{portfolios // 10}_portfolios"] = (few, few.tick)
        own = Feed(watched(portfolios, shared=False))
        jobs[f"events/tick_{portfolios}_portfolios_of_{portfolios * (ASSETS - 1) + 1}_assets"] = (own, own.tick)
    for job, (feed, run) in jobs.items():
        feed.signals = 0
        timing = in_turn(job, {"ours": run})["ours"]
        touched = len(feed.state.holders("S000000"))
        yield Result(job, timing.median_ms, touched, ASSETS, feed.signals, timing.rounds)


def main() -> None:
    """Prints a line for each job."""
    parser = argparse.ArgumentParser(prog="scripts/bench events", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--portfolios", type=int, default=1000, help="1000 if absent")
    parser.add_argument("--quick", action="store_true", help="few portfolios, to see that it runs")
    arguments = parser.parse_args()
    lines = result_lines()
    portfolios = 20 if arguments.quick else arguments.portfolios

    def show(line: Mapping[str, object]) -> None:
        print(as_json(line) if arguments.json else "  ".join(f"{k} {v}" for k, v in line.items()), file=lines)

    for result in results(portfolios, arguments.quick):
        show(asdict(result))
    for line in served(portfolios, quick=arguments.quick):
        show(line)


if __name__ == "__main__":
    main()
