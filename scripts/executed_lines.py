"""Which lines of `domain` and `server` run in this process: a trace function that notes each line of a test once."""

import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

Lines = dict[str, int]
"""By path below the root: bit n is set where line n has run."""


class ExecutedLines:
    """The lines that have run since they were taken last."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root}{os.sep}"
        self._ours: dict[str, bool] = {}
        self._seen: dict[int, set[int]] = {}
        self._codes: dict[int, tuple[CodeType, int]] = {}  # with how many lines each has; keeps their ids in use

    def start(self) -> None:
        """Traces this thread and those that it starts."""
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self) -> None:
        """Traces no further call."""
        threading.settrace(None)  # type: ignore[arg-type]  # as its page says
        sys.settrace(None)

    def taken(self) -> Lines:
        """What has run, which is then forgotten."""
        seen, self._seen = self._seen, {}
        found: Lines = {}
        for identity, lines in seen.items():
            path = self._codes[identity][0].co_filename.removeprefix(self._root)
            found[path] = found.get(path, 0) | bits(lines)
        return found

    def _call(self, frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        ours = self._ours.get(code.co_filename)
        if ours is None:
            ours = code.co_filename.startswith((f"{self._root}domain/", f"{self._root}server/"))
            self._ours[code.co_filename] = ours
        if not ours:
            return None
        seen = self._seen.get(id(code))
        if seen is not None and len(seen) >= self._codes[id(code)][1]:
            return None
        if id(code) not in self._codes:
            # The line of `def` is among them, and does not run with the others.
            self._codes[id(code)] = code, len({line for _, _, line in code.co_lines()} - {None, code.co_firstlineno})
        return self._line

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            code = frame.f_code
            seen = self._seen.setdefault(id(code), set())
            if frame.f_lineno not in seen:
                seen.add(frame.f_lineno)
            elif len(seen) >= self._codes[id(code)][1]:
                frame.f_trace_lines = False
        return self._line


def bits(lines: set[int] | list[int] | range) -> int:
    """A number with these bits set."""
    found = 0
    for line in lines:
        found |= 1 << line
    return found


def merged(first: Lines, second: Lines) -> Lines:
    """What has run in either."""
    return {path: first.get(path, 0) | second.get(path, 0) for path in first.keys() | second.keys()}
