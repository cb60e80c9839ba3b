"""Options of a channel, the same for both clients."""

from importlib import resources
from typing import Any

DEFAULT_TARGET = "127.0.0.1:50051"

# gRPC repeats a call that is safe to repeat where the server has not started yet, is shutting down, or is overloaded.
# A call that changes something carries a request id, so that the server does not do the work twice.
_RETRIED = resources.files("absfinance").joinpath("service_config.json").read_text("utf-8")

OPTIONS: list[tuple[str, Any]] = [
    ("grpc.service_config", _RETRIED),
    ("grpc.keepalive_time_ms", 30_000),
    # Otherwise the pauses between attempts to connect grow to two minutes, and a watch notices a restart that late.
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # The proxy variables of the user must not apply to a server on this machine.
    ("grpc.enable_http_proxy", 0),
]
