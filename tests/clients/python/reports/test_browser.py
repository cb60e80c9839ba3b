"""The HTML file in a real browser: no error, nothing fetched, readable on a phone and in the dark."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from absfin.reports import Report, write_report
from pypdf import PdfReader

BROWSER = Path(__file__).parent / "browser"
SECONDS = 120


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found or not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("chromium, node and npm are not all installed: the page was checked without a browser")
    return found


@pytest.fixture(scope="module")
def seen(report: Report, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a reader meets in each view, and the folder of the pictures."""
    executable = chromium()
    folder = tmp_path_factory.mktemp("browser")
    for name in ("package.json", "package-lock.json", "open_page.mjs"):
        shutil.copy(BROWSER / name, folder)
    install = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        pytest.skip(f"npm cannot install playwright-core: {done.stderr[-300:]}")
    page = folder / "report.html"
    write_report(report, page)
    command = ["node", "open_page.mjs", executable, str(page), str(folder)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, env=environment)
    assert shown.returncode == 0, shown.stderr[-2000:]
    return {view["name"]: view | {"folder": folder} for view in json.loads(shown.stdout)}


def test_no_view_has_an_error_or_fetches_anything(seen: dict[str, dict[str, Any]]) -> None:
    for view in seen.values():
        assert view["problems"] == []
        assert [url for url in view["requests"] if not url.startswith(("file:", "data:"))] == []


def test_a_phone_shows_the_small_charts_and_does_not_scroll_sideways(seen: dict[str, dict[str, Any]]) -> None:
    phone = seen["phone"]
    assert phone["pageWidth"] <= phone["width"]
    assert len(phone["pictures"]) == 3
    assert max(phone["pictures"]) <= phone["width"]
    assert min(seen["desktop"]["pictures"]) > 600


def test_text_and_axes_follow_the_colour_scheme(seen: dict[str, dict[str, Any]]) -> None:
    for name in ("desktop", "dark"):
        for text in ("ink", "axis"):
            assert contrast(seen[name][text], seen[name]["paper"]) >= 7.0  # WCAG 2.2, level AAA
        assert len(seen[name]["pictures"]) == 3  # of each chart one of four drawings
    assert seen["desktop"]["paper"] != seen["dark"]["paper"]


def test_print_has_pages(seen: dict[str, dict[str, Any]]) -> None:
    pages = PdfReader(seen["desktop"]["folder"] / "print.pdf").pages
    assert len(pages) >= 2
    assert "Returns by month" in "".join(page.extract_text() for page in pages)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, "rgb(r, g, b)" (WCAG 2.2)."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
