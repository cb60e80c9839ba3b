"""Settings of services outside that a server calls, from texts."""

from server.identity_settings import Value, Wrong


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


def _is_address(value: str) -> bool:
    """Whether a text is host:port; a name with a comma or a scheme is no host."""
    host, separator, port = value.rpartition(":")
    is_port = port.isascii() and port.isdigit() and 0 < int(port) <= 65535
    return bool(separator and host and is_port) and not any(sign in host for sign in ", /")
