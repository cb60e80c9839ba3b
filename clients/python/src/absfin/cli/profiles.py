"""Named connections in a file, by default ~/.config/absfin/config.toml."""

import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_CONFIG = Path("~/.config/absfin/config.toml")

OTHERS = stat.S_IRWXG | stat.S_IRWXO

_KINDS = {"target": str, "token": str, "tls": bool, "ca": str}


class WrongProfile(Exception):
    """A profile that cannot be used; the text says what to correct."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A connection by its name; what is absent is as without a profile."""

    name: str = ""
    target: str = ""  # "host:port"
    token: str = ""
    tls: bool | None = None
    ca: Path | None = None  # PEM file


def read_profile(name: str, config: Path) -> Profile:
    """A profile of a file: the table `[profiles.NAME]`. Raises WrongProfile.

    A token in a file that other users of the machine can read is refused. A path is relative to the file.
    """
    path = config.expanduser()
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise WrongProfile(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no TOML, or no text
        raise WrongProfile(f"{path} is no TOML: {error}") from None
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict) or not isinstance(profiles.get(name), dict):
        known = ", ".join(profiles) if isinstance(profiles, dict) else ""
        raise WrongProfile(f"{path} has no table [profiles.{name}]; it has {known or 'no profiles'}")
    values: dict[str, Any] = profiles[name]
    _check(f"profiles.{name}", values)
    if values.get("token") and os.name == "posix" and path.stat().st_mode & OTHERS:
        raise WrongProfile(f"{path} has a token and can be read by other users: chmod 600 {path}")
    ca = values.get("ca")
    return Profile(name, **{**values, "ca": path.parent / Path(ca).expanduser() if ca else None})


def _check(table: str, values: dict[str, Any]) -> None:
    for key, value in values.items():
        if key not in _KINDS:
            raise WrongProfile(f"{table}.{key} is unknown; it can be {', '.join(_KINDS)}")
        if not isinstance(value, _KINDS[key]):
            raise WrongProfile(f"{table}.{key} must be a {'text' if _KINDS[key] is str else 'boolean'}")
