"""Strategies of a backtest, and when it rebalances: one function for each kind."""

from collections.abc import Iterable, Mapping
from datetime import date

from absfinance.v1 import backtest_pb2 as pb
from absfinance.v1.estimation_pb2 import Estimation
from absfinance.v1.objective_pb2 import EqualWeight
from absfinance.v1.optimization_pb2 import OptimizeSpec
from absfinance.v1.panel_pb2 import MissingDataPolicy
from absfinance.v1.risk_measure_pb2 import RiskMeasure

from absfin.choices import BeforeSelection, Measure, MissingData, SelectionScore, choice
from absfin.constraints import Constraint
from absfin.costs import Costs
from absfin.data import date_to_proto, groups_to_proto, weights_to_proto
from absfin.objectives import Objective
from absfin.rebalancing import DriftBand, Rebalancing, calendar, dates_of, drift_band, every_periods, never, rebalancing
from absfin.solver import SolverOptions

__all__ = [
    "Benchmark",
    "DriftBand",
    "Rebalancing",
    "Strategy",
    "benchmark",
    "blend",
    "calendar",
    "cppi",
    "drift_band",
    "equal_weight",
    "every_periods",
    "fixed_weights",
    "inverse_volatility",
    "momentum",
    "never",
    "optimize",
    "rebalancing",
    "remote",
    "schedule",
    "select",
    "spec",
    "volatility_target",
]

Strategy = pb.Strategy
Benchmark = pb.Benchmark


def equal_weight(*, label: str = "") -> Strategy:
    """The same weight for each asset."""
    return Strategy(label=label, equal_weight=EqualWeight())


def fixed_weights(weights: Mapping[str, float], *, label: str = "") -> Strategy:
    """The same target weights at every rebalance; the rest of net asset value is cash."""
    return Strategy(label=label, fixed_weights=pb.FixedWeights(weights=weights_to_proto(weights)))


def schedule(entries: Mapping[date, Mapping[str, float]], *, label: str = "") -> Strategy:
    """Target weights by date; each holds until the next."""
    listed = [
        pb.WeightSchedule.Entry(date=date_to_proto(day), weights=weights_to_proto(weights))
        for day, weights in sorted(entries.items())
    ]
    return Strategy(label=label, schedule=pb.WeightSchedule(entries=listed))


def inverse_volatility(lookback: int | None = None, *, label: str = "") -> Strategy:
    """Weights proportional to 1 / volatility over the last `lookback` periods, all past periods if it is None."""
    return Strategy(label=label, inverse_volatility=pb.InverseVolatilityStrategy(lookback_periods=lookback))


def optimize(
    objective: Objective,
    lookback: int | None = None,
    *,
    constraints: Iterable[Constraint] = (),
    risk_measure: Measure = "variance",
    confidence_level: float | None = None,
    estimation: Estimation | None = None,
    missing_data: MissingData = "fail",
    costs: Costs | None = None,
    solver: SolverOptions | None = None,
    groups: Mapping[str, Iterable[str]] | None = None,
    label: str = "",
) -> Strategy:
    """An optimisation over the last `lookback` periods, or over all past periods if it is None."""
    problem = spec(
        objective,
        lookback,
        constraints,
        risk_measure,
        confidence_level,
        estimation=estimation,
        missing_data=missing_data,
        costs=costs,
        solver=solver,
        groups=groups,
    )
    return Strategy(label=label, optimize=problem)


def spec(
    objective: Objective,
    lookback: int | None = None,
    constraints: Iterable[Constraint] = (),
    risk_measure: Measure = "variance",
    confidence_level: float | None = None,
    *,
    estimation: Estimation | None = None,
    missing_data: MissingData = "fail",
    costs: Costs | None = None,
    solver: SolverOptions | None = None,
    groups: Mapping[str, Iterable[str]] | None = None,
) -> OptimizeSpec:
    """An optimisation without data: of a strategy, or of the target of a reallocation.

    A strategy plans with its `costs`; empty ones, `Costs()`, mean those that the backtest pays.
    """
    return OptimizeSpec(
        objective=objective,
        risk_measure=choice(RiskMeasure, "risk_measure", risk_measure),
        confidence_level=confidence_level,
        constraints=constraints,
        lookback_periods=lookback,
        estimation=estimation,
        missing_data=choice(MissingDataPolicy, "missing_data", missing_data),
        costs=costs,
        solver=solver,
        groups=groups_to_proto(groups or {}),
    )


