"""What the command line prints at 80 and 120 columns, with and without colour; and completion by a shell."""

import json
import re
from pathlib import Path

import pytest
from absfin.cli.layout import new_console, new_table

from tests.clients.python.command_line import absfin, started
from tests.conftest import RunningServer

GOLDEN = Path(__file__).with_name("golden")
"""What is printed, byte for byte. A new command changes the help: COLUMNS=80 absfin --help > help-80.txt, and 120."""

LONG = "minimum_variance_of_everything_with_half_of_the_turnover"
STRATEGIES = [
    {"label": LONG, "equalWeight": {}},
    {"label": "a name with [brackets], :colons: and a few words more", "inverseVolatility": {}},
]
PANEL = {
    "symbols": ["A", "B"],
    "dates": list(range(18000, 18100)),
    "values": [100.0 + (7 * i % 11) + i / 10 for i in range(200)],
}
REQUEST = {"prices": PANEL, "strategies": STRATEGIES, "backtestId": "golden"}
COLOR = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}


@pytest.fixture(scope="module")
def stored(server: RunningServer) -> RunningServer:
    """A server with the backtest that the files in GOLDEN show."""
    absfin(server, "backtest", "--request", "-", sent=json.dumps(REQUEST))
    return server


def golden(name: str) -> str:
    return (GOLDEN / name).read_text()


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, COLOR], ids=["piped", "no-color", "color"])
def test_help(server: RunningServer, columns: str, variables: dict[str, str]) -> None:
    said = started(server, "--help", **{"COLUMNS": columns, **variables}).stdout
    assert said == golden(f"help-{columns}.txt")
    assert max(map(len, said.splitlines())) <= int(columns)


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize(
    ("variables", "ending"),
    [({}, ""), ({"NO_COLOR": "1"}, ""), (COLOR, "-color")],
    ids=["piped", "no-color", "color"],
)
def test_a_table(stored: RunningServer, columns: str, variables: dict[str, str], ending: str) -> None:
    said = started(stored, "backtests", "show", "golden", **{"COLUMNS": columns, **variables}).stdout
    assert said == golden(f"table-{columns}{ending}.txt")
    plain = re.sub("\x1b\\[[0-9;]*m", "", said)
    assert plain == golden(f"table-{columns}.txt")
    assert ("\x1b[" in said) == bool(ending)
    assert max(map(len, plain.splitlines())) <= int(columns)


def test_no_name_is_cut(stored: RunningServer) -> None:
    for columns in ("80", "100", "120"):
        said = absfin(stored, "backtests", "show", "golden", COLUMNS=columns).stdout
        assert "…" not in said
        rows = [line[: line.find("  ")] if "  " in line else line for line in said.splitlines()]
        joined = "".join(row.strip() for row in rows).replace(" ", "")
        for strategy in STRATEGIES:
            assert str(strategy["label"]).replace(" ", "") in joined


def test_a_narrow_table_folds_names_and_keeps_numbers_whole() -> None:
    table = new_table(("name", "a number"), ("a number",))
    table.add_row("x" * 50, "-1,234,567.89")
    console = new_console()
    console.width = 40
    with console.capture() as captured:
        console.print(table)
    assert captured.get().count("x") == 50
    assert "-1,234,567.89" in captured.get()


def test_the_name_above_a_table_stays_whole() -> None:
    console = new_console()
    table = new_table(("a",), title="optimizations/885f7dce3f52018d278c")
    with console.capture() as captured:
        console.print(table)
    assert "optimizations/885f7dce3f52018d278c" in captured.get()


def test_a_narrow_list_has_ids(stored: RunningServer) -> None:
    for columns, name in (("80", "golden"), ("120", "backtests/golden")):
        (row,) = (r for r in absfin(stored, "backtests", "list", COLUMNS=columns).stdout.splitlines() if "golden" in r)
        assert row.split()[0] == name


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("absfin opt", ["optimize", "optimize-batch", "optimizations"]),
        ("absfin backtests l", ["list"]),
        ("absfin backtests list --st", ["--state"]),
        ("absfin optimize --max-w", ["--max-weight"]),
        ("absfin --vers", ["--version"]),
    ],
)
def test_a_shell_completes_commands_and_options(server: RunningServer, words: str, expected: list[str]) -> None:
    asked = {"_ABSFIN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert absfin(server, **asked).stdout.split() == expected


def test_completion_is_installed_for_a_shell(server: RunningServer, tmp_path: Path) -> None:
    script = started(server, "--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1").stdout
    assert "complete -o default -F _absfin_completion absfin" in script
    variables = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    started(server, "--install-completion", "bash", **variables)
    assert "absfin" in (tmp_path / ".bashrc").read_text()
