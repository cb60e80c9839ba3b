"""Figures in pages, written by the scripts that measure them: between two markers, with the machine and the date."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

MARKED = re.compile(r"<!-- figures of (?P<name>[\w /-]+) -->\n(?P<body>.*?)<!-- end of figures -->\n", re.DOTALL)
STAMP = re.compile(r"^Measured on \d{4}-\d{2}-\d{2}, .+\.$", re.MULTILINE)


def stamp() -> str:
    """When and where, in a sentence."""
    busy = os.getloadavg()[0]
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), {platform.system()}, "
        f"Python {platform.python_version()}, load average {busy:.1f} at the end."
    )


def write(page: Path, name: str, body: str) -> None:
    """Puts figures between the markers of that name. Raises ValueError where the page has none."""
    text = page.read_text()
    found = [one for one in MARKED.finditer(text) if one["name"] == name]
    if len(found) != 1:
        raise ValueError(f"{page.name} has {len(found)} pairs of markers for {name}")
    (one,) = found
    marked = f"<!-- figures of {name} -->\n{stamp()}\n\n{body.strip()}\n<!-- end of figures -->\n"
    page.write_text(text[: one.start()] + marked + text[one.end() :])


def _processor() -> str:
    try:
        named = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        named = None
    return " ".join(named[1].split()) if named else platform.machine()
