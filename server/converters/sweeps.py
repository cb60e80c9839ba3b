"""Sweeps on the wire: their trials, what is said about all of them, and pages of trials."""

from collections.abc import Sequence

from absfinance.v1 import backtest_pb2
from absfinance.v1.backtest_service_pb2 import ListSweepTrialsRequest
from absfinance.v1.statistical_validation_pb2 import SuperiorPredictiveAbility
from absfinance.v1.sweep_pb2 import Sweep as SweepProto
from absfinance.v1.sweep_pb2 import SweepTrial
from absfinance.v1.warning_pb2 import Warning as WarningProto
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from domain.risk.figure import Absent, known
from domain.sweep.cross_validation import CrossValidation
from domain.sweep.ranking import Ranking
from domain.sweep.statistics import SweepStatistics
from domain.sweep.trials import TrialOutcome
from domain.sweep.tried import EarlierTrials
from server.commands.sweep import TrialOrder, TrialsPage
from server.converters.backtest_result import outcome_metrics_to_proto
from server.converters.backtests import state_from_proto, state_to_proto
from server.converters.cross_validation import cross_validation_to_proto
from server.converters.status import internal_error, status_from_error
from server.converters.sweep_trials import stored_series
from server.converters.warning import warnings_to_proto
from server.jobs.backtest_run import EncodedBacktest
from server.jobs.sweep_state import NO_TRIAL, TrialDone
from server.ports.jobs import JobRecord, JobState

MOST_TIED = 1000
MOST_WARNINGS = 20
"""Of one trial."""

_ORDERS = {
    ListSweepTrialsRequest.ORDER_UNSPECIFIED: TrialOrder.SWEEP,
    ListSweepTrialsRequest.ORDER_SWEEP: TrialOrder.SWEEP,
    ListSweepTrialsRequest.ORDER_BEST_FIRST: TrialOrder.BEST_FIRST,
}


def succeeded_trial(
    trial: int, label: str, settings: Sequence[SweepTrial.Setting], outcome: TrialOutcome, score: float | None
) -> bytes:
    """A trial with its figures."""
    message = SweepTrial(
        index=trial,
        label=label,
        settings=settings,
        state=backtest_pb2.BACKTEST_STATE_SUCCEEDED,
        score=score,
        metrics=outcome_metrics_to_proto(outcome.performance, outcome.money_weighted_return),
        warnings=warnings_to_proto(tuple(dict.fromkeys(outcome.warnings))[:MOST_WARNINGS]),
    )
    return message.SerializeToString()


def failed_trial(
    trial: int, label: str, settings: Sequence[SweepTrial.Setting], error: Exception
) -> tuple[bytes, str, str]:
    """A trial that failed, with the reason and the text of its error."""
    status = status_from_error(error) or internal_error(f"trial {trial}")
    info = ErrorInfo()
    status.details[0].Unpack(info)
    message = SweepTrial(
        index=trial, label=label, settings=settings, state=backtest_pb2.BACKTEST_STATE_FAILED, error=status
    )
    return message.SerializeToString(), info.reason, status.message


def concluded(
    trials: Sequence[TrialDone],
    ranked: Ranking,
    statistics: SweepStatistics,
    tested: CrossValidation | Absent | None = None,
    earlier: EarlierTrials | None = None,
) -> EncodedBacktest:
    """A sweep that is over as it is stored: what is said about all trials, and the trials in pieces."""
    result = SweepProto(
        trial_count=len(trials),
        finished_count=len(trials),
        failed_count=sum(one.error is not None for one in trials),
        best=None if ranked.best is None else SweepTrial.FromString(trials[ranked.best].trial),
        tied=ranked.tied[:MOST_TIED],
        step_m=[trials[trial].label for trial in statistics.superior],
        compared_count=statistics.trials,
        undefined=statistics.undefined,
        warnings=_warnings(statistics),
    )
    if earlier is not None:
        result.tried_count = earlier.count + len(trials)
    _add_figures(result, statistics)
    if isinstance(tested, CrossValidation):
        result.cross_validation.CopyFrom(cross_validation_to_proto(tested, trials))
    elif tested is not None:
        result.undefined["cross_validation"] = tested.reason
    return EncodedBacktest(result.SerializeToString(), stored_series(trials, ranked), (), None, statistics.sums)


def _add_figures(result: SweepProto, statistics: SweepStatistics) -> None:
    found = statistics.comparison
    if found is None:
        return
    result.observations = found.observations
    result.effective_trial_count = found.effective_trial_count
    if found.ability is not None:
        ability = found.ability
        result.spa.CopyFrom(
            SuperiorPredictiveAbility(lower=ability.lower, consistent=ability.consistent, upper=ability.upper)
        )
    if found.deflated is not None and (value := known(found.deflated.probability)) is not None:
        result.deflated_sharpe = value
    if found.deflated_effective is not None and (value := known(found.deflated_effective.probability)) is not None:
        result.deflated_sharpe_effective = value
    by_all = statistics.by_all
    if by_all is not None and (value := known(by_all.raw.probability)) is not None:
        result.deflated_sharpe_all_sweeps = value
    if by_all is not None and (value := known(by_all.effective.probability)) is not None:
        result.deflated_sharpe_all_sweeps_effective = value
    if found.overfitting is not None:
        result.probability_of_overfitting = found.overfitting.probability


def _warnings(statistics: SweepStatistics) -> list[WarningProto]:
    found = [WarningProto(code="DIFFERENT_BENCHMARKS", message=note) for note in statistics.notes]
    if statistics.left_out:
        text = (
            f"{statistics.left_out} trials are left out of the statistics: their returns do not vary, or are too large"
        )
        found.append(WarningProto(code="TRIALS_LEFT_OUT", message=text))
    if statistics.comparison is not None:
        found += [WarningProto(code=one.code, message=one.message) for one in statistics.comparison.warnings]
    return found


def sweep_to_proto(record: JobRecord) -> SweepProto:
    """A sweep as it stands."""
    response = SweepProto() if record.result is None else SweepProto.FromString(record.result)
    response.name = record.id
    response.state = state_to_proto(record.state)
    response.trial_count = record.inputs.trial_count
    response.request_id = record.sent_request_id
    response.label = record.label
    response.fraction = 1.0 if record.state is JobState.SUCCEEDED else record.tick.fraction if record.tick else 0.0
    if record.result is None:
        _add_standing(response, record)
    if record.error is not None:
        response.error.CopyFrom(Status.FromString(record.error))
    response.create_time.FromDatetime(record.created)
    if record.finished is not None:
        response.finish_time.FromDatetime(record.finished)
    return response


def _add_standing(response: SweepProto, record: JobRecord) -> None:
    """How far a sweep is that has no result."""
    tick = record.tick
    if tick is None:
        return
    response.finished_count = round(tick.fraction * record.inputs.trial_count)
    response.failed_count = tick.day_or_failed_count
    if tick.stage is not None and tick.stage.index != NO_TRIAL:
        response.best.index, response.best.label, response.best.score = (
            tick.stage.index,
            tick.stage.label,
            tick.nav_or_best_score,
        )
        response.best.state = backtest_pb2.BACKTEST_STATE_SUCCEEDED


def page_from_proto(request: ListSweepTrialsRequest, default_size: int) -> TrialsPage:
    """The page that is asked for."""
    size = request.page_size or default_size
    return TrialsPage(size, request.page_token, state_from_proto(request.state), _ORDERS[request.order])
