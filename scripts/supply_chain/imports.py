"""Declared dependencies that nothing imports, and for those that are no library, why they are declared."""

import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Any

from scripts.supply_chain.locked import ROOT

PROJECTS = ("pyproject.toml", "protos/pyproject.toml", "clients/python/pyproject.toml")
IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\w[\w.]*)[ \t]+import\b|import[ \t]+(\w[\w., \t]*))", re.M)
"""A statement of its own, in whatever block; parsing all files would take ten times as long."""

BY_NAME = re.compile(r"""\b(?:import_module|find_spec)\("(\w[\w.]*)"\)""")

NOT_IMPORTED: Mapping[str, str] = {
    "absfinance-api": "a part of this workspace",
    "abs-finance": "a part of this workspace",
    "absfin": "a part of this workspace",
    "buf-bin": "a program: lints the contract",
    "detect-secrets": "a program: looks for secrets",
    "googleapis-common-protos": "its modules are google.*, shared with protobuf",
    "grpcio-status": "callers unpack errors with it, as docs/migration/flask.md shows",
    "import-linter": "a program: holds the layers",
    "ipykernel": "runs the notebooks, in a process of its own",
    "mkdocs-material": "the theme, by its name in mkdocs.yml",
    "mypy": "a program: checks types",
    "pip-audit": "a program: asks for known vulnerabilities",
    "pytest-asyncio": "a plugin of pytest",
    "pytest-timeout": "a plugin of pytest",
    "pytest-xdist": "a plugin of pytest",
    "ruff": "a program: lints and formats",
}


def declared(project: Mapping[str, Any]) -> set[str]:
    """Names of everything that a pyproject.toml asks for, normalised."""
    own = project["project"]
    lists = [own.get("dependencies", []), *own.get("optional-dependencies", {}).values()]
    lists += project.get("dependency-groups", {}).values()
    found = (re.match(r"[\w.-]+", one) for each in lists for one in each)
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match}


def imported(texts: Iterable[str]) -> set[str]:
    """Modules that Python files import, each with the packages it is in: `google.rpc.status_pb2` and `google.rpc`."""
    found: set[str] = set()
    for text in texts:
        found.update(BY_NAME.findall(text))
        for package, names in IMPORT.findall(text):
            found.update([package] if package else (name.split()[0] for name in names.split(",") if name.strip()))
    return {".".join(parts[:end]) for parts in (one.split(".") for one in found) for end in range(1, len(parts) + 1)}


def modules() -> dict[str, set[str]]:
    """Top-level modules of each installed distribution, by its normalised name."""
    found: dict[str, set[str]] = {}
    for module, names in metadata.packages_distributions().items():
        for name in names:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(module)
    return found


def complaints(names: Iterable[str], known: Mapping[str, set[str]], used: set[str]) -> Iterator[str]:
    """Dependencies that can go."""
    for name in sorted(names):
        if name in NOT_IMPORTED or name.startswith("types-"):
            continue
        if not (known.get(name, {name.replace("-", "_")}) & used):
            yield f"nothing imports {name}: remove it, or say in NOT_IMPORTED of imports.py why it is declared"


def check_imports() -> tuple[list[str], str]:
    """Complaints, and what was looked at."""
    git = ["git", "ls-files", "-z", "*.py", ":!protos/gen"]
    tracked = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603  # ours
    used = imported((ROOT / name).read_text() for name in tracked.split("\0") if name)
    names = {name for path in PROJECTS for name in declared(tomllib.loads((ROOT / path).read_text()))}
    stale = [f"{name} is in NOT_IMPORTED and not declared" for name in sorted(NOT_IMPORTED.keys() - names)]
    return [*complaints(names, modules(), used), *stale], f"{len(names)} declared dependencies are imported or run"
