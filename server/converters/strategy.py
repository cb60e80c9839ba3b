"""Strategies of a backtest, from its request."""

from collections.abc import Callable, Mapping

from absfinance.v1 import backtest_pb2, panel_pb2

from domain.backtest.strategies import (
    BeforeSelection,
    Blend,
    Cppi,
    EqualWeightStrategy,
    FixedWeights,
    Momentum,
    Optimized,
    Part,
    Remote,
    Select,
    SelectionScore,
    Strategy,
    VolatilityTarget,
    WeightSchedule,
    inverse_volatility,
)
from domain.backtest.strategies.protocol import DecisionDates
from domain.backtest.strategies.remote import DEFAULT_TIMEOUT_SECONDS
from domain.checks import fractions_of_one
from domain.errors import InvalidInput
from server.converters.dates import days_from_proto
from server.converters.paths import error_path
from server.converters.rebalancing import rebalancing_dates_from_proto
from server.converters.specification import specification_from_proto
from server.converters.weights import weights_from_proto


def strategy_from_proto(strategy: backtest_pb2.Strategy, *, leveraged: bool = False) -> Strategy:
    """A strategy; `leveraged` says whether weights may sum to more than 1. Raises InvalidInput or NotSupported."""
    kind = strategy.WhichOneof("kind") or ""
    with error_path(kind):
        return _KINDS[kind](strategy, strategy.label or kind, leveraged)


def _equal_weight(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    return EqualWeightStrategy(label)


def _fixed_weights(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    return FixedWeights(weights_from_proto("weights", strategy.fixed_weights.weights), label, leveraged=leveraged)


def _schedule(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    entries = []
    for i, entry in enumerate(strategy.schedule.entries):
        day = days_from_proto(f"entries[{i}].date", entry.date)
        entries.append((day, weights_from_proto(f"entries[{i}].weights", entry.weights)))
    return WeightSchedule(tuple(entries), label, leveraged=leveraged)


def _inverse_volatility(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    given = strategy.inverse_volatility
    return inverse_volatility(given.lookback_periods if given.HasField("lookback_periods") else None, label)


def _optimize(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    spec = strategy.optimize
    lookback = spec.lookback_periods if spec.HasField("lookback_periods") else None
    if spec.missing_data not in (panel_pb2.MISSING_DATA_POLICY_UNSPECIFIED, panel_pb2.MISSING_DATA_POLICY_FAIL):
        raise InvalidInput("missing_data", "must be left out: missing_data of the backtest holds for its strategies")
    asks_for_paid_costs = spec.HasField("costs") and not spec.costs.ListFields()
    return Optimized(specification_from_proto(spec), lookback, label, plans_with_paid_costs=asks_for_paid_costs)


def _momentum(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    given = strategy.momentum
    return Momentum(given.lookback_periods, given.top_n, given.skip_periods, label)


def _volatility_target(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    given = strategy.volatility_target
    most = given.max_leverage if given.HasField("max_leverage") else 1.0
    base = _inner("base", given.base, leveraged)
    return VolatilityTarget(base, given.target_annual, given.lookback_periods, most, label)


def _cppi(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    given = strategy.cppi
    return Cppi(_inner("base", given.base, leveraged), given.floor, given.multiplier, label)


def _blend(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    parts = tuple(
        Part(
            _inner(f"parts[{i}].strategy", part.strategy, leveraged),
            part.weight,
            _own_dates(f"parts[{i}].rebalancing", part),
        )
        for i, part in enumerate(strategy.blend.parts)
    )
    fractions_of_one("parts", (part.weight for part in parts))
    return Blend(parts, label, leveraged=leveraged, rebalancing=_own_dates("rebalancing", strategy.blend))


def _own_dates(
    path: str, message: backtest_pb2.BlendStrategy | backtest_pb2.BlendStrategy.Part
) -> DecisionDates | None:
    """The rule of a blend or of one of its parts, if it has one."""
    return rebalancing_dates_from_proto(path, message.rebalancing) if message.HasField("rebalancing") else None


def _select(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    given = strategy.select
    candidates = tuple(_inner(f"candidates[{i}]", one, leveraged) for i, one in enumerate(given.candidates))
    return Select(
        candidates,
        given.lookback_periods,
        _SCORES.get(given.score, SelectionScore.SHARPE),
        given.purge_periods,
        given.reselect_every if given.HasField("reselect_every") else 1,
        _BEFORE.get(given.before, BeforeSelection.FIRST_CANDIDATE),
        label,
    )


def _remote(strategy: backtest_pb2.Strategy, label: str, leveraged: bool) -> Strategy:
    return Remote(strategy.remote.target, timeout_of(strategy.remote), label, leveraged=leveraged)


def timeout_of(remote: backtest_pb2.RemoteStrategy) -> float:
    """Seconds that one decision may take."""
    seconds: float = remote.timeout.ToNanoseconds() / 1e9
    return seconds if remote.HasField("timeout") else DEFAULT_TIMEOUT_SECONDS


def _inner(path: str, strategy: backtest_pb2.Strategy, leveraged: bool) -> Strategy:
    """A strategy inside another one, at a path from that one on."""
    with error_path(path):
        return strategy_from_proto(strategy, leveraged=leveraged)


_SelectProto = backtest_pb2.SelectStrategy
_SCORES = {_SelectProto.Score.Value(f"SCORE_{one.name}"): one for one in SelectionScore}
_BEFORE = {_SelectProto.Before.Value(f"BEFORE_{one.name}"): one for one in BeforeSelection}

_KINDS: Mapping[str, Callable[[backtest_pb2.Strategy, str, bool], Strategy]] = {
    "equal_weight": _equal_weight,
    "fixed_weights": _fixed_weights,
    "schedule": _schedule,
    "inverse_volatility": _inverse_volatility,
    "optimize": _optimize,
    "momentum": _momentum,
    "volatility_target": _volatility_target,
    "cppi": _cppi,
    "blend": _blend,
    "remote": _remote,
    "select": _select,
}
