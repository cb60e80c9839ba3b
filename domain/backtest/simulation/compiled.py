"""Compilation of the simulation's inner functions with numba, kept on disk.

numba decides by a function's own file whether its compiled form on disk is current, and would not notice a change in a
file of a function that it calls. The compiled forms therefore live in a folder that is named after the contents of
every file of this package.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

_HERE = Path(__file__).parent


def _digest() -> str:
    found = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_HERE.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _folder() -> Path:
    """Where compiled functions are kept: beside the code, or in the user's cache where that cannot be written."""
    beside = _HERE / "__pycache__"
    try:
        beside.mkdir(exist_ok=True)
        writable = os.access(beside, os.W_OK)
    except OSError:
        writable = False
    root = beside if writable else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "abs-finance"
    return root / f"simulation-{_digest()}"


FOLDER = _folder()
"""Where the compiled functions of this version of the code are kept."""

setattr(numba.config, "CACHE_DIR", str(FOLDER))  # noqa: B010  # numba does not declare its settings


def compiled(function: F) -> F:
    """Compiles a function at its first call; it runs without the interpreter's lock."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: F) -> F:
    """The same, within its callers: a call takes as long as what a short function does."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))


def as_records(array: NDArray[Any]) -> NDArray[Any]:
    """An array of records for a compiled function; where it runs as Python instead, the fields are made attributes."""
    return array.view(np.recarray) if getattr(numba.config, "DISABLE_JIT") else array  # noqa: B009  # as above
