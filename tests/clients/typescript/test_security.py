"""The TypeScript client over an encrypted connection, with an own authority, a client certificate and an API key."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.certificates import certificate
from tests.clients.typescript.package_build import run
from tests.conftest import ROOT, RunningServer

pytestmark = pytest.mark.timeout(400)  # installing and building take minutes where the machine is busy
PROGRAMS = Path(__file__).parent / "programs"


def test_encryption_and_keys(built: Path, start_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    public, private = certificate(tmp_path, "server")
    own, own_key = certificate(tmp_path, "client")
    tls = ("--tls-cert", public, "--tls-key", private, "--tls-client-ca", own)
    server = start_server("--auth", "keys", "--workers", "1", *tls)
    create = [sys.executable, "-m", "server", "keys", "create", "--role", "admin", "--data-dir", str(server.data_dir)]
    key = subprocess.run(create, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout.strip()
    program = built / "secured.mjs"  # beside the package that it imports
    shutil.copy(PROGRAMS / "secured.mjs", program)
    given = {"address": server.address, "key": key, "authority": public, "certificate": own, "privateKey": own_key}
    found = json.loads(run("node", str(program), json.dumps(given), cwd=built, seconds=60))
    unavailable = "TransientError "
    assert found == {
        "imported": 2,
        "prices": [["2024-01-02", "2024-01-03"], [3, 4]],
        "nobody": "AccessError TOKEN_MISSING",
        "unknownAuthority": unavailable,
        "noCertificate": unavailable,
        "clearText": unavailable,
    }
