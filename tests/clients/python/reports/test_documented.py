"""The commands of docs/reports.md, as they stand there, against a server with the sample data."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from domain.charts.theme import Theme
from tests.conftest import ROOT, RunningServer

PAGE = (ROOT / "docs/reports.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.timeout(330)  # a dozen drawings for each file, on busy cores
def test_the_commands_write_what_they_say(sample_server: RunningServer, tmp_path: Path) -> None:
    environment = {
        "ABSFIN_SERVER": sample_server.address,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "COLUMNS": "120",
    }
    shell = ["bash", "-euo", "pipefail", "-c", block("sh")]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "backtest.html",
        "backtest.pdf",
        "backtest.png",
        "risk.html",
    }
    page = (tmp_path / "backtest.html").read_text()
    for heading in ("Performance", "Risk", "Portfolio", "Attribution", "Validation", "Costs", "Events"):
        assert f"<h2>{heading}</h2>" in page, heading
    assert "value of one unit" in done.stdout

    code = block("python").replace("127.0.0.1:50051", sample_server.address)
    again = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert again.returncode == 0, again.stderr


def test_the_picture_of_the_page_is_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE)
    assert pictures
    assert all((ROOT / "docs" / name).is_file() for name in pictures)


def test_the_pictures_have_the_colours_of_the_charts() -> None:
    """Where a picture has too few colours, the blue of a line and that of its legend become two, one of them green."""
    curves = {bytes.fromhex(colour.removeprefix("#")) for colour in Theme.LIGHT.config["range"]["category"][:2]}
    for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE):
        content = (ROOT / "docs" / name).read_bytes()
        at = content.find(b"PLTE")
        if at < 0:
            continue  # each pixel has its own colour
        (length,) = struct.unpack(">I", content[at - 4 : at])
        palette = content[at + 4 : at + 4 + length]
        assert curves <= {palette[i : i + 3] for i in range(0, length, 3)}, name
