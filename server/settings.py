"""Settings of the server, by flag or environment; a flag wins. A wrong one stops the start with one clear line."""

import argparse
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import NoReturn

from domain.records import dataclass
from server.audit_settings import audit_from
from server.identity_settings import identity_from, is_loopback
from server.limit_settings import OPTIONS as LIMIT_OPTIONS
from server.limit_settings import LimitSettings, limits_from
from server.ports.audit import AuditRetention
from server.ports.identity import IdentitySettings
from server.remote_settings import liquidity_target_from, ray_address_from, targets_from
from server.supabase_settings import realtime_from, supabase_from
from server.telemetry_settings import TelemetrySettings, telemetry_from
from server.web_settings import WebSettings, web_from
from server.webhook_settings import WebhookSettings, webhook_from

DATABASE_NAME = "absfinance.sqlite3"

LEAST_STORAGE_BYTES = 10_000_000
"""A limit below this would leave no room for a single import."""

MOST_SECONDS = 31_536_000.0
"""A year."""


class WrongSetting(Exception):
    """A setting that cannot be used; the text is one line for the person who set it."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of the server's certificate and key, and of the authority that clients must be signed by, if any."""

    certificate: Path
    key: Path
    client_authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a server, from its arguments and its environment."""

    listen: str
    data_dir: Path
    workers: int
    log_level: str
    drain_seconds: float
    max_concurrent_requests: int
    max_request_seconds: float
    stream_idle_seconds: float
    retained_events: int
    max_storage_bytes: int = 0
    min_free_bytes: int = 0
    retention_days: float = 0.0
    audit: AuditRetention = field(default_factory=AuditRetention)
    max_queued_jobs: int = 1000
    max_running_jobs: int = 0
    short_job_seconds: float = 60.0
    job_slice_seconds: float = 30.0
    max_job_seconds: float = 0.0
    storage: str = "embedded"
    ray_address: str = ""  # of the head of a Ray cluster that runs long work; empty: worker processes run it
    strategy_targets: tuple[str, ...] = ()  # addresses of services that remote strategies may name
    liquidity_target: str = ""  # address of another LiquidityService; empty: liquidity is by stored volume
    max_remote_seconds: float = 10.0
    remote_authority: Path | None = None  # signs the services outside; None: they are called in clear text
    tls: Tls | None = None
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    events: bool = True  # changes are followed, and mandates recomputed, by this server too
    supabase_url: str = ""
    supabase_key: str = field(default="", repr=False)
    realtime_url: str = ""  # of the service that announces changes; empty: they are looked for
    webhook: WebhookSettings | None = None  # None: notifications are not posted anywhere
    web: WebSettings | None = None  # None: browsers are not served
    max_connection_age_seconds: float = 0.0  # 0: any age
    telemetry: TelemetrySettings | None = None  # None: nothing is measured
    limits: LimitSettings = field(default_factory=LimitSettings)

    @classmethod
    def read(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> "Settings":
        """The settings of a command line and an environment. Raises WrongSetting; --help prints and exits."""
        given = _parser().parse_args(arguments)

        def value(name: str) -> str:
            option = _OPTIONS[name]
            flag: str | None = getattr(given, name)
            if flag is None and option.variable in environment and not environment[option.variable]:
                _require_not_empty(name)
            return flag if flag is not None else environment.get(option.variable, "") or option.default(environment)

        storage = _one_of("storage", value("storage"), ("embedded", "supabase"))
        for name in ("supabase_url", "supabase_key", "realtime_url"):
            if storage != "supabase" and getattr(given, name) is not None:
                _wrong(name, f"cannot be used with --storage {storage}")
        supabase_url, supabase_key = supabase_from(value, _wrong) if storage == "supabase" else ("", "")
        identity = identity_from(value, _wrong)
        return cls(
            listen=_listen(value("listen"), authenticated=bool(identity.methods)),
            data_dir=_data_dir(value("data_dir")),
            workers=_whole("workers", value("workers"), 1, 1024),
            log_level=_one_of("log_level", value("log_level").lower(), ("debug", "info", "warning", "error")),
            drain_seconds=_number("drain_seconds", value("drain_seconds"), 0.0, 3600.0),
            max_concurrent_requests=_whole("max_concurrent_requests", value("max_concurrent_requests"), 1, 1_000_000),
            max_request_seconds=_number("max_request_seconds", value("max_request_seconds"), 0.1, 86400.0),
            stream_idle_seconds=_number("stream_idle_seconds", value("stream_idle_seconds"), 0.1, 86400.0),
            retained_events=_whole("retained_events", value("retained_events"), 1, 10_000_000),
            max_storage_bytes=_bytes("max_storage_bytes", value("max_storage_bytes"), LEAST_STORAGE_BYTES),
            min_free_bytes=_bytes("min_free_bytes", value("min_free_bytes"), 0),
            retention_days=_number("retention_days", value("retention_days"), 0.0, 36_500.0),
            audit=audit_from(value, _wrong),
            max_queued_jobs=_whole("max_queued_jobs", value("max_queued_jobs"), 1, 1_000_000),
            max_running_jobs=_whole("max_running_jobs", value("max_running_jobs"), 0, 1_000_000),
            short_job_seconds=_number("short_job_seconds", value("short_job_seconds"), 0.0, MOST_SECONDS),
            job_slice_seconds=_number("job_slice_seconds", value("job_slice_seconds"), 1.0, MOST_SECONDS),
            max_job_seconds=_number("max_job_seconds", value("max_job_seconds"), 0.0, MOST_SECONDS),
            storage=storage,
            ray_address=ray_address_from(value, _wrong, is_flag=given.ray_address is not None),
            strategy_targets=targets_from(value, _wrong),
            liquidity_target=liquidity_target_from(value, _wrong),
            max_remote_seconds=_number("max_remote_seconds", value("max_remote_seconds"), 0.1, 3600.0),
            remote_authority=Path(value("remote_ca")) if value("remote_ca") else None,
            tls=_tls(value("tls_cert"), value("tls_key"), value("tls_client_ca")),
            identity=identity,
            events=_one_of("events", value("events").lower(), ("on", "off")) == "on",
            supabase_url=supabase_url,
            supabase_key=supabase_key,
            realtime_url=realtime_from(value, supabase_url, _wrong) if storage == "supabase" else "",
            webhook=webhook_from(
                value,
                _number("webhook_seconds", value("webhook_seconds"), 0.1, 300.0),
                _number("webhook_retry_seconds", value("webhook_retry_seconds"), 0.01, 3600.0),
                _wrong,
            ),
            web=web_from(value, _whole("web_max_calls", value("web_max_calls"), 1, 100_000), identity.methods, _wrong),
            max_connection_age_seconds=_number(
                "max_connection_age_seconds", value("max_connection_age_seconds"), 0.0, MOST_SECONDS
            ),
            telemetry=telemetry_from(value, _wrong, is_flag=given.otlp_endpoint is not None),
            limits=limits_from(value, _number, _whole),
        )


@dataclass(frozen=True, slots=True)
class _Option:
    """A setting: its environment variable, what it means, and its value where nobody sets it."""

    variable: str
    help: str
    fallback: str = ""

    def default(self, environment: Mapping[str, str]) -> str:
        """The value where nobody sets it."""
        if self.variable == "ABSFIN_DATA_DIR":
            home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
            return str(Path(home) / "abs-finance")
        return self.fallback


_OPTIONS: Mapping[str, _Option] = {
    "listen": _Option("ABSFIN_LISTEN", "address to listen on; port 0 takes any free one", "127.0.0.1:50051"),
    "data_dir": _Option(
        "ABSFIN_DATA_DIR",
        "folder of the embedded store, or of files derived from another one (default ~/.local/share/abs-finance)",
    ),
    "storage": _Option("ABSFIN_STORAGE", "embedded: SQLite on this machine; or supabase", "embedded"),
    "auth": _Option(
        "ABSFIN_AUTH",
        "none: no authentication, on loopback only; or jwt, keys, mtls, with commas between several",
        "none",
    ),
    "jwks_url": _Option("ABSFIN_JWKS_URL", "address of the keys (JWKS) that sign tokens with ES256 or RS256"),
    "jwt_issuer": _Option("ABSFIN_JWT_ISSUER", "issuer that every token must name; not looked at if absent"),
    "jwt_audience": _Option("ABSFIN_JWT_AUDIENCE", "audience that every token must name", "authenticated"),
    "jwt_secret": _Option("ABSFIN_JWT_SECRET", "secret of tokens signed with HS256, which are refused without it"),
    "allow_anonymous": _Option("ABSFIN_ALLOW_ANONYMOUS", "true: tokens of anonymous sign-ins are accepted", "false"),
    "certificate_roles": _Option(
        "ABSFIN_CERTIFICATE_ROLES", "roles of clients by the name in their certificate, NAME=ROLE,...; others read"
    ),
    "health_access": _Option("ABSFIN_HEALTH_ACCESS", "open, or closed: health answers known callers only", "open"),
    "reflection_access": _Option("ABSFIN_REFLECTION_ACCESS", "open, or closed: reflection likewise", "open"),
    "executor": _Option(
        "ABSFIN_EXECUTOR", "local: worker processes on this machine; or ray: long work on a cluster", "local"
    ),
    "workers": _Option("ABSFIN_WORKERS", "worker processes", str(os.cpu_count() or 1)),
    "tls_cert": _Option("ABSFIN_TLS_CERT", "PEM file of the server's certificate"),
    "tls_key": _Option("ABSFIN_TLS_KEY", "PEM file of its key"),
    "tls_client_ca": _Option("ABSFIN_TLS_CLIENT_CA", "PEM file of the authority that clients must be signed by"),
    "supabase_url": _Option("SUPABASE_URL", "address of the Supabase project, with --storage supabase"),
    "supabase_key": _Option("SUPABASE_KEY", "its secret key, sb_secret_... or that of service_role"),
    "realtime_url": _Option(
        "ABSFIN_REALTIME_URL",
        "address of Supabase Realtime, which announces changes; the project's if absent; off: they are looked for",
    ),
    "ray_address": _Option("ABSFIN_RAY_ADDRESS", "address host:port of the head of a Ray cluster, with --executor ray"),
    "liquidity_target": _Option(
        "ABSFIN_LIQUIDITY_TARGET",
        "address host:port of another LiquidityService, which reallocations call; by stored volume if absent",
    ),
    "max_remote_seconds": _Option(
        "ABSFIN_MAX_REMOTE_SECONDS", "longest time for a call of another service by a reallocation", "10"
    ),
    "remote_ca": _Option(
        "ABSFIN_REMOTE_CA",
        "PEM file of the authority that services outside are signed by; they are called without encryption if absent",
    ),
    "log_level": _Option("ABSFIN_LOG_LEVEL", "debug, info, warning or error", "info"),
    "drain_seconds": _Option("ABSFIN_DRAIN_SECONDS", "how long calls in flight may take when the server stops", "10"),
    "max_concurrent_requests": _Option("ABSFIN_MAX_CONCURRENT_REQUESTS", "calls served at once", "1000"),
    "max_request_seconds": _Option(
        "ABSFIN_MAX_REQUEST_SECONDS",
        "longest time for one call's work, whatever its own limit; jobs are no calls",
        "3600",
    ),
    "stream_idle_seconds": _Option(
        "ABSFIN_STREAM_IDLE_SECONDS", "how long a client stream may send nothing before it is ended", "60"
    ),
    "retained_events": _Option("ABSFIN_RETAINED_EVENTS", "events kept of each backtest, the oldest go first", "10000"),
    "max_storage_bytes": _Option("ABSFIN_MAX_STORAGE_BYTES", "bytes the store may hold; 0: what the disk holds", "0"),
    "min_free_bytes": _Option("ABSFIN_MIN_FREE_BYTES", "bytes of the disk that new results leave free", str(64 << 20)),
    "retention_days": _Option(
        "ABSFIN_RETENTION_DAYS", "days after which finished backtests and other results are deleted; 0: never", "0"
    ),
    "audit_days": _Option(
        "ABSFIN_AUDIT_DAYS", "days after which events of the audit log are removed, 1 at least; 0: never", "365"
    ),
    "audit_events": _Option(
        "ABSFIN_AUDIT_EVENTS",
        "events of the audit log that are kept, the oldest go first, 1000 at least; 0: any number",
        "1000000",
    ),
    "max_queued_jobs": _Option("ABSFIN_MAX_QUEUED_JOBS", "backtests of one caller that may wait", "1000"),
    "max_running_jobs": _Option("ABSFIN_MAX_RUNNING_JOBS", "backtests of one caller that may run; 0: any number", "0"),
    "short_job_seconds": _Option(
        "ABSFIN_SHORT_JOB_SECONDS", "a backtest that is expected to run for longer makes room for shorter ones", "60"
    ),
    "job_slice_seconds": _Option(
        "ABSFIN_JOB_SLICE_SECONDS", "how long such a one runs before it makes room for others of its kind", "30"
    ),
    "max_job_seconds": _Option("ABSFIN_MAX_JOB_SECONDS", "seconds a backtest may run in all; 0: any time", "0"),
    "strategy_targets": _Option(
        "ABSFIN_STRATEGY_TARGETS",
        "addresses host:port of services that remote strategies may name, with commas between them; none if absent",
    ),
    "events": _Option(
        "ABSFIN_EVENTS", "on: changes are followed and mandates recomputed by this server; off: not by it", "on"
    ),
    "web_listen": _Option(
        "ABSFIN_WEB_LISTEN", "address where browsers are served, by Connect and gRPC-Web; none if absent"
    ),
    "web_origins": _Option(
        "ABSFIN_WEB_ORIGINS", "origins whose pages may call, https://HOST, with commas between them"
    ),
    "web_pages": _Option("ABSFIN_WEB_PAGES", "folder of the built page that browsers are served at /; none if absent"),
    "web_max_calls": _Option(
        "ABSFIN_WEB_MAX_CALLS", "calls of browsers served at once, and as many streams beside them", "500"
    ),
    "max_connection_age_seconds": _Option(
        "ABSFIN_MAX_CONNECTION_AGE_SECONDS",
        "age at which a connection takes no new calls, so that clients spread over servers that were added; 0: any",
        "0",
    ),
    "metrics_listen": _Option(
        "ABSFIN_METRICS_LISTEN",
        "address, or port of loopback, where Prometheus reads figures at /metrics; none if absent",
    ),
    "otlp_endpoint": _Option(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "collector that figures are sent to by OTLP over HTTP; none if absent"
    ),
    "webhook_url": _Option("ABSFIN_WEBHOOK_URL", "address that notifications are posted to; nowhere if absent"),
    "webhook_secret": _Option("ABSFIN_WEBHOOK_SECRET", "secret that signs what is posted, 32 bytes at least"),
    "webhook_allow": _Option(
        "ABSFIN_WEBHOOK_ALLOW",
        "hosts that may be called, and networks that may though they are private, with commas between them; the host "
        "of the address, where it is public, if absent",
    ),
    "webhook_seconds": _Option("ABSFIN_WEBHOOK_SECONDS", "longest time for one attempt to post a notification", "10"),
    "webhook_retry_seconds": _Option(
        "ABSFIN_WEBHOOK_RETRY_SECONDS",
        "seconds to the second attempt; to each later one it is three times as long as to the one before",
        "15",
    ),
    **{name: _Option(*option) for name, option in LIMIT_OPTIONS.items()},
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description="The abs-finance server: portfolio optimisation and risk over gRPC.",
        epilog="Commands, each with --help: doctor (says what is wrong), keys, storage.",
    )
    for name, option in _OPTIONS.items():
        default = f" (default {option.fallback})" if option.fallback else ""
        text = f"{option.help}{default} [{option.variable}]"
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="VALUE", help=text)
    return parser


def _wrong(name: str, rule: str) -> NoReturn:
    raise WrongSetting(f"--{name.replace('_', '-')} ({_OPTIONS[name].variable}) {rule}")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        _wrong(name, f"must be {' or '.join(allowed)}, is {value!r}")
    return value


def _whole(name: str, value: str, least: int, most: int) -> int:
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        _wrong(name, f"must be a whole number from {least} to {most}, is {value!r}")
    return int(value)


def _number(name: str, value: str, least: float, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        _wrong(name, f"must be a number from {least:g} to {most:g}, is {value!r}")
    return number


def _listen(value: str, *, authenticated: bool) -> str:
    if value.startswith("unix:"):
        return value
    host, separator, port = value.rpartition(":")
    if not separator or not host or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        _wrong("listen", f"must be host:port with a port from 0 to 65535, is {value!r}")
    if not authenticated and not is_loopback(host.strip("[]")):
        _wrong("listen", f"must be a loopback address such as 127.0.0.1:{port} while --auth is none, is {value!r}")
    return value


def _bytes(name: str, value: str, least: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19 and (int(value) == 0 or int(value) >= least)):
        _wrong(
            name, f"must be a whole number of bytes of at most 18 digits, 0 or at least {max(least, 1)}, is {value!r}"
        )
    return int(value)


def _require_not_empty(name: str) -> None:
    """Elsewhere an empty variable means the default; data must not go to a folder that nobody named."""
    if name == "data_dir":
        _wrong(name, "must not be empty: name a folder, or leave it out for the default")


def _data_dir(value: str) -> Path:
    if not value:
        _require_not_empty("data_dir")
    try:
        path = Path(value).expanduser()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError, ValueError) as error:
        _wrong("data_dir", f"cannot be made: {value}: {getattr(error, 'strerror', None) or error}")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        _wrong("data_dir", f"cannot be written: {path}")
    _make_private(path)
    return path


def _make_private(path: Path) -> None:
    """Closes a folder of our own to other users; one that holds something else is left as it is and refused."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return
    if any(path.iterdir()) and not (path / DATABASE_NAME).exists():
        _wrong(
            "data_dir",
            f"is open to other users (mode {mode:04o}) and holds other files: {path}; chmod 700 it, or name a folder "
            "of its own",
        )
    try:
        path.chmod(0o700)
    except OSError:
        _wrong("data_dir", f"is open to other users (mode {mode:04o}) and belongs to one of them: {path}; chmod 700 it")


def _tls(certificate: str, key: str, authority: str) -> Tls | None:
    if not certificate and not key and not authority:
        return None
    if not certificate:
        _wrong("tls_cert", "must be given with --tls-key and --tls-client-ca")
    if not key:
        _wrong("tls_key", "must be given with --tls-cert")
    for name, value in (("tls_cert", certificate), ("tls_key", key), ("tls_client_ca", authority)):
        if value and not os.access(value, os.R_OK):
            _wrong(name, f"cannot be read: {value}")
    return Tls(Path(certificate), Path(key), Path(authority) if authority else None)
