"""The packages of uv.lock, and whether each of their files has a hash."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "uv.lock"
NPM_LOCKS = (
    "clients/typescript/package-lock.json",
    "clients/web/package-lock.json",
    "tests/clients/python/reports/browser/package-lock.json",
    "tests/e2e/node_liquidity/package-lock.json",
)


@dataclass(frozen=True, slots=True)
class Package:
    """A package of another project, as it is locked."""

    name: str
    version: str
    files: tuple[Mapping[str, Any], ...]


def packages(lock: Path = LOCK) -> list[Package]:
    """Those of a lock of uv, without our own."""
    return [
        Package(one["name"], one["version"], (*one.get("wheels", ()), *([one["sdist"]] if "sdist" in one else ())))
        for one in tomllib.loads(lock.read_text())["package"]
        if not {"editable", "virtual", "directory"} & one["source"].keys()
    ]


def files_without_hash(found: Sequence[Package]) -> Iterator[str]:
    """Complaints: a file without a hash can be another one tomorrow, and a package without files is not locked."""
    for one in found:
        if not one.files:
            yield f"{one.name} {one.version} has no file"
        for file in one.files:
            if not str(file.get("hash", "")).startswith("sha256:"):
                yield f"{file['url']} has no SHA-256"


def npm_without_hash(lock: Mapping[str, Any]) -> Iterator[str]:
    """The same for a package-lock.json; what is in the repository itself is a link, and needs none."""
    for path, one in lock["packages"].items():
        ours = not path.startswith("node_modules/") or one.get("link") or one.get("inBundle")
        if not ours and not str(one.get("integrity", "")).startswith("sha512-"):
            yield f"{path} {one.get('version')} has no SHA-512"


def check_hashes() -> tuple[list[str], str]:
    """Complaints about all locks, and what was looked at."""
    wrong, files = [], 0
    found = packages()
    files += sum(len(one.files) for one in found)
    wrong += [f"{LOCK.name}: {text}" for text in files_without_hash(found)]
    for name in NPM_LOCKS:
        lock = json.loads((ROOT / name).read_text())
        files += len(lock["packages"])
        wrong += [f"{name}: {text}" for text in npm_without_hash(lock)]
    return wrong, f"{files} files of {1 + len(NPM_LOCKS)} locks have a hash"
