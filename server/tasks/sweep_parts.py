"""Tasks of a sweep, which read what they share from a file: some of its trials, and what is said about all of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from domain.sweep.tried import EarlierTrials
from server.execution.control import Control
from server.jobs.backtest_run import EncodedBacktest
from server.jobs.sweep_inputs import Paths, SweepInputs
from server.jobs.sweep_state import TrialDone
from server.storage.scratch import read_value
from server.tasks import sweep


def run_trials(
    inputs: Path,
    sets: Mapping[int, Paths],
    chunk: Sequence[int],
    control: Control,
    report: Callable[[tuple[TrialDone, ...]], None],
) -> None:
    """Runs some trials; `sets` are the files of the data that they have."""
    shared = _shared(inputs)
    jobs = {number: shared.job(number, paths) for number, paths in sets.items()}
    sweep.run_trials(jobs, shared.set_of, shared.request, chunk, control, report)


def conclude(inputs: Path, trials: Path, control: Control, earlier: EarlierTrials | None = None) -> EncodedBacktest:
    """What is said about all trials together, which are in a file."""
    return sweep.conclude(_shared(inputs).request, trials, control, earlier)


@lru_cache(maxsize=2)
def _shared(path: Path) -> SweepInputs:
    """Read once by each process: a file of this name never changes."""
    found: SweepInputs = read_value(path)
    return found
