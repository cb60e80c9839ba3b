"""The layers of the house, held by import-linter, exhaustively: a new folder must be given a place."""

import subprocess
import sys
import tomllib
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]


def test_every_import_goes_down() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", ".importlinter"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_no_folder_has_a_name_that_says_nothing() -> None:
    banned = {"utils", "helpers", "common", "manager", "misc"}
    names = {
        part
        for folder in ("domain", "server", "clients")
        for path in (ROOT / folder).rglob("*.py")
        for part in path.parts
    }
    assert not {name.removesuffix(".py") for name in names} & banned


def test_modules_are_short() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text().splitlines())
        for folder in ("domain", "server", "clients/python/src", "scripts", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert len(lengths) > 800
    assert not {str(path): length for path, length in lengths.items() if length > 400}
    assert median(length for path, length in lengths.items() if path.name != "__init__.py") <= 130


@pytest.mark.parametrize("contract", ["domain-layers", "optimization-layers", "server-layers"])
def test_the_page_of_the_architecture_names_the_layers(contract: str) -> None:
    contracts = ConfigParser(comment_prefixes=("#",))
    contracts.read(ROOT / ".importlinter")
    layers = contracts[f"importlinter:contract:{contract}"]["layers"].split("\n")
    assert f"`{' -> '.join(layer for layer in layers if layer)}`" in (ROOT / "docs/architecture.md").read_text()


def test_the_fixed_packages_are_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = " ".join(
        project["project"]["dependencies"] + [d for d in project["dependency-groups"]["dev"] if isinstance(d, str)]
    )
    for package in (
        "grpcio>=",
        "grpcio-tools",
        "protobuf",
        "riskfolio-lib",
        "pandas",
        "numpy",
        "supabase",
        "pytest>=",
        "grpcio-testing",
    ):
        assert package in named, package


def test_vectorbt_is_not_installed() -> None:
    with pytest.raises(PackageNotFoundError):
        version("vectorbt")
