"""What keeps a server from working, or soon will: each check says what it found and what to do about it.

Nothing is changed but what any start does first: a data folder that is not there is made, and closed to other users. No
migration runs, and nothing is stored. A server may run meanwhile.
"""

import asyncio
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

from domain.records import dataclass
from server.binding import LISTEN, METRICS_LISTEN, WEB_LISTEN, require_free
from server.execution.process_pool import ProcessPool
from server.execution.template import Template
from server.ports.errors import StorageUnavailable
from server.security import security_warnings
from server.settings import DATABASE_NAME, Settings, WrongSetting
from server.storage.embedded.inspection import inspect_store
from server.tasks.libraries import FIRST
from server.telemetry_settings import INSTALL, NOT_INSTALLED
from server.web.pages import WrongPages, read_pages

EXPIRES_SOON = timedelta(days=30)
MOST_CLOCK_SECONDS = 5.0
"""Leases are by the database's clock, but times that callers see are by both."""

CLUSTER_SECONDS = 3.0
"""For the head of a cluster to take a connection."""

WORKER_SECONDS = 60.0
"""For a worker to start and do a task: on a busy machine its libraries alone take many seconds."""


class State(StrEnum):
    """How a check ended."""

    GOOD = "good"
    WARNING = "warning"  # the server works, and something should not stay as it is
    FAILED = "failed"  # it does not start, or calls fail
    SKIPPED = "skipped"  # it does not apply to these settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it; `action` is empty where nothing is to be done."""

    check: str
    state: State
    message: str
    action: str = ""


Check = Callable[[Settings], Iterator[Finding]]


def diagnose(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Finding]:
    """Findings of all checks, as they come; without settings there is nothing else to check."""
    try:
        settings = Settings.read(arguments, environment)
    except WrongSetting as error:
        yield Finding(
            "settings", State.FAILED, str(error), "correct this setting; the server says the same at its start"
        )
        return
    yield Finding("settings", State.GOOD, f"can be used; storage is {settings.storage}")
    for name, check in CHECKS.items():
        try:
            yield from (Finding(name, *found) for found in check(settings))
        except Exception as error:  # a check that fails itself must not hide what the others find
            # The text of an unknown error may have a key in it.
            cause = str(error) if isinstance(error, OSError) else type(error).__name__
            yield Finding(name, State.FAILED, f"could not be checked: {cause}")


Found = tuple[State, str, str]


def _security(settings: Settings) -> Iterator[Found]:
    try:
        warnings = list(security_warnings(settings))
    except WrongSetting as error:
        yield State.FAILED, str(error), "name files that belong together"
        return
    for warning in warnings:
        yield State.WARNING, warning, "see SECURITY.md"
    if not warnings:
        known = "+".join(settings.identity.methods) or "nobody is asked who they are, on this machine only"
        yield State.GOOD, f"callers: {known}; {'TLS' if settings.tls else 'no TLS'}", ""


def _certificates(settings: Settings) -> Iterator[Found]:
    files = [
        *((settings.tls.certificate, settings.tls.client_authority) if settings.tls else ()),
        settings.remote_authority,
    ]
    named = [file for file in files if file is not None]
    if not named:
        yield State.SKIPPED, "no certificate is set", ""
    for file in named:
        yield _certificate(file)


def _certificate(file: Path) -> Found:
    from cryptography import x509  # what it loads takes time that others need not spend

    try:
        certificates = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        return State.FAILED, f"{file} is no PEM file of certificates: {error}", "name another file"
    begins = max(one.not_valid_before_utc for one in certificates)
    if begins > datetime.now(UTC):
        action = "wait until then, name another file, or set the clock of this machine"
        return State.FAILED, f"{file} is valid from {begins:%Y-%m-%d %H:%M} UTC: clients refuse it", action
    ends = min(one.not_valid_after_utc for one in certificates)
    left = ends - datetime.now(UTC)
    if left <= timedelta(0):
        return (
            State.FAILED,
            f"{file} expired on {ends:%Y-%m-%d}: clients refuse it",
            "renew it and start the server again",
        )
    if left <= EXPIRES_SOON:
        return State.WARNING, f"{file} expires on {ends:%Y-%m-%d}, in {left.days} days", "renew it before"
    return State.GOOD, f"{file} is valid to {ends:%Y-%m-%d}", ""


