"""The address that a server listens on, with or without TLS."""

import errno
import socket

import grpc

from server.settings import Settings, WrongSetting

LISTEN, WEB_LISTEN = "--listen (ABSFIN_LISTEN)", "--web-listen (ABSFIN_WEB_LISTEN)"
METRICS_LISTEN = "--metrics-listen (ABSFIN_METRICS_LISTEN)"

WAITING_CONNECTIONS = 512
"""Of browsers, before the listener takes them."""


def bind(server: grpc.aio.Server, settings: Settings) -> str:
    """Gives a server its address, and returns it with the port. Raises WrongSetting."""
    tls = settings.tls
    require_free(settings.listen)
    try:
        if tls is None:
            port = server.add_insecure_port(settings.listen)
        else:
            authority = tls.client_authority.read_bytes() if tls.client_authority else None
            pairs = [(tls.key.read_bytes(), tls.certificate.read_bytes())]
            credentials = grpc.ssl_server_credentials(pairs, authority, require_client_auth=authority is not None)
            port = server.add_secure_port(settings.listen, credentials)
    except RuntimeError:
        raise WrongSetting(f"--listen (ABSFIN_LISTEN) cannot be bound: is {settings.listen} in use?") from None
    return settings.listen if settings.listen.startswith("unix:") else f"{settings.listen.rpartition(':')[0]}:{port}"


def web_socket(listen: str) -> socket.socket:
    """A socket that listens for browsers. Raises WrongSetting."""
    found = _bound(listen, WEB_LISTEN)
    found.listen(WAITING_CONNECTIONS)
    return found


def require_free(listen: str, setting: str = LISTEN) -> None:
    """Raises WrongSetting where an address cannot be bound; gRPC would write lines of its own about it."""
    if not listen.startswith("unix:"):
        _bound(listen, setting).close()


def _bound(listen: str, setting: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise WrongSetting(f"{setting} cannot be bound: {listen}: {error.strerror}") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
    except OSError as error:
        found.close()
        hint = f"is {listen} in use?" if error.errno == errno.EADDRINUSE else f"{listen}: {error.strerror}"
        raise WrongSetting(f"{setting} cannot be bound: {hint}") from None
    return found
