"""What a runner of backtests gets in the place of what workers do for a sweep."""

from typing import Any, NoReturn

from server.jobs.sweep_run import SweepTasks


def no_sweeps() -> SweepTasks:
    """Fails where a sweep is run all the same."""
    return SweepTasks(_refuse, _refuse, _refuse, _refuse, _refuse, _refuse)


def _refuse(*arguments: Any, **named: Any) -> NoReturn:
    raise AssertionError("no sweep was expected")
