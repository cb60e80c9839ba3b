"""The trials of a sweep from its request: a grid or a list, in a fixed order, as requests of backtests without data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from absfinance.v1.backtest_service_pb2 import BacktestRequest, SweepRequest
from absfinance.v1.sweep_pb2 import SweepSelection, SweepTrial

from domain.errors import InvalidInput
from domain.records import dataclass
from domain.significance.cross_validation import CombinatorialSplits
from domain.sweep.cross_validation import CrossValidationSettings
from domain.sweep.expansion import Grid, listed_labels
from domain.sweep.ranking import Score
from server.commands.backtest import BacktestCommand
from server.commands.sweep import SweepCommand
from server.converters.backtests import backtest_command_from_proto
from server.converters.identity import identity_of
from server.converters.located import located
from server.converters.message import InvalidRequest, checked_message
from server.converters.sweep_axes import OF_THE_SWEEP, PANELS, BoundAxis, bound_axis
from server.converters.violations import Violation
from server.ports.market_data import PriceSelection

_SCORES = {
    number: Score[name.removeprefix("SCORE_")]
    for name, number in SweepSelection.Score.items()
    if number != SweepSelection.SCORE_UNSPECIFIED
}


@dataclass(frozen=True, slots=True)
class GridTrials:
    """Every combination of the axes of a grid."""

    base: BacktestRequest
    bare: BacktestRequest  # the base without panels
    axes: tuple[BoundAxis, ...]
    grid: Grid
    labels: Sequence[str]

    @classmethod
    def of(cls, sent: SweepRequest.Grid) -> "GridTrials":
        """Checks all axes. Raises InvalidInput with the field's path from the request."""
        axes = []
        for i, axis in enumerate(sent.axes):
            try:
                axes.append(bound_axis(axis))
                _refuse_overwriting(axes)
            except InvalidInput as error:
                raise error.with_path_prefix(f"grid.axes[{i}]") from None
        try:
            grid = Grid(tuple(one.axis for one in axes))
        except InvalidInput as error:
            raise error.with_path_prefix("grid") from None
        labels = listed_labels([grid.label(trial) for trial in range(grid.count)])
        return cls(sent.base, without_panels(sent.base), tuple(axes), grid, labels)

    @property
    def has_one_input(self) -> bool:
        """Whether all trials have the data of the base."""
        return not any(one.varies_stored_data for one in self.axes)

    def request(self, trial: int) -> BacktestRequest:
        """The base with the values of one combination. Raises InvalidInput with the path of the axis."""
        found = BacktestRequest()
        found.CopyFrom(self.bare)
        for i, (axis, place) in enumerate(zip(self.axes, self.grid.places(trial), strict=True)):
            try:
                axis.apply(found, place)
            except InvalidInput as error:
                raise error.with_path_prefix(f"grid.axes[{i}]") from None
        return found

    def settings(self, trial: int) -> Sequence[SweepTrial.Setting]:
        """One for each axis."""
        return [one.settings[place] for one, place in zip(self.axes, self.grid.places(trial), strict=True)]

    def path(self, trial: int) -> str:
        """That of the base."""
        return "grid.base"

    def sent(self, trial: int) -> BacktestRequest:
        """The base."""
        return self.base


def _refuse_overwriting(axes: Sequence[BoundAxis]) -> None:
    """Raises InvalidInput where the last axis sets what an earlier one has set, or the message that it is in."""
    *earlier, last = axes
    for one in earlier:
        if one.steps[: len(last.steps)] == last.steps:
            rule = f"{last.axis.path} would replace what {one.axis.path} sets: put it first, or leave one out"
            raise InvalidInput("path", rule)


@dataclass(frozen=True, slots=True)
class ListedTrials:
    """Backtests one by one."""

    backtests: Sequence[BacktestRequest]
    labels: Sequence[str]

    @classmethod
    def of(cls, sent: SweepRequest.Trials) -> "ListedTrials":
        """Labels are those of the backtests, else of their strategies, else the kinds of these."""
        return cls(sent.backtests, listed_labels([_label_of(one) for one in sent.backtests]))

    has_one_input = False

    def request(self, trial: int) -> BacktestRequest:
        """One of the list."""
        return without_panels(self.backtests[trial])

    def settings(self, trial: int) -> Sequence[SweepTrial.Setting]:
        """None: there are no axes."""
        return ()

    def path(self, trial: int) -> str:
        """Its place in the list."""
        return f"trials.backtests[{trial}]"

    def sent(self, trial: int) -> BacktestRequest:
        """One of the list."""
        return self.backtests[trial]


def trials_of(request: SweepRequest) -> GridTrials | ListedTrials:
    """The trials of a request. Raises InvalidInput with the field's path."""
    if request.WhichOneof("space") == "grid":
        return GridTrials.of(request.grid)
    return ListedTrials.of(request.trials)


def stored_trials(request: bytes) -> GridTrials | ListedTrials:
    """The trials of a stored request."""
    return trials_of(SweepRequest.FromString(request))