def _address(settings: Settings) -> Iterator[Found]:
    yield _free(settings.listen, LISTEN, "python -m server.probe asks it")


def _free(listen: str, setting: str, question: str) -> Found:
    try:
        require_free(listen, setting)
    except WrongSetting as error:
        return State.WARNING, f"{error}", f"nothing, if that is this server: {question}"
    return State.GOOD, f"{listen} is free", ""


def _browsers(settings: Settings) -> Iterator[Found]:
    if settings.web is None:
        yield State.SKIPPED, "browsers are not served", ""
        return
    yield _free(settings.web.listen, WEB_LISTEN, f"a browser shows http://{settings.web.listen}/")
    if settings.web.pages is None:
        return
    try:
        files = read_pages(settings.web.pages)
    except WrongPages as error:
        action = "build the page, and name the folder of what was built"
        yield State.FAILED, f"--web-pages (ABSFIN_WEB_PAGES) {error}", action
    else:
        yield State.GOOD, f"{settings.web.pages} has a page, of {len(files) - 1} files", ""


def _figures(settings: Settings) -> Iterator[Found]:
    telemetry = settings.telemetry
    if telemetry is None:
        yield State.SKIPPED, "nothing is measured", ""
    elif not telemetry.is_installed:
        yield State.WARNING, NOT_INSTALLED, INSTALL
    elif telemetry.metrics_listen:
        yield _free(telemetry.metrics_listen, METRICS_LISTEN, "Prometheus reads it")
    else:
        yield State.GOOD, f"figures and traces are sent to {telemetry.otlp_endpoint}, if it takes them", ""


def _cluster(settings: Settings) -> Iterator[Found]:
    address = settings.ray_address
    if not address:
        yield State.SKIPPED, "work runs on this machine", ""
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CLUSTER_SECONDS).close()
    except OSError as error:
        action = f"start it, or correct ABSFIN_RAY_ADDRESS: ray start --address={address} joins this machine to it"
        yield State.FAILED, f"the head of the cluster cannot be reached at {address}: {error}", action
    else:
        yield State.GOOD, f"the head of the cluster answers at {address}", ""


def _storage(settings: Settings) -> Iterator[Found]:
    yield from _project(settings) if settings.storage == "supabase" else _folder(settings)


def _folder(settings: Settings) -> Iterator[Found]:
    path = settings.data_dir / DATABASE_NAME
    free = shutil.disk_usage(settings.data_dir).free
    if free < settings.min_free_bytes:
        action = "free space, or lower ABSFIN_MIN_FREE_BYTES"
        yield State.FAILED, f"{free:,} bytes are free in {settings.data_dir}: results are refused", action
    if not path.exists():
        yield State.GOOD, f"{settings.data_dir} has no store yet: the server makes it at its first start", ""
        return
    try:
        found = inspect_store(path)
    except StorageUnavailable as error:
        yield State.FAILED, f"{path}: {error}", "see docs/storage.md"
        return
    if found.version > found.latest:
        newer = f"{path} was written by a newer version (migration {found.version}, this one has {found.latest})"
        yield State.FAILED, newer, "start that version, or name another folder with --data-dir"
    elif found.version < found.latest:
        older = f"{path} has {found.version} of {found.latest} migrations"
        yield State.WARNING, older, "start the server, which applies the others; make a copy before: storage backup"
    else:
        yield State.GOOD, f"{path} can be read, with all {found.latest} migrations; {free:,} bytes are free", ""


def _project(settings: Settings) -> Iterator[Found]:
    from server.storage.supabase.access import Access  # likewise
    from server.storage.supabase.rpc import SyncRpc
    from server.storage.supabase.schema import UnknownSchema, require_schema
    from server.storage.supabase.versions import VERSIONS

    rpc = SyncRpc(Access(settings.supabase_url, settings.supabase_key), patience_seconds=1.0)
    try:
        require_schema(rpc)
    except UnknownSchema as error:
        yield State.FAILED, f"{settings.supabase_url}: {error}", "see docs/supabase.md"
    else:
        yield State.GOOD, f"{settings.supabase_url} answers, with all {len(VERSIONS)} migrations", ""
    finally:
        rpc.close()


