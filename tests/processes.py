"""Waiting for a process, with a limit."""

import subprocess
import threading

START_SECONDS = 60.0


def first_line(process: subprocess.Popen[str], seconds: float = START_SECONDS) -> str:
    """What a process prints first. One that prints nothing for so long is killed: the line is then empty."""
    assert process.stdout is not None
    late = threading.Timer(seconds, process.kill)
    late.start()
    try:
        return process.stdout.readline()
    finally:
        late.cancel()
