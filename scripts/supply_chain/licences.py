"""Licences of the locked packages, against those that are allowed."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import cast

from scripts.supply_chain.locked import packages

TABLE = Path(__file__).with_name("licences.toml")
CLASSIFIER = "License :: "
NO_LICENCE = ("DFSG approved", "OSI Approved")
"""Classifiers that say something of a licence, and not which."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed, how it is written, and what was read by hand."""

    allowed: Mapping[str, str]
    written: Mapping[str, str]
    read: Mapping[str, str]

    @classmethod
    def load(cls, path: Path = TABLE) -> "Policy":
        """The policy of the repository."""
        return cls(**tomllib.loads(path.read_text()))

    def allows(self, stated: str) -> bool:
        """Whether all that a licence expression names is allowed; of alternatives (OR) one is enough."""
        plain = self.written.get(stated, stated)
        return all(
            any(self._allows_each(way) for way in re.split(r"\s+OR\s+", part.strip("() ")))
            for part in re.split(r"\s+AND\s+", plain)
        )

    def _allows_each(self, expression: str) -> bool:
        return all(name.strip("() ") in self.allowed for name in re.split(r"\s+WITH\s+", expression))


def stated_licences(found: Message) -> list[str]:
    """What the metadata of a package states: an expression, else its classifiers, else the first line of a text."""
    if expression := found.get("License-Expression"):
        return [expression]
    classifiers = [one.rpartition(" :: ")[2] for one in found.get_all("Classifier") or () if one.startswith(CLASSIFIER)]
    if named := [one for one in classifiers if one not in NO_LICENCE]:
        return named
    text = (found.get("License") or "").strip()
    return [text.splitlines()[0].strip()] if text else []


def complaints(names: Iterable[str], policy: Policy) -> Iterator[str]:
    """Packages whose licence is not allowed, not stated, or not known, each with what to do."""
    for name in names:
        if name in policy.read:
            stated = [policy.read[name]]
        else:
            try:
                # A message of the standard library, whatever its protocol says.
                stated = stated_licences(cast(Message, metadata.distribution(name).metadata))
            except metadata.PackageNotFoundError:
                yield f"{name} is not installed: read its licence, and name it under [read] of {TABLE.name}"
                continue
        if not stated:
            yield f"{name} states no licence: read it, and name it under [read] of {TABLE.name}"
        elif not all(policy.allows(one) for one in stated):
            yield f"{name}: {'; '.join(stated)} is not allowed by {TABLE.name}"


def check_licences() -> tuple[list[str], str]:
    """Complaints, and what was looked at."""
    names = sorted({one.name for one in packages()})
    return list(complaints(names, Policy.load())), f"{len(names)} locked packages have allowed licences"
