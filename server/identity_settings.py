"""Settings of who may call, from texts."""

import ipaddress
from collections.abc import Callable
from typing import NoReturn
from urllib.parse import urlsplit

from server.ports.identity import IdentitySettings, Role

METHODS = ("jwt", "keys", "mtls")
LEAST_SECRET_BYTES = 32
"""RFC 7518, section 3.2: a key of HS256 has 256 bits at least."""

Value = Callable[[str], str]
Wrong = Callable[[str, str], NoReturn]
"""Raises WrongSetting for a setting and the rule that it breaks."""


def identity_from(value: Value, wrong: Wrong) -> IdentitySettings:
    """The settings of who may call. Raises what `wrong` raises."""
    methods = _methods(value("auth"), wrong)
    found = IdentitySettings(
        methods=methods,
        jwks_url=_url(value("jwks_url"), wrong),
        issuer=value("jwt_issuer"),
        audience=value("jwt_audience"),
        secret=_secret(value("jwt_secret"), wrong),
        allow_anonymous=_switch("allow_anonymous", value, wrong, ("false", "true")),
        certificate_roles=_certificate_roles(value("certificate_roles"), wrong),
        open_health=_switch("health_access", value, wrong, ("closed", "open")),
        open_reflection=_switch("reflection_access", value, wrong, ("closed", "open")),
    )
    if "jwt" in methods and not (found.jwks_url or found.secret):
        wrong("jwks_url", "must be given with --auth jwt, or --jwt-secret (ABSFIN_JWT_SECRET) for HS256")
    if "mtls" in methods and not value("tls_client_ca"):
        wrong("tls_client_ca", "must be given with --auth mtls")
    return found


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _methods(value: str, wrong: Wrong) -> tuple[str, ...]:
    if value == "none":
        return ()
    named = tuple(name.strip() for name in value.split(","))
    if len(set(named)) < len(named) or not set(named) <= set(METHODS):
        wrong("auth", f"must be none, or {', '.join(METHODS)} with commas between several, is {value!r}")
    return named


def _url(value: str, wrong: Wrong) -> str:
    try:
        parts = urlsplit(value)
        good = not value or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        wrong("jwks_url", f"must be an address that begins with https:// or http://, is {value!r}")
    return value


def _secret(value: str, wrong: Wrong) -> str:
    if value and len(value.encode()) < LEAST_SECRET_BYTES:
        wrong("jwt_secret", f"must have {LEAST_SECRET_BYTES} bytes at least")
    return value


def _switch(name: str, value: Value, wrong: Wrong, words: tuple[str, str]) -> bool:
    given = value(name).lower()
    if given not in words:
        wrong(name, f"must be {words[0]} or {words[1]}, is {given!r}")
    return given == words[1]


def _certificate_roles(value: str, wrong: Wrong) -> tuple[tuple[str, Role], ...]:
    found: dict[str, Role] = {}
    for entry in filter(None, (part.strip() for part in value.split(","))):
        name, separator, label = entry.rpartition("=")
        role = Role.of(label)
        if not separator or not name or role is None or name in found:
            wrong("certificate_roles", f"must be NAME=ROLE, each name once, with commas between them, is {entry!r}")
        found[name] = role
    return tuple(found.items())
