"""What `python -m server doctor` finds: each check says what is wrong and what to do."""

import json
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from server.diagnosis import Finding, State, diagnose
from server.settings import DATABASE_NAME
from server.storage.embedded.database import Database
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.supabase_stack import RunningStack


def found(folder: Path, *arguments: str) -> dict[str, list[Finding]]:
    """All findings but that of the workers, which takes seconds."""
    by_check: dict[str, list[Finding]] = {}
    for finding in diagnose(["--data-dir", str(folder), "--listen", "127.0.0.1:0", *arguments], {}):
        by_check.setdefault(finding.check, []).append(finding)
        if finding.check == "keys":
            break
    return by_check


def state(findings: list[Finding]) -> tuple[State, str, str]:
    (one,) = findings
    return one.state, one.message, one.action


def test_a_new_folder_has_nothing_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    findings = found(folder)
    assert {one.state for each in findings.values() for one in each} == {State.GOOD, State.SKIPPED}
    assert list(folder.iterdir()) == []  # nothing was made


def test_a_wrong_setting_is_all_there_is_to_say(tmp_path: Path) -> None:
    (only,) = diagnose(["--data-dir", str(tmp_path), "--workers", "0"], {})
    assert (only.check, only.state) == ("settings", State.FAILED)
    assert "--workers (ABSFIN_WORKERS) must be a whole number" in only.message


def test_addresses_and_the_page_for_browsers(tmp_path: Path) -> None:
    (page := tmp_path / "page").mkdir()
    flags = ("--web-listen", "127.0.0.1:0", "--web-pages", str(page), "--metrics-listen", "0")
    free, missing = found(tmp_path / "data", *flags)["browsers"]
    assert (free.state, missing.state) == (State.GOOD, State.FAILED)
    assert "with index.html" in missing.message
    (page / "index.html").write_text("<p>")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        findings = found(tmp_path / "data", *flags, "--web-listen", address, "--metrics-listen", address)
    in_use, whole = findings["browsers"]
    assert (in_use.state, whole.state) == (State.WARNING, State.GOOD)
    assert f"--web-listen (ABSFIN_WEB_LISTEN) cannot be bound: is {address} in use?" in in_use.message
    how, message, _ = state(findings["figures"])
    assert how is State.WARNING
    assert f"--metrics-listen (ABSFIN_METRICS_LISTEN) cannot be bound: is {address} in use?" in message


def test_a_host_that_browsers_may_not_be_served_on_without_keys(tmp_path: Path) -> None:
    (only,) = diagnose(["--data-dir", str(tmp_path), "--web-listen", "0.0.0.0:0"], {})
    assert (only.check, only.state) == ("settings", State.FAILED)
    assert "must be a loopback address" in only.message


