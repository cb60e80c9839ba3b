"""Settings of what is measured, from texts."""

from dataclasses import replace
from importlib.util import find_spec
from urllib.parse import urlsplit

from domain.records import dataclass
from server.identity_settings import Value, Wrong


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Where figures go: an address that Prometheus reads, a collector of OpenTelemetry, or both."""

    metrics_listen: str = ""  # host:port
    otlp_endpoint: str = ""  # https://HOST:4318, without the path of a signal
    is_installed: bool = True  # what is needed for it


INSTALL = "pip install 'abs-finance[telemetry]'"
NOT_INSTALLED = "nothing is sent to OTEL_EXPORTER_OTLP_ENDPOINT: that needs the extra `telemetry`"


def telemetry_from(value: Value, wrong: Wrong, *, is_flag: bool) -> TelemetrySettings | None:
    """Where figures go; None where nothing is measured. `is_flag` says whether the collector was named to this server.

    Otherwise its variable is one of all programs of the machine: without what it needs, nothing is sent, and that is
    no reason not to start. Raises what `wrong` raises.
    """
    found = TelemetrySettings(_listen(value("metrics_listen"), wrong), _endpoint(value("otlp_endpoint"), wrong))
    if not found.metrics_listen and not found.otlp_endpoint:
        return None
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        if found.metrics_listen or is_flag:
            name = "metrics_listen" if found.metrics_listen else "otlp_endpoint"
            wrong(name, f"needs the extra `telemetry`: {INSTALL}")
        return replace(found, is_installed=False)
    return found


def _listen(text: str, wrong: Wrong) -> str:
    """An address; a port alone is one of loopback."""
    if not text:
        return ""
    host, separator, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535) or (separator and not host):
        wrong("metrics_listen", f"must be host:port or a port of loopback, from 0 to 65535, is {text!r}")
    return f"{host or '127.0.0.1'}:{port}"


def _endpoint(text: str, wrong: Wrong) -> str:
    try:
        parts = urlsplit(text)
        good = not text or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        wrong("otlp_endpoint", f"must be an address such as http://127.0.0.1:4318, is {text!r}")
    return text.rstrip("/")
