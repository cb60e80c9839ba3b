"""Builds of clients, kept by what they are made from: of all processes and runs of the tests, one makes each.

They are in the cache of the user, as the programs that tests install are, and removed once nobody has used them for
days. What tests check of a client is run each time; only compiling and fetching libraries is not repeated.
"""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT

KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "abs-finance/builds"
"""scripts/check_stubs compiles into it too."""

LEFT_BY_BUILDS = ("node_modules", "dist", "build", "gen", "target", "__pycache__")
UNUSED_SECONDS = 5 * 86_400.0


def kept_build(name: str, sources: Iterable[Path], build: Callable[[Path], None]) -> Path:
    """The folder that `build` has filled, by this process or another one, from the same files of `sources`.

    A build that fails leaves nothing: the next caller tries again.
    """
    folder = KEPT / f"{name}-{digest(sources)}"
    done = folder / "built"
    KEPT.mkdir(parents=True, exist_ok=True)
    with locked(KEPT / f"{name}.lock"):
        if not done.exists():
            _remove_unused(name)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
        done.touch()
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock that processes share."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(sources: Iterable[Path]) -> str:
    """Of the paths and contents of files, and of all files in folders, without what builds leave there."""
    found = hashlib.sha256()
    for source in sources:
        for path in [source] if source.is_file() else sorted(files_of(source)):
            found.update(f"{path.relative_to(ROOT)}\0{path.stat().st_mode & 0o111}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def files_of(folder: Path) -> Iterator[Path]:
    """All files below a folder, without what builds leave."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in LEFT_BY_BUILDS:
                yield from files_of(Path(entry.path))
        else:
            yield Path(entry.path)


def cargo_variables() -> Mapping[str, str]:
    """What lets cargo compile libraries once, and what it has compiled in an earlier run not at all."""
    return {"CARGO_TARGET_DIR": str(KEPT / "cargo")}


def _remove_unused(name: str) -> None:
    limit = time.time() - UNUSED_SECONDS
    for folder in KEPT.glob(f"{name}-*/"):
        done = folder / "built"
        if done.exists() and done.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)
