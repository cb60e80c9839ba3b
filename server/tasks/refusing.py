"""Errors of a task, written down as statuses where they happen."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from server.converters.status import status_from_error
from server.ports import Refused

P = ParamSpec("P")
T = TypeVar("T")


def refusing(task: Callable[P, T]) -> Callable[P, T]:
    """The task, whose known errors leave it as Refused: building their details is work for a worker too."""

    @wraps(task)
    def run(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return task(*arguments, **named)
        except Exception as error:
            status = status_from_error(error)
            if status is None:
                raise
            raise Refused(status.SerializeToString()) from None

    return run
