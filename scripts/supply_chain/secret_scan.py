"""Secrets in the files of the repository, but for those that were looked at and are none."""

import fnmatch
import json
import multiprocessing
import re
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

from scripts.supply_chain.locked import ROOT

BASELINE = ".secrets.baseline"
NOT_TEXT = ("*.png", "*.gz", "*.parquet", "*.binpb", "*.ipynb", "*.svg", "*.csv")
"""Pictures and data; of notebooks, outputs are pictures."""

HASHES = ("*.lock", "*package-lock.json", "*go.sum", "*.pb.go", "protos/gen/*", BASELINE)
"""Made by programs, of hashes and descriptors."""

PLUGINS = (
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "KeywordDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SlackDetector",
    "StripeDetector",
)
"""Those of providers, and of names that say what they hold; entropy alone finds every hash and id of a test."""

HINT = re.compile(
    rb"(?i:secret|passw|pwd|contrase|(?:db|database|key)[_-]?pass|_authToken|npm_"
    rb"|(?:api|auth|service|account|db|database|priv|private|client)[_-]?key)"
    rb"|PRIVATE KEY|ENCRYPTED|\bA(?:3T|KIA|GPA|IDA|ROA|IPA|NPA|NVA|SIA)[A-Z0-9]|gh[pousr]_|\bgl[a-z]{2,6}-|eyJ"
    rb"|\bsk-|[rs]k_live|xox|hooks\.slack|pypi-|://[^\s/]*:[^\s/]*@",
)
"""What a file has at the least where one of the plugins can find something: they need a minute for all files."""


def files() -> list[str]:
    """Tracked files that people write."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607
    left_out = (*NOT_TEXT, *HASHES)
    return [
        name for name in tracked.stdout.split("\0") if name and not any(fnmatch.fnmatch(name, one) for one in left_out)
    ]


def scan(names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What looks like a secret, by file; of the secret itself only a hash."""
    found = SecretsCollection(root=str(ROOT))
    with transient_settings({"plugins_used": [{"name": name} for name in PLUGINS]}):
        for name in names:
            found.scan_file(name)
        return {name: sorted(each, key=lambda one: one["line_number"]) for name, each in found.json().items()}


def scan_all() -> dict[str, list[dict[str, Any]]]:
    """The same for all files, on all cores."""
    every = [name for name in files() if HINT.search((ROOT / name).read_bytes())]
    parts = [every[start::16] for start in range(16)]
    with multiprocessing.get_context("spawn").Pool() as pool:
        found = {name: each for part in pool.imap_unordered(scan, parts) for name, each in part.items()}
    return dict(sorted(found.items()))


def new_findings(found: dict[str, list[dict[str, Any]]], known: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Complaints: what is found and not known; a known one may move to another line."""
    for name, each in found.items():
        hashes = {(one["type"], one["hashed_secret"]) for one in known.get(name, ())}
        for one in each:
            if (one["type"], one["hashed_secret"]) not in hashes:
                yield f"{name}:{one['line_number']}: {one['type']}; if it is none, scripts/supply --write-secrets"


def check_secrets() -> tuple[list[str], str]:
    """Complaints, and what was looked at."""
    known = json.loads((ROOT / BASELINE).read_text())["results"]
    return list(new_findings(scan_all(), known)), f"{len(files())} files have no secret that is not known to be none"


def write_baseline() -> int:
    """Writes what is found now as what is known; returns how many findings there are."""
    found = scan_all()
    kept = {
        name: [{key: one[key] for key in ("type", "hashed_secret")} for one in each] for name, each in found.items()
    }
    for name, each in kept.items():
        kept[name] = sorted({tuple(one.items()): one for one in each}.values(), key=str)
    (ROOT / BASELINE).write_text(json.dumps({"results": kept}, indent=1) + "\n")
    return sum(len(each) for each in kept.values())