def sweep_command_from_proto(request: SweepRequest) -> SweepCommand:
    """How a sweep is kept and what it is compared by. Raises InvalidInput for fields that belong to the sweep."""
    _refuse_fields_of_the_sweep(request)
    _cross_validation(request)
    identity = identity_of(request, "sweep_id", "wait")
    backtests = [identity.bare.grid.base] if identity.bare.HasField("grid") else identity.bare.trials.backtests
    for backtest in backtests:
        for name in PANELS:
            backtest.ClearField(name)
    return SweepCommand(
        request=identity.bare.SerializeToString(deterministic=True),
        content=identity.content,
        body=identity.body,
        id=request.sweep_id or None,
        label=request.label,
        request_id=request.request_id or None,
        wait_seconds=request.wait.ToTimedelta().total_seconds(),
    )


def score_of(request: bytes) -> Score:
    """What the trials of a stored request are compared by."""
    return _SCORES.get(SweepRequest.FromString(request).selection.score, Score.SHARPE)


def cross_validation_of(request: bytes) -> CrossValidationSettings | None:
    """How the choice of a stored request is tested, None where that was not asked for."""
    return _cross_validation(SweepRequest.FromString(request))


def _cross_validation(request: SweepRequest) -> CrossValidationSettings | None:
    """Raises InvalidInput for numbers without splits, and for a purge or an embargo of nothing."""
    selection = request.selection
    if not selection.HasField("cross_validation"):
        for name in ("purge_periods", "embargo_periods"):
            if getattr(selection, name):
                raise InvalidInput(f"selection.{name}", "is about cross-validation: give cross_validation too")
        return None
    try:
        found = selection.cross_validation
        splits = CombinatorialSplits(
            found.groups, found.test_groups, selection.purge_periods, selection.embargo_periods
        )
        return CrossValidationSettings(_SCORES.get(selection.score, Score.SHARPE), splits)
    except InvalidInput as error:
        raise error.with_path_prefix("selection.cross_validation") from None


def trial_command(trials: GridTrials | ListedTrials, trial: int, data: BacktestCommand | None) -> BacktestCommand:
    """The command of a trial, as that of a backtest; `data` is one of another trial with the same data.

    Raises InvalidRequest, InvalidInput, NotSupported, which say what Backtest would say, and name the trial.
    """
    with naming_trial(trials, trial):
        bare = trials.request(trial)
        if len(bare.strategies) > 1:
            raise InvalidInput("strategies", "must be one: a trial is compared by the figures of one strategy")
        complete = BacktestRequest()
        complete.CopyFrom(bare)
        if data is None:
            for name in PANELS:
                if trials.sent(trial).HasField(name):
                    getattr(complete, name).CopyFrom(getattr(trials.sent(trial), name))
        elif bare.WhichOneof("input") is None:
            complete.market_data.symbols.append("A")  # stands for the panel, which was checked with the first trial
        checked_message(complete, 0)
        command = backtest_command_from_proto(complete)
        if data is None or isinstance(data.data, PriceSelection):
            return command
        return replace(command, data=data.data, opens=data.opens)


@contextmanager
def naming_trial(trials: GridTrials | ListedTrials, trial: int) -> Iterator[None]:
    """Puts the place of a trial before the field of each complaint, and its label before the rule."""
    where = f"trial {trial} ({trials.labels[trial]})"
    prefix = trials.path(trial)
    try:
        yield
    except InvalidRequest as error:
        found = (
            Violation(f"{prefix}.{one.field}" if one.field else prefix, f"{where}: {one.rule}", one.rule_id)
            for one in error.violations
        )
        raise InvalidRequest(tuple(found)) from None
    except InvalidInput as error:
        if error.field.startswith("grid.axes["):
            raise InvalidInput(error.field, f"{where}: {error.rule}", error.reason) from None
        seen = located(error, trials.sent(trial))
        field = f"{prefix}.{seen.field}" if seen.field else prefix
        raise InvalidInput(field, f"{where}: {error.rule}", error.reason) from None


def without_panels(request: BacktestRequest) -> BacktestRequest:
    """A copy without the data that it carries; the name of stored data stays."""
    found = BacktestRequest()
    for field, value in request.ListFields():
        if field.name in PANELS:
            continue
        if field.is_repeated:
            getattr(found, field.name).MergeFrom(value)
        elif field.message_type is not None:
            getattr(found, field.name).CopyFrom(value)
        else:
            setattr(found, field.name, value)
    return found


def _refuse_fields_of_the_sweep(request: SweepRequest) -> None:
    is_grid = request.WhichOneof("space") == "grid"
    backtests = [request.grid.base] if is_grid else request.trials.backtests
    for i, backtest in enumerate(backtests):
        for field, _ in backtest.ListFields():
            if field.name in OF_THE_SWEEP and not (field.name == "label" and not is_grid):
                path = "grid.base" if is_grid else f"trials.backtests[{i}]"
                rule = "must be left out: it says how a request is kept, and the sweep has its own"
                raise InvalidInput(f"{path}.{field.name}", rule)


def _label_of(backtest: BacktestRequest) -> str:
    strategy = backtest.strategy if backtest.HasField("strategy") else next(iter(backtest.strategies), None)
    if backtest.label or strategy is None:
        return backtest.label
    return strategy.label or strategy.WhichOneof("kind") or ""
