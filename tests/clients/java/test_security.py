"""The Java client over an encrypted connection, with an own authority, a client certificate and an API key."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.certificates import certificate
from tests.clients.java.conftest import JavaClient, output_of
from tests.conftest import ROOT, RunningServer

pytestmark = pytest.mark.timeout(900)  # the build takes minutes on a busy machine
PROGRAM = Path(__file__).parent / "programs/Secured.java"


def test_encryption_and_keys(
    java_client: JavaClient, start_server: Callable[..., RunningServer], tmp_path: Path
) -> None:
    public, private = certificate(tmp_path, "server")
    own, own_key = certificate(tmp_path, "client")
    tls = ("--tls-cert", public, "--tls-key", private, "--tls-client-ca", own)
    server = start_server("--auth", "keys", "--workers", "1", *tls)
    create = [sys.executable, "-m", "server", "keys", "create", "--role", "admin", "--data-dir", str(server.data_dir)]
    key = subprocess.run(create, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout.strip()
    libraries = str(java_client.folder / "examples/target/lib/*")
    given = (server.address, key, public, own, own_key)
    printed = output_of(["java", "-cp", libraries, str(PROGRAM), *given], tmp_path).splitlines()
    assert printed == [
        "key: BACKTEST_STATE_SUCCEEDED",
        "nobody: AccessException TOKEN_MISSING",
        "unknown authority: TransientException ",
        "no certificate: TransientException ",
        "clear text: TransientException ",
    ]
