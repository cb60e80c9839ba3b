"""The entry of the browser against a server that serves browsers, by each of its protocols."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.typescript.package_build import run
from tests.conftest import RunningServer
from tests.e2e.event_log import signal, written_log

pytestmark = pytest.mark.timeout(400)  # installing and building take minutes where the machine is busy
PROGRAMS = Path(__file__).parent / "programs"


def test_every_protocol_of_the_browser(built: Path, start_server: Callable[..., RunningServer]) -> None:
    server = start_server("--workers", "1", "--web-listen", "127.0.0.1:0")
    with written_log(server.data_dir) as log:
        log.append(signal("A left its band"))
    program = built / "web.mjs"  # beside the package that it imports
    shutil.copy(PROGRAMS / "web.mjs", program)
    found = json.loads(run("node", str(program), json.dumps({"url": server.browsers}), cwd=built, seconds=60))
    expected = {
        "weights": [0.727273, 0.272727],
        "conflict": "caps",
        "nothing": "NOT_FOUND",
        "signals": "A left its band",
    }
    assert found == {"binary": expected, "json": expected, "web": expected}
