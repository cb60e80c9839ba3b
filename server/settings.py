"""Settings of the server, by flag or environment; a flag wins. A wrong one stops the start with one clear line."""

import argparse
import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn


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
    """Everything a server is told before it starts."""

    listen: str
    data_dir: Path
    workers: int
    log_level: str
    drain_seconds: float
    max_concurrent_requests: int
    max_request_seconds: float
    stream_idle_seconds: float
    retained_events: int
    tls: Tls | None = None
    supabase_key: str = field(default="", repr=False)

    @classmethod
    def read(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> "Settings":
        """The settings of a command line and an environment. Raises WrongSetting; --help prints and exits."""
        given = _parser().parse_args(arguments)

        def value(name: str) -> str:
            option = _OPTIONS[name]
            flag: str | None = getattr(given, name)
            return flag if flag is not None else environment.get(option.variable, "") or option.default(environment)

        for name, allowed in _NOT_YET.items():
            _only(name, value(name), allowed)
        for name in ("supabase_url", "supabase_key", "ray_address", "liquidity_target"):
            if getattr(given, name) is not None:
                _wrong(name, "cannot be used yet: storage is embedded, the executor local, liquidity the server's own")
        return cls(
            listen=_listen(value("listen")),
            data_dir=_data_dir(value("data_dir")),
            workers=_whole("workers", value("workers"), 1, 1024),
            log_level=_one_of("log_level", value("log_level").lower(), ("debug", "info", "warning", "error")),
            drain_seconds=_number("drain_seconds", value("drain_seconds"), 0.0, 3600.0),
            max_concurrent_requests=_whole("max_concurrent_requests", value("max_concurrent_requests"), 1, 1_000_000),
            max_request_seconds=_number("max_request_seconds", value("max_request_seconds"), 0.1, 86400.0),
            stream_idle_seconds=_number("stream_idle_seconds", value("stream_idle_seconds"), 0.1, 86400.0),
            retained_events=_whole("retained_events", value("retained_events"), 1, 10_000_000),
            tls=_tls(value("tls_cert"), value("tls_key"), value("tls_client_ca")),
            supabase_key=value("supabase_key"),
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
    "data_dir": _Option("ABSFIN_DATA_DIR", "folder of the embedded store (default ~/.local/share/abs-finance)"),
    "storage": _Option("ABSFIN_STORAGE", "embedded: SQLite on this machine", "embedded"),
    "auth": _Option("ABSFIN_AUTH", "none: no authentication, on loopback only", "none"),
    "executor": _Option("ABSFIN_EXECUTOR", "local: worker processes on this machine", "local"),
    "workers": _Option("ABSFIN_WORKERS", "worker processes", str(os.cpu_count() or 1)),
    "tls_cert": _Option("ABSFIN_TLS_CERT", "PEM file of the server's certificate"),
    "tls_key": _Option("ABSFIN_TLS_KEY", "PEM file of its key"),
    "tls_client_ca": _Option("ABSFIN_TLS_CLIENT_CA", "PEM file of the authority that clients must be signed by"),
    "supabase_url": _Option("SUPABASE_URL", "address of a Supabase project (not yet)"),
    "supabase_key": _Option("SUPABASE_KEY", "its secret key (not yet)"),
    "ray_address": _Option("ABSFIN_RAY_ADDRESS", "address of a Ray cluster (not yet)"),
    "liquidity_target": _Option("ABSFIN_LIQUIDITY_TARGET", "address of another LiquidityService (not yet)"),
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
}

_NOT_YET: Mapping[str, tuple[str, ...]] = {"storage": ("embedded",), "auth": ("none",), "executor": ("local",)}
_LATER = {"supabase", "jwt", "ray"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server", description="The abs-finance server: portfolio optimisation and risk over gRPC."
    )
    for name, option in _OPTIONS.items():
        default = f" (default {option.fallback})" if option.fallback else ""
        text = f"{option.help}{default} [{option.variable}]"
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="VALUE", help=text)
    return parser


def _wrong(name: str, rule: str) -> NoReturn:
    raise WrongSetting(f"--{name.replace('_', '-')} ({_OPTIONS[name].variable}) {rule}")


def _only(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value in _LATER:
        _wrong(name, f"{value} is not available in this version; use {' or '.join(allowed)}")
    _one_of(name, value, allowed)


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


def _listen(value: str) -> str:
    if value.startswith("unix:"):
        return value
    host, separator, port = value.rpartition(":")
    if not separator or not host or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        _wrong("listen", f"must be host:port with a port from 0 to 65535, is {value!r}")
    if not _is_loopback(host.strip("[]")):
        _wrong("listen", f"must be a loopback address such as 127.0.0.1:{port} while --auth is none, is {value!r}")
    return value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _data_dir(value: str) -> Path:
    path = Path(value).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _wrong("data_dir", f"cannot be made: {path}: {error.strerror}")
    if not os.access(path, os.W_OK | os.X_OK):
        _wrong("data_dir", f"cannot be written: {path}")
    return path


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
