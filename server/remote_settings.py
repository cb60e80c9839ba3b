"""Settings of services outside that a server calls, from texts."""

import re
from importlib.util import find_spec

from server.identity_settings import Value, Wrong

HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*)|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]")
SCHEMES = frozenset(
    {"dns", "google-c2p", "google-c2p-experimental", "ipv4", "ipv6", "unix", "unix-abstract", "vsock", "xds"}
)
"""Of the targets of gRPC (doc/naming.md of it, and what its core has besides)."""


def targets_from(value: Value, wrong: Wrong) -> tuple[str, ...]:
    """Addresses of services, as requests must name them. Raises what `wrong` raises."""
    targets = tuple(target.strip() for target in value("strategy_targets").split(",") if target.strip())
    for target in targets:
        if not _is_address(target):
            wrong("strategy_targets", f"must be host:port, with commas between several, is {target!r}")
    return targets


def liquidity_target_from(value: Value, wrong: Wrong) -> str:
    """The address of one service, or nothing. Raises what `wrong` raises."""
    target = value("liquidity_target")
    if target and not _is_address(target):
        wrong("liquidity_target", f"must be host:port, is {target!r}")
    return target


def ray_address_from(value: Value, wrong: Wrong, *, is_flag: bool) -> str:
    """The address of the cluster that runs long work; empty where worker processes run it. Raises what `wrong` raises.

    `is_flag` says that it was given on the command line, which a server without a cluster refuses.
    """
    executor, address = value("executor"), value("ray_address")
    if executor not in ("local", "ray"):
        wrong("executor", f"must be local or ray, is {executor!r}")
    if executor == "local":
        if is_flag:
            wrong("ray_address", "cannot be used with --executor local")
        return ""
    if find_spec("ray") is None:
        wrong("executor", "ray needs an extra that is not installed: pip install 'abs-finance[ray]', on every node")
    if not address:
        wrong("ray_address", "must be given with --executor ray: host:port of the head of a cluster")
    if not _is_address(address):
        wrong("ray_address", f"must be host:port of the head of a cluster, is {address!r}")
    if value("strategy_targets"):
        wrong("strategy_targets", "cannot be used with --executor ray: strategies outside are asked by this machine")
    return address


def _is_address(value: str) -> bool:
    """Whether a text is host:port, with the address of IPv6 in brackets.

    A name that gRPC takes for a scheme is no host: `unix:80` would be a file, `ipv4:a:80` another address.
    """
    host, _, port = value.rpartition(":")
    is_port = port.isascii() and port.isdigit() and 0 < int(port) <= 65535
    return is_port and HOST.fullmatch(host) is not None and host.lower() not in SCHEMES
