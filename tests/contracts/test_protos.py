"""The contract is linted, formatted, compatible with its baseline, and its stubs are those that are committed."""

import filecmp
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUF = str(Path(sys.executable).with_name("buf"))


def run(*command: str, seconds: float = 60.0) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("lint",),
        ("format", "--diff", "--exit-code", "--path", "protos/absfinance"),
        ("breaking", "protos", "--against", "protos/baseline.binpb", "--exclude-imports"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_buf(arguments: tuple[str, ...]) -> None:
    run(BUF, *arguments)


def test_the_baseline_notices_a_field_that_is_gone(tmp_path: Path) -> None:
    for path in (ROOT / "protos").rglob("*.proto"):
        copy = tmp_path / path.relative_to(ROOT / "protos")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text().replace("  double lambda = 2", "  double lambda = 7"))
    done = subprocess.run(
        [BUF, "breaking", str(tmp_path), "--against", "protos/baseline.binpb", "--exclude-imports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "ExponentialWeighting" in done.stdout


def test_the_committed_stubs_are_what_the_protos_give(tmp_path: Path) -> None:
    run("scripts/generate_stubs", "python", str(tmp_path))
    committed = ROOT / "protos/gen/python"
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert len(names) > 50
    assert names == sorted(
        str(p.relative_to(committed))
        for p in committed.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".pyc"
    )
    _, different, broken = filecmp.cmpfiles(tmp_path, committed, names, shallow=False)
    assert (different, broken) == ([], [])


def test_the_committed_stubs_of_go_are_what_the_protos_give(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    run("scripts/generate_stubs", "go", str(tmp_path), seconds=300.0)
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert len(names) > 40
    committed = ROOT / "clients/go"
    generated = (p for folder in ("absfinance", "buf") for p in (committed / folder).rglob("*"))
    assert names == sorted(str(p.relative_to(committed)) for p in generated if p.is_file())
    _, different, broken = filecmp.cmpfiles(tmp_path, committed, names, shallow=False)
    assert (different, broken) == ([], [])


def test_google_protos_are_never_generated() -> None:
    assert not (ROOT / "protos/gen/python/google").exists()
