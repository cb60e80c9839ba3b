"""The ordinary server, whose thread for small requests hangs at the first of them and does not come back.

python -m tests.e2e.hanging_server {asleep|busy} LATE_SECONDS [flags of the server]

Its log says when it hangs; after LATE_SECONDS, the request goes to a process. `asleep` hangs outside of Python, as a
solver does that waits for ever; `busy` in Python code that ends in no loop.
"""

import sys
import time
from functools import partial
from typing import Any

from server import bootstrap
from server.__main__ import main
from server.execution.small_tasks import SmallTasks
from server.observability import logger
from server.services.optimization import optimize
from server.tasks import libraries

HANGS = "a small task hangs"


def _asleep(request: bytes, **_: Any) -> None:
    logger.warning(HANGS)
    time.sleep(3600.0)


def _busy(request: bytes, **_: Any) -> None:
    logger.warning(HANGS)
    while True:  # ends with the process
        pass


if __name__ == "__main__":
    libraries.LIBRARIES = ()  # type: ignore[assignment]
    optimize.optimize_if_small = {"asleep": _asleep, "busy": _busy}[sys.argv.pop(1)]  # type: ignore[assignment]
    late = float(sys.argv.pop(1))
    bootstrap.SmallTasks = partial(SmallTasks, late_seconds=late)  # type: ignore[assignment, attr-defined, misc]
    main()
