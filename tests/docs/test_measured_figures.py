"""Figures of pages that scripts write: the markers are there, and what is between them was measured."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts.bench_figures import main, table
from scripts.measured import MARKED, STAMP, stamp, write
from tests.conftest import ROOT

JOBS = re.search(
    r"^# Runs a benchmark: scripts/bench \[--docs\] ([\w |]+),", (ROOT / "scripts/bench").read_text(), re.M
)
PAGES = {
    "docs/reliability.md": ["scripts/chaos embedded", "scripts/chaos supabase", "scripts/fuzz", "scripts/load"],
    "benchmarks/README.md": [f"scripts/bench {job}" for job in JOBS[1].split(" | ")] if JOBS else [],
}
UNMEASURED = "Not measured on a quiet machine yet."


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_their_markers(page: str) -> None:
    text = (ROOT / page).read_text()
    found = list(MARKED.finditer(text))
    assert [one["name"] for one in found] == PAGES[page]
    assert len(found) == text.count("<!-- figures of ") == text.count("<!-- end of figures -->")
    for one in found:
        assert (ROOT / one["name"].split()[0]).exists()
        first, _, rest = one["body"].partition("\n")
        if first == UNMEASURED:
            continue
        assert STAMP.match(first)
        rows = [row for row in rest.strip().splitlines() if row.startswith("|")]
        assert len(rows) > 2
        assert rows[1].startswith("|---")


def test_a_script_writes_between_its_own_markers_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    pair = "<!-- figures of {} -->\nold\n<!-- end of figures -->\n"
    page.write_text(f"before\n{pair.format('a')}between\n{pair.format('b')}after\n")
    write(page, "b", "| new |")
    text = page.read_text()
    assert text.startswith(f"before\n{pair.format('a')}between\n")
    assert text.endswith("\n| new |\n<!-- end of figures -->\nafter\n")
    write(page, "b", "| newer |")
    assert "| new |" not in page.read_text()
    with pytest.raises(ValueError, match="0 pairs of markers for c"):
        write(page, "c", "")


def test_the_stamp_names_the_day_and_the_machine() -> None:
    assert STAMP.match(stamp())


@pytest.fixture
def pages(tmp_path: Path) -> tuple[Path, Path]:
    """Copies of the pages that have figures of benchmarks."""
    tables, front = tmp_path / "tables.md", tmp_path / "front.md"
    tables.write_text((ROOT / "benchmarks/README.md").read_text())
    front.write_text((ROOT / "README.md").read_text())
    return tables, front


def lines(*ratios: float) -> list[str]:
    """What scripts/bench optimize prints with --json, of small data."""
    rows = [{"job": "min_cvar/N=20", "ours_ms": 6.4321, "peer": "riskfolio-lib 7.4.1", "ratio": one} for one in ratios]
    return [json.dumps(one) for one in [*rows, {"job": "hrp/N=20", "ours_ms": 1.0, "peer": "skfolio 1", "ratio": 9e9}]]


def test_a_benchmark_writes_its_table_and_its_sentence(pages: tuple[Path, Path]) -> None:
    tables, front = pages
    before = front.read_text()
    main("optimize", lines(17.21, 1523.0), *pages)
    (made,) = [one for one in MARKED.finditer(tables.read_text()) if one["name"] == "scripts/bench optimize"]
    first, _, rest = made["body"].partition("\n")
    assert STAMP.match(first)
    assert rest.strip().splitlines()[:3] == [
        "| job | ours, ms | peer | ratio |",
        "|---|---|---|---|",
        "| min_cvar/N=20 | 6.43 | riskfolio-lib 7.4.1 | 17.2 |",
    ]
    after = front.read_text()
    assert "answer <!-- scripts/bench optimize -->17 to 1 500<!-- end --> times faster" in after
    assert after.count("\n") == before.count("\n")
    main("risk", [json.dumps({"job": "report", "ours_ms": 1.0})], *pages)
    assert front.read_text() == after


def test_a_benchmark_that_printed_nothing_changes_nothing(pages: tuple[Path, Path]) -> None:
    before = [page.read_text() for page in pages]
    for job, printed in (("optimize", []), ("no-such", lines(5.0))):
        with pytest.raises(ValueError, match=job):
            main(job, printed, *pages)
    assert [page.read_text() for page in pages] == before


def test_lines_with_other_figures_have_a_table_of_their_own() -> None:
    made = table(
        [{"job": "a", "ours_ms": 1234.5, "peer": None}, {"job": "growth", "sizes": [20, 100], "ms": [0.012, 2]}]
    )
    assert made == (
        "| job | ours, ms |\n|---|---|\n| a | 1 234 |\n\n"
        "| job | sizes | ms |\n|---|---|---|\n| growth | 20 / 100 | 0.012 / 2 |"
    )


def test_the_script_writes_whole_runs_alone() -> None:
    done = subprocess.run(["scripts/bench", "--docs", "risk", "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "--docs is of whole runs: leave out --quick\n")
