"""Settings of a Supabase project, from texts."""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

from server.identity_settings import Value, Wrong


def supabase_from(value: Value, wrong: Wrong) -> tuple[str, str]:
    """Address and secret key of the project. Raises what `wrong` raises."""
    return _url(value("supabase_url"), wrong), _key(value("supabase_key"), wrong)


def realtime_from(value: Value, supabase_url: str, wrong: Wrong) -> str:
    """Address of Realtime: the project's unless another one is set; empty for none. Raises what `wrong` raises."""
    text = value("realtime_url")
    if not text:
        return f"{supabase_url}/realtime/v1"
    if text == "off":
        return ""
    if not _is_address(text, ("https", "http", "wss", "ws")):
        wrong("realtime_url", "must be off, or an address such as wss://PROJECT.supabase.co/realtime/v1")
    return text.rstrip("/")


def _url(text: str, wrong: Wrong) -> str:
    if not text:
        wrong("supabase_url", "must be given with --storage supabase: https://PROJECT.supabase.co")
    if not _is_address(text, ("https", "http")):
        wrong("supabase_url", "must be an address such as https://PROJECT.supabase.co")
    return text.rstrip("/")


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether it names a host by one of these schemes, without a user, a query or a fragment."""
    try:
        parts = urlsplit(text)
        named = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return named and not (parts.query or parts.fragment or parts.username)


def _key(text: str, wrong: Wrong) -> str:
    """A key of either kind that may do everything. The others see nothing of what the server stores."""
    rule = "must be the secret key of the project, sb_secret_... or that of service_role"
    if not text:
        wrong("supabase_key", f"must be given with --storage supabase; it {rule}")
    if text.startswith("sb_publishable_"):
        wrong("supabase_key", f"{rule}; this is the publishable one, which is for browsers")
    if not (text.isascii() and text.isprintable()) or " " in text:
        wrong("supabase_key", f"{rule}; this one has a space, the end of a line or another character that no key has")
    if text.startswith("sb_secret_"):
        return text
    role = _role_of(text)
    if role is None:
        wrong("supabase_key", rule)
    if role != "service_role":
        wrong("supabase_key", f"{rule}; this is that of the role {role[:32]!a}")
    return text


def _role_of(token: str) -> str | None:
    """The role that a token claims; whether it is true is for the project to say."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if isinstance(role, str) else None
