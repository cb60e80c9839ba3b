"""The ordinary server, whose thread for small requests hangs at the first of them and does not come back.

python -m tests.e2e.hanging_server {asleep|busy} [flags of the server]

`asleep` hangs outside of Python, as a solver does that waits for ever; `busy` in Python code that ends in no loop.
"""

import sys
import time
from typing import Any

from server import bootstrap
from server.__main__ import main
from server.services.optimization import optimize


def _asleep(request: bytes, **_: Any) -> None:
    time.sleep(3600.0)


def _busy(request: bytes, **_: Any) -> None:
    while True:  # ends with the process
        pass


if __name__ == "__main__":
    bootstrap.LIBRARIES = ()  # type: ignore[assignment, attr-defined]
    optimize.optimize_if_small = {"asleep": _asleep, "busy": _busy}[sys.argv.pop(1)]  # type: ignore[assignment]
    main()
