"""What libraries warn of is a log line, of the server and of its workers, with the id of the call."""

import asyncio
import json
import logging
import subprocess
import sys
from typing import Any

import numpy as np

from server.execution.process_pool import ProcessPool
from server.observability import configure_logging, logger, request_id
from tests.conftest import ROOT

PROGRAM = "from tests.server.test_observability import main; main()"


def divide(control: Any) -> float:
    """What numpy warns of."""
    return float(np.divide(1.0, 0.0))


async def _in_worker() -> None:
    request_id.set("call-2")
    pool = ProcessPool(1)
    await pool.start()
    try:
        await pool.run(divide, None)
    finally:
        await pool.close(1.0)


def main() -> None:
    configure_logging("info")
    logger.info("first")
    request_id.set("call-1")
    divide(None)
    logging.getLogger("library").warning("of a library")
    logging.getLogger("library").info("which is not asked for")
    asyncio.run(_in_worker())


def test_warnings_are_lines_with_the_id_of_their_call() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    shown = [(line["level"], line.get("logger"), line.get("request_id")) for line in lines]
    assert shown == [
        ("info", None, None),
        ("warning", "py.warnings", "call-1"),
        ("warning", "library", "call-1"),
        ("warning", "py.warnings", "call-2"),
    ]
    assert all("divide by zero" in line["message"] for line in (lines[1], lines[3]))
