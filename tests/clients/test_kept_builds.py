"""Builds that tests keep: made once for the same sources, again after a change, and not kept where they fail."""

import os
import time
from pathlib import Path

import pytest

from tests.clients import kept_builds
from tests.clients.kept_builds import kept_build


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that something is built from."""
    monkeypatch.setattr(kept_builds, "ROOT", tmp_path)
    monkeypatch.setattr(kept_builds, "KEPT", tmp_path / "kept")
    folder = tmp_path / "source"
    (folder / "dist").mkdir(parents=True)
    (folder / "main.ts").write_text("1")
    return folder


def test_a_build_is_made_once_for_the_same_sources(source: Path) -> None:
    made: list[Path] = []
    first = kept_build("x", [source], made.append)
    (source / "dist/main.js").write_text("left by a build")
    assert kept_build("x", [source], made.append) == first
    (source / "main.ts").write_text("2")
    changed = kept_build("x", [source], made.append)
    (source / "main.ts").rename(source / "other.ts")
    renamed = kept_build("x", [source], made.append)
    assert made == [first, changed, renamed]
    assert len(set(made)) == 3


def test_a_build_that_fails_is_made_again(source: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        kept_build("x", [source], fail)
    made: list[Path] = []
    folder = kept_build("x", [source], made.append)
    assert made == [folder]
    assert not (folder / "half").exists()


def test_what_nobody_uses_is_removed(source: Path) -> None:
    made: list[Path] = []
    old = kept_build("x", [source], made.append)
    other = kept_build("y", [source], made.append)
    before = time.time() - kept_builds.UNUSED_SECONDS - 60.0
    for folder in (old, other):
        os.utime(folder / "built", (before, before))
    (source / "main.ts").write_text("2")
    kept_build("x", [source], made.append)
    assert not old.exists()
    assert other.exists()
