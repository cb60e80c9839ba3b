"""Known vulnerabilities of the locked packages, where the database of pip-audit can be asked."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.supply_chain.locked import ROOT, Package, packages

ASKED_FIRST = "numpy"
"""Every database knows it: where this one is not answered for, nothing is."""

AUDIT_SECONDS = 300.0
FIRST_SECONDS = 30.0


class NoDatabase(Exception):
    """The database of vulnerabilities cannot be asked from here."""


def audit(found: list[Package], seconds: float) -> list[str]:
    """Vulnerabilities of packages, a line each. Raises NoDatabase."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("".join(f"{one.name}=={one.version}\n" for one in found))
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--disable-pip", "--no-deps"]
        try:
            done = subprocess.run(  # noqa: S603  # our own command
                [*command, "--format", "json", "--progress-spinner", "off"],
                cwd=ROOT, capture_output=True, text=True, timeout=seconds,
            )  # fmt: skip
            return read_answer(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise NoDatabase from error


def read_answer(text: str) -> list[str]:
    """The vulnerabilities in what pip-audit prints as JSON. Raises NoDatabase, ValueError where it printed none."""
    told = json.loads(text)["dependencies"]
    if all("skip_reason" in one for one in told):
        raise NoDatabase
    return [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for one in told
        for hole in one.get("vulns", ())
    ]


def rounds(found: list[Package]) -> list[list[Package]]:
    """The packages in lists in which each name stands once, as pip-audit asks; a lock may have two versions of one."""
    places: list[dict[str, Package]] = []
    for one in found:
        place = next((place for place in places if one.name not in place), None)
        if place is None:
            places.append(place := {})
        place[one.name] = one
    return [list(place.values()) for place in places]


def check_vulnerabilities() -> tuple[list[str], str]:
    """Complaints, and what was looked at; a network without the database is no failure, and is told."""
    found = packages()
    try:
        audit([one for one in found if one.name == ASKED_FIRST][:1], FIRST_SECONDS)
    except NoDatabase:
        return [], "NOT RUN: the database of vulnerabilities does not answer from this network"
    try:
        complaints = [text for each in rounds(found) for text in audit(each, AUDIT_SECONDS)]
    except NoDatabase:
        return ["pip-audit has answered for numpy and not for all packages: run it by hand"], ""
    return complaints, f"{len(found)} locked packages have no known vulnerability"
