"""The assets that strategies may hold by date, from their messages."""

from collections.abc import Sequence

from absfinance.v1 import backtest_pb2

from domain.backtest.universe import Universe, UniverseStep
from server.converters.dates import days_from_proto


def universe_from_proto(steps: Sequence[backtest_pb2.UniverseStep]) -> Universe | None:
    """Members by date; None, for all assets, without steps. Raises InvalidInput with the path of the field."""
    if not steps:
        return None
    return Universe(
        tuple(
            UniverseStep(days_from_proto(f"universe[{i}].date", step.date), tuple(step.symbols))
            for i, step in enumerate(steps)
        )
    )
