"""How connections to services outside are made."""

from typing import Any

import grpc

LARGEST_ANSWER_BYTES = 4 << 20

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", LARGEST_ANSWER_BYTES),
    ("grpc.max_send_message_length", -1),
    # Otherwise the pauses grow to two minutes, and calls go on to fail when a service is there again.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),  # a connection belongs to one channel and ends with it
    ("grpc.enable_http_proxy", 0),  # the address is the one of the settings, whatever the environment says
    ("grpc.service_config_disable_resolution", 1),  # nor does a name server say how calls are repeated
)


def connect(target: str, authority: bytes | None) -> grpc.Channel:
    """A connection that waits for nothing: with TLS where an authority (PEM) signs the service, else in clear text."""
    if authority is None:
        return grpc.insecure_channel(target, OPTIONS)
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(authority), OPTIONS)


def connect_on_event_loop(target: str, authority: bytes | None) -> grpc.aio.Channel:
    """The same for a caller on the event loop."""
    if authority is None:
        return grpc.aio.insecure_channel(target, OPTIONS)
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(authority), OPTIONS)
