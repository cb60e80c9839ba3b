"""Gives a method of a client the name, the parameters and the documentation of its query."""

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def as_method(function: F, query: Callable[..., Any]) -> F:
    """The function, described as `optimize` where the query is `OptimizeQuery`."""
    shown: Any = function
    shown.__name__ = re.sub("(?<!^)(?=[A-Z])", "_", query.__name__.removesuffix("Query")).lower()
    shown.__qualname__ = f"Client.{shown.__name__}"
    shown.__doc__ = query.__doc__
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    shown.__signature__ = inspect.Signature([own, *inspect.signature(query).parameters.values()])
    return function
