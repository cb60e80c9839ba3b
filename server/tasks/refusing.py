"""Errors of a task, written down as statuses where they happen."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from google.protobuf.message import Message

from domain.errors import InvalidInput
from server.converters.located import located
from server.converters.status import status_from_error
from server.ports.errors import Refused

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


def locating(kind: type[Message]) -> Callable[[Callable[Concatenate[bytes, P], T]], Callable[Concatenate[bytes, P], T]]:
    """For tasks on a request of a kind: what they complain of is named as the request names it."""

    def decorate(task: Callable[Concatenate[bytes, P], T]) -> Callable[Concatenate[bytes, P], T]:
        @wraps(task)
        def run(request: bytes, /, *arguments: P.args, **named: P.kwargs) -> T:
            try:
                return task(request, *arguments, **named)
            except InvalidInput as error:
                raise located(error, kind.FromString(request)) from None

        return run

    return decorate
