"""Where the lines of a benchmark go: standard output, on which nothing else is printed."""

import json
import math
import os
import sys
from collections.abc import Mapping
from typing import TextIO


def result_lines() -> TextIO:
    """Standard output for results alone: what libraries print from now on, in C as well, goes to standard error."""
    sys.stdout.flush()
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return lines


def as_json(line: Mapping[str, object]) -> str:
    """One JSON object; a number that is not finite has no JSON and becomes null."""
    return json.dumps({key: _finite(value) for key, value in line.items()}, allow_nan=False)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
