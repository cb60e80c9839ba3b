"""The Supabase CLI of npm, of the last version of each of the lines that are in use."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

LAST_VERSIONS = ("2.122.1", "3.1.0")


def folder_of_cli(version: str) -> Path:
    """A folder for the path with the program `supabase`, installed if it is missing; skips where there is no npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("the Supabase CLI comes with npm, and there is no Node.js")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "abs-finance"
    folder = cache / f"supabase-cli-{version}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: another process of the tests may install it at the same time.
        with tempfile.TemporaryDirectory(dir=cache) as made:
            whole = Path(made) / "whole"
            whole.mkdir()
            options = ["--no-save", "--no-audit", "--no-fund", "--loglevel", "error"]
            install = [npm, "install", "--prefix", str(whole), *options, f"supabase@{version}"]
            done = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, done.stderr
            with contextlib.suppress(OSError):  # the other was faster
                whole.rename(folder)
    return folder / "node_modules/.bin"