def benchmark(compared: str | Strategy, *, label: str = "") -> Benchmark:
    """A strategy, or a symbol of the data or of stored prices, to compare with."""
    if isinstance(compared, str):
        return Benchmark(label=label, symbol=compared)
    return Benchmark(label=label, strategy=compared)


def momentum(lookback: int, top_n: int, *, skip: int = 0, label: str = "") -> Strategy:
    """Equal weights of the `top_n` assets with the highest return over `lookback` periods, without the last `skip`."""
    kind = pb.MomentumStrategy(lookback_periods=lookback, skip_periods=skip, top_n=top_n)
    return Strategy(label=label, momentum=kind)


def volatility_target(
    base: Strategy, target_annual: float, lookback: int, *, max_leverage: float | None = None, label: str = ""
) -> Strategy:
    """The weights of `base` times target / realised volatility, at most `max_leverage`, 1 if None; the rest is cash."""
    kind = pb.VolatilityTargetStrategy(
        base=base, target_annual=target_annual, lookback_periods=lookback, max_leverage=max_leverage
    )
    return Strategy(label=label, volatility_target=kind)


def cppi(base: Strategy, floor: float, multiplier: float, *, label: str = "") -> Strategy:
    """Constant proportion portfolio insurance: multiplier x (net asset value - floor) is in `base`, the rest is cash.

    The floor is a fraction of the initial net asset value. Source: Black and Jones 1987.
    """
    return Strategy(label=label, cppi=pb.CppiStrategy(base=base, floor=floor, multiplier=multiplier))


def blend(
    parts: Iterable[tuple[Strategy, float] | tuple[Strategy, float, Rebalancing]],
    *,
    rebalancing: Rebalancing | None = None,
    label: str = "",
) -> Strategy:
    """The sum of the weights of several strategies, each times its own weight; 1 - the sum of these is cash.

    All decide on the dates of the backtest. A part with dates of its own, from `calendar`, `every_periods` or `never`,
    decides on those; the weights of the parts drift with their values, and the `rebalancing` of the blend brings them
    back.
    """
    listed = [
        pb.BlendStrategy.Part(strategy=strategy, weight=weight, rebalancing=dates_of(*dates))
        for strategy, weight, *dates in parts
    ]
    return Strategy(label=label, blend=pb.BlendStrategy(parts=listed, rebalancing=dates_of(rebalancing)))


def select(
    candidates: Iterable[Strategy],
    lookback: int,
    *,
    score: SelectionScore = "sharpe",
    purge: int = 0,
    reselect_every: int | None = None,
    before: BeforeSelection = "first_candidate",
    label: str = "",
) -> Strategy:
    """Nested selection: of the candidates the one that was best over the past `lookback` periods, net of costs.

    The window ends `purge` periods before a decision. Every `reselect_every` decisions, 1 if None, there is a new
    choice; `before` says what is held until the window is full. Candidates need labels that differ.
    """
    kind = pb.SelectStrategy(
        candidates=candidates,
        lookback_periods=lookback,
        score=choice(pb.SelectStrategy.Score, "score", score),
        purge_periods=purge,
        reselect_every=reselect_every,
        before=choice(pb.SelectStrategy.Before, "before", before),
    )
    return Strategy(label=label, select=kind)


def remote(target: str, *, timeout_seconds: float | None = None, label: str = "") -> Strategy:
    """Decisions of a service of your own that implements StrategyService at `target`, "host:port".

    The server calls it at each decision, with the past alone; its settings say which addresses are allowed. A decision
    may take `timeout_seconds`, 10 s if None.
    """
    kind = pb.RemoteStrategy(target=target)
    if timeout_seconds is not None:
        kind.timeout.FromNanoseconds(round(timeout_seconds * 1e9))
    return Strategy(label=label, remote=kind)
