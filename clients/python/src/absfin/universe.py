"""The assets that a strategy may hold, by date."""

from collections.abc import Iterable, Mapping
from datetime import date

from absfinance.v1.backtest_pb2 import UniverseStep

from absfin.data import date_to_proto


def universe_to_proto(universe: Mapping[date, Iterable[str]]) -> list[UniverseStep]:
    """Steps in order of dates."""
    return [UniverseStep(date=date_to_proto(day), symbols=symbols) for day, symbols in sorted(universe.items())]
