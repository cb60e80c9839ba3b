"""The process that workers are forked from, when those who ask for one leave. Real processes throughout."""

import asyncio
from contextlib import suppress

import psutil
import pytest

from server.execution.template import Template
from server.execution.worker_handle import WorkerHandle

pytestmark = pytest.mark.alone


def open_sockets() -> int:
    return len(psutil.Process().net_connections("unix"))


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.02])
async def test_a_caller_that_leaves_leaves_no_socket(seconds: float) -> None:
    """Before the template has started, and while it makes a worker."""
    before = open_sockets()
    template = Template()
    asked = [asyncio.create_task(WorkerHandle.start(template, 0)) for _ in range(3)]
    await asyncio.sleep(seconds)
    for one in asked:
        one.cancel()
    for one in asked:
        with suppress(asyncio.CancelledError):
            await (await one).close(1.0)
    await template.close()
    assert open_sockets() == before
