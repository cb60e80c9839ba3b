"""The processes of a local Supabase, what is kept of it on disk, and what its clients need."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import asyncpg
import jwt
import psutil

from scripts.free_port import free_port
from scripts.migrations import FOLDER, apply, migrations_of
from scripts.postgres_cluster import SUPERUSER, Cluster, StackError, find_binaries
from scripts.rest_gateway import Gateway, Upstream

ROLES, PROJECT = (Path(__file__).with_name(f"supabase_{name}.sql") for name in ("roles", "project"))
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


def role_key(role: str, secret: str, issued: int) -> str:
    """A key of the old kind: a token that says its role, for years."""
    claims = {"iss": "supabase-local", "role": role, "iat": issued, "exp": issued + YEARS * 365 * 86_400}
    return jwt.encode(claims, secret, "HS256")


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
        tokens = {
            role: role_key(role, self._kept["jwt_secret"], self._kept["issued"]) for role in ("anon", "service_role")
        }
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
    write_private(path, kept)
    return kept


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def write_private(path: Path, value: object) -> None:
    """Writes JSON to a file that nobody else reads."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file)