def _clock(settings: Settings) -> Iterator[Found]:
    if settings.storage != "supabase":
        yield State.SKIPPED, "the embedded store has no clock but this machine's", ""
        return
    from server.storage.supabase.access import Access  # likewise

    access = Access(settings.supabase_url, settings.supabase_key)
    with access.http() as http:
        before = time.time()
        answer = http.get(access.rest_url, headers=access.headers)
        here = (before + time.time()) / 2.0
    if "date" not in answer.headers:
        yield State.SKIPPED, "the project does not say its time", ""
        return
    # The header has whole seconds, and is from their beginning.
    apart = here - (parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5)
    if abs(apart) > MOST_CLOCK_SECONDS:
        ahead = "ahead of" if apart > 0 else "behind"
        message = f"this machine is {abs(apart):.0f} s {ahead} the project: tokens and times will be wrong"
        yield State.FAILED, message, "set the clock, by NTP or chrony"
    else:
        yield State.GOOD, "this machine and the project have the same time, to some seconds", ""


def _workers(settings: Settings) -> Iterator[Found]:
    start = time.monotonic()
    asyncio.run(_one_task())
    yield State.GOOD, f"a worker process starts and works, after {time.monotonic() - start:.1f} s", ""


async def _one_task() -> None:
    template = Template(FIRST)
    pool = ProcessPool(1, template=template)
    try:
        async with asyncio.timeout(WORKER_SECONDS):
            await pool.start()
            await pool.run(partial(_is_here), None)
    finally:
        await pool.close(1.0)
        await template.close()


def _is_here(control: Any) -> bool:
    """The task of the worker: nothing."""
    return True


def _keys(settings: Settings) -> Iterator[Found]:
    methods = settings.identity.methods
    if "jwt" in methods and settings.identity.jwks_url:
        yield _token_keys(settings.identity.jwks_url, has_secret=bool(settings.identity.secret))
    elif "jwt" in methods:
        yield State.GOOD, "tokens are signed with the secret of ABSFIN_JWT_SECRET", ""
    if "keys" in methods:
        yield _admin_key(settings)
    if not {"jwt", "keys"} & set(methods):
        yield State.SKIPPED, "neither tokens nor keys are asked for", ""


def _token_keys(url: str, *, has_secret: bool) -> Found:
    from server.identity.key_set import download, keys_of  # likewise

    try:
        keys = keys_of(download(url))
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        return State.FAILED, f"the keys of tokens cannot be fetched from {url}: {error}", "correct ABSFIN_JWKS_URL"
    if not keys:
        action = "have the issuer sign with ES256 or RS256"
        if has_secret:
            return State.WARNING, f"{url} has no key for ES256 or RS256: only tokens by ABSFIN_JWT_SECRET work", action
        action += ", or set ABSFIN_JWT_SECRET for HS256"
        return State.FAILED, f"{url} has no key for ES256 or RS256: every token is refused", action
    return State.GOOD, f"{url} has {len(keys)} keys that sign tokens", ""


def _admin_key(settings: Settings) -> Found:
    path = settings.data_dir / DATABASE_NAME
    if settings.storage != "embedded":
        return State.SKIPPED, "API keys of a project are not looked at", ""
    if path.exists() and (count := inspect_store(path).admin_keys):
        return State.GOOD, f"{count} API keys of the role admin work", ""
    return State.WARNING, "no API key of the role admin works", "python -m server keys create --role admin"


CHECKS: Mapping[str, Callable[[Settings], Iterator[Found]]] = {
    "security": _security,
    "certificates": _certificates,
    "address": _address,
    "browsers": _browsers,
    "figures": _figures,
    "cluster": _cluster,
    "storage": _storage,
    "clock": _clock,
    "keys": _keys,
    "workers": _workers,
}
