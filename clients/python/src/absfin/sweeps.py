"""Sweeps: many backtests as one job, the trials and what the best of them is worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from absfinance.v1.backtest_pb2 import BacktestState
from absfinance.v1.sweep_pb2 import Sweep as SweepProto
from absfinance.v1.sweep_pb2 import SweepCrossValidation
from absfinance.v1.sweep_pb2 import SweepTrial as SweepTrialProto

from absfin.choices import plain_name
from absfin.results import ResultWarning, optional_figure, warnings_of


@dataclass(frozen=True, slots=True)
class SweepTrial:
    """One backtest of a sweep. Without a score it failed, `error` says why, or its score is not defined."""

    index: int  # place in the sweep, from 0
    label: str
    settings: Mapping[str, float | str]  # by the path of an axis; strategies by their labels
    state: str  # succeeded or failed
    score: float | None
    error: str
    proto: SweepTrialProto = field(repr=False)

    @classmethod
    def from_proto(cls, message: SweepTrialProto) -> "SweepTrial":
        """From the message."""
        return cls(
            index=message.index,
            label=message.label,
            settings={one.path: getattr(one, one.WhichOneof("value") or "number") for one in message.settings},
            state=plain_name(BacktestState, message.state),
            score=optional_figure(message, "score"),
            error=message.error.message,
            proto=message,
        )


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """The best trial of training dates followed on test dates. A figure that is not defined is None."""

    split_count: int
    path_scores: tuple[float, ...]  # of each path through all dates
    path_mean: float | None
    path_standard_deviation: float | None
    in_sample_mean: float  # of the chosen trials
    out_of_sample_mean: float
    degradation_slope: float | None
    probability_of_loss: float
    chosen: Mapping[str, int]  # by label: how many splits chose the trial, the most frequent first, at most 20
    undefined: Mapping[str, str]
    proto: SweepCrossValidation = field(repr=False)

    @classmethod
    def from_proto(cls, message: SweepCrossValidation) -> "CrossValidation":
        """From the message."""
        return cls(
            split_count=message.split_count,
            path_scores=tuple(message.path_scores),
            path_mean=optional_figure(message, "path_mean"),
            path_standard_deviation=optional_figure(message, "path_standard_deviation"),
            in_sample_mean=message.in_sample_mean,
            out_of_sample_mean=message.out_of_sample_mean,
            degradation_slope=optional_figure(message, "degradation_slope"),
            probability_of_loss=message.probability_of_loss,
            chosen={one.label: one.count for one in message.chosen},
            undefined=dict(message.undefined),
            proto=message,
        )


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as it stands. A figure that is not defined is None, and `undefined` says why.

    The figures over all trials are there once it has succeeded.
    """

    name: str
    state: str
    trial_count: int
    finished_count: int
    failed_count: int
    best: SweepTrial | None  # so far
    tied: tuple[int, ...]  # places of other trials whose score equals the best one
    fraction: float
    error: str
    superior: tuple[str, ...]  # labels of the trials that beat the benchmark (Romano and Wolf 2005)
    spa: tuple[float, float, float] | None  # p-values of Hansen 2005: lower, consistent, upper
    deflated_sharpe: float | None
    deflated_sharpe_effective: float | None  # with the effective number of trials
    probability_of_overfitting: float | None
    effective_trial_count: float | None
    tried_count: int | None  # trials of all your sweeps on the same data until this one, its own among them
    deflated_sharpe_all_sweeps: float | None  # with all these trials
    deflated_sharpe_all_sweeps_effective: float | None
    compared_count: int  # trials that these figures are about
    observations: int  # returns of each
    cross_validation: CrossValidation | None  # where it was asked for, and can be done
    undefined: Mapping[str, str]
    warnings: tuple[ResultWarning, ...]
    proto: SweepProto = field(repr=False)

    @classmethod
    def from_proto(cls, message: SweepProto) -> "Sweep":
        """From the response."""
        names = (
            "deflated_sharpe",
            "deflated_sharpe_effective",
            "probability_of_overfitting",
            "effective_trial_count",
            "deflated_sharpe_all_sweeps",
            "deflated_sharpe_all_sweeps_effective",
        )
        figures: dict[str, Any] = {name: optional_figure(message, name) for name in names}
        spa = message.spa
        return cls(
            name=message.name,
            state=plain_name(BacktestState, message.state),
            trial_count=message.trial_count,
            finished_count=message.finished_count,
            failed_count=message.failed_count,
            best=SweepTrial.from_proto(message.best) if message.HasField("best") else None,
            tied=tuple(message.tied),
            fraction=message.fraction,
            error=message.error.message,
            superior=tuple(message.step_m),
            spa=(spa.lower, spa.consistent, spa.upper) if message.HasField("spa") else None,
            tried_count=message.tried_count if message.HasField("tried_count") else None,
            compared_count=message.compared_count,
            observations=message.observations,
            cross_validation=(
                CrossValidation.from_proto(message.cross_validation) if message.HasField("cross_validation") else None
            ),
            undefined=dict(message.undefined),
            warnings=warnings_of(message),
            proto=message,
            **figures,
        )
