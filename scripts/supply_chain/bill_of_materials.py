"""A bill of materials in CycloneDX of what an installation of the server has."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.supply_chain.locked import ROOT

INSTALLED = ("--no-dev", "--package", "abs-finance", "--extra", "web", "--extra", "telemetry")
"""What the Dockerfile installs; a test compares them."""


def make() -> dict[str, Any]:
    """The bill of materials of the image, from the lock."""
    uv = Path(sys.executable).with_name("uv")
    export = [str(uv), "export", "--quiet", "--locked", "--format", "cyclonedx1.5", *INSTALLED]
    # It is a preview, which has to be asked for.
    done = subprocess.run(  # noqa: S603  # our own command
        [*export, "--preview-features", "sbom-export"],
        cwd=ROOT, check=True, capture_output=True, text=True, env={**os.environ, "VIRTUAL_ENV": ""},
    )  # fmt: skip
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def complaints(made: dict[str, Any]) -> list[str]:
    """What makes it useless to who reads it: a part without a name, a version or an address of its package."""
    if made.get("bomFormat") != "CycloneDX":
        return ["it is not CycloneDX"]
    return [f"{one.get('name')} has no version or address" for one in made["components"] if not _is_whole(one)]


def _is_whole(component: dict[str, Any]) -> bool:
    ours = any(one["name"] == "uv:workspace:path" for one in component.get("properties", ()))
    return bool(component.get("name") and component.get("version") and (ours or component.get("purl")))


def check_bill() -> tuple[list[str], str]:
    """Complaints, and what was looked at."""
    made = make()
    return complaints(made), f"a bill of {len(made['components'])} components can be made"