@pytest.mark.skipif(not find_spec("ray"), reason="the extra `ray` is not installed")
def test_the_head_of_a_cluster(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as head:
        flags = ("--executor", "ray", "--ray-address", f"127.0.0.1:{head.getsockname()[1]}")
        assert state(found(tmp_path, *flags)["cluster"])[0] is State.GOOD
    how, message, action = state(found(tmp_path, *flags)["cluster"])
    assert how is State.FAILED
    assert "cannot be reached" in message
    assert "ray start" in action


def test_migrations_of_the_embedded_store(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    Database(path).close()
    how, message, _ = state(found(tmp_path)["storage"])
    assert how is State.GOOD
    assert "migrations" in message
    for version, expected, action in ((1, State.WARNING, "make a copy before"), (999, State.FAILED, "start that")):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        how, _, what = state(found(tmp_path)["storage"])
        assert how is expected
        assert action in what
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (version,)  # it was left as it was


def test_a_store_that_is_damaged(tmp_path: Path) -> None:
    Database(tmp_path / DATABASE_NAME).close()
    (tmp_path / DATABASE_NAME).write_bytes(b"no database, " * 1000)
    how, message, action = state(found(tmp_path)["storage"])
    assert how is State.FAILED
    assert "damaged" in message
    assert "docs/storage.md" in action


def test_a_full_disk(tmp_path: Path) -> None:
    first, *_ = found(tmp_path, "--min-free-bytes", "9" * 18)["storage"]
    assert first.state is State.FAILED
    assert "ABSFIN_MIN_FREE_BYTES" in first.action


def certificate(folder: Path, days: float, begins: float = -90.0) -> tuple[str, str]:
    """Files of a certificate that is valid from one day to another, counted from now, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    (crt := folder / "s.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (pem := folder / "s.key").write_bytes(encoded)
    return str(crt), str(pem)


@pytest.mark.parametrize(
    ("days", "expected", "text"),
    [(90, State.GOOD, "is valid to"), (29, State.WARNING, "in 28 days"), (-1, State.FAILED, "expired on")],
)
def test_the_last_day_of_a_certificate(tmp_path: Path, days: float, expected: State, text: str) -> None:
    crt, key = certificate(tmp_path, days)
    how, message, _ = state(found(tmp_path / "data", "--tls-cert", crt, "--tls-key", key)["certificates"])
    assert how is expected
    assert text in message


def test_a_certificate_that_is_not_valid_yet(tmp_path: Path) -> None:
    crt, key = certificate(tmp_path, 90, begins=2)
    how, message, action = state(found(tmp_path / "data", "--tls-cert", crt, "--tls-key", key)["certificates"])
    assert how is State.FAILED
    assert f"{crt} is valid from {datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}" in message
    assert "clock" in action


@contextmanager
def serving(body: bytes, ahead: timedelta = timedelta(0)) -> Iterator[str]:
    """The address of a service that answers everything with the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", format_datetime(datetime.now(UTC) + ahead, usegmt=True))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_keys_of_tokens(tmp_path: Path) -> None:
    for body, text in ((b'{"keys": []}', "has no key for ES256"), (b"<html>", "cannot be fetched")):
        with serving(body) as url:
            how, message, action = state(found(tmp_path, "--auth", "jwt", "--jwks-url", url)["keys"])
        assert how is State.FAILED
        assert text in message
        assert action
    how, message, _ = state(found(tmp_path, "--auth", "jwt", "--jwks-url", "http://127.0.0.1:1")["keys"])
    assert how is State.FAILED
    assert "cannot be fetched" in message


def test_a_secret_signs_tokens_where_the_key_set_has_no_key(tmp_path: Path) -> None:
    with serving(b'{"keys": []}') as url:
        options = ("--auth", "jwt", "--jwks-url", url, "--jwt-secret", "s" * 64)
        how, message, _ = state(found(tmp_path, *options)["keys"])
    assert how is State.WARNING
    assert "only tokens by ABSFIN_JWT_SECRET work" in message


def test_an_admin_key(tmp_path: Path) -> None:
    how, _, action = state(found(tmp_path, "--auth", "keys")["keys"])
    assert how is State.WARNING
    for role, expected in (("reader", State.WARNING), ("admin", State.GOOD)):
        command = [sys.executable, "-m", "server", "keys", "create", "--role", role, "--data-dir", str(tmp_path)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
        assert state(found(tmp_path, "--auth", "keys")["keys"])[0] is expected
    assert action == "python -m server keys create --role admin"


def test_an_address_that_is_taken_may_be_this_server(tmp_path: Path) -> None:
    with serving(b"") as url:
        findings = found(tmp_path, "--listen", url.removeprefix("http://"))["address"]
    how, message, action = state(findings)
    assert how is State.WARNING
    assert "in use" in message
    assert "server.probe" in action


def test_a_project_that_is_away(tmp_path: Path) -> None:
    project = ("--storage", "supabase", "--supabase-url", "http://127.0.0.1:1", "--supabase-key", "sb_secret_hush")
    findings = found(tmp_path, *project)
    how, message, action = state(findings["storage"])
    assert how is State.FAILED
    assert "docs/supabase.md" in action
    assert state(findings["clock"])[0] is State.FAILED
    assert "hush" not in repr(findings)
    assert "hush" not in message


@pytest.mark.parametrize(
    ("ahead", "expected", "text"),
    [(60, State.FAILED, "s behind"), (-60, State.FAILED, "s ahead of"), (0, State.GOOD, "")],
)
def test_a_clock_that_is_wrong(tmp_path: Path, ahead: float, expected: State, text: str) -> None:
    with serving(b"[]", timedelta(seconds=ahead)) as url:
        project = ("--storage", "supabase", "--supabase-url", url, "--supabase-key", "sb_secret_hush")
        how, message, _ = state(found(tmp_path, *project)["clock"])
    assert how is expected
    assert text in message


def test_a_project_that_has_all_it_needs(tmp_path: Path, wheel_stack: "RunningStack") -> None:
    stack = wheel_stack.stack
    project = ("--storage", "supabase", "--supabase-url", stack.url, "--supabase-key", stack.secret_key)
    findings = found(tmp_path, *project)
    assert state(findings["storage"])[0] is State.GOOD
    assert state(findings["clock"])[0] is State.GOOD


def test_the_command_checks_a_worker_and_says_how_it_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "doctor", "--data-dir", str(tmp_path), "--listen", "127.0.0.1:0"]
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["check"] for line in lines][-1] == "workers"
    assert lines[-1]["state"] == "good"
    failed = subprocess.run([*command, "--workers", "x"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1
    assert "-> correct this setting" in failed.stdout
    with subprocess.Popen(
        [*command, "--workers", "x"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as cut:
        assert cut.stdout is not None
        assert cut.stderr is not None
        cut.stdout.close()
        assert cut.stderr.read() == b"", "nobody reads it, and it ends without a traceback"
    assert cut.returncode == 1
    shown = subprocess.run([*command[:4], "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (shown.returncode, "--json" in shown.stdout) == (0, True)
