"""The ordinary server, with a record of each callback of its event loop that uses much CPU.

python -m tests.e2e.audited_server FILE [flags of the server]

FILE gets a JSON object a line: when the callback began (time.monotonic), the CPU seconds of the event loop's own thread
that it used, how long it took by the clock, and what it was.
"""

import asyncio
import json
import sys
import time
from asyncio.events import Handle
from pathlib import Path
from typing import Any

from server.__main__ import main

RECORDED_SECONDS = 0.02

RECORDED_WALL_SECONDS = 0.1
"""A callback that waits for so long is written down too: for a lock or a disk, or for a processor."""


def _record_callbacks(file: Path) -> None:
    run = Handle._run
    out = file.open("a", buffering=1)

    def measured(self: Handle) -> Any:
        began, used = time.monotonic(), time.thread_time()
        try:
            return run(self)
        finally:
            used = time.thread_time() - used
            wall = time.monotonic() - began
            if used > RECORDED_SECONDS or wall > RECORDED_WALL_SECONDS:
                out.write(json.dumps({"at": began, "seconds": used, "wall": wall, "what": _name(self)}) + "\n")

    Handle._run = measured  # type: ignore[method-assign]


def _name(handle: Any) -> str:
    """The callback; of a task, its coroutines from the outermost in, with the lines at which they wait."""
    callback = handle._callback
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return repr(callback)
    names, coroutine = [], task.get_coro()
    while hasattr(coroutine, "cr_code"):
        frame = coroutine.cr_frame
        names.append(f"{coroutine.__qualname__}:{frame.f_lineno if frame else 'end'}")
        coroutine = coroutine.cr_await
    return " > ".join(names)


if __name__ == "__main__":
    _record_callbacks(Path(sys.argv.pop(1)))
    main()
