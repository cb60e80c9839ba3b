"""The help of each command, as a terminal of 80 or 120 columns shows it: compared in one process."""

import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from absfin.cli import app as commands
from typer import rich_utils
from typer.main import get_command

GOLDEN = Path(__file__).with_name("golden")
"""help-of-commands-80.txt, and 120. `python -m tests.clients.python.test_cli_help` writes them after a change."""

COLUMNS = (80, 120)
PASSED_ON = ("serve", "storage", "doctor")
"""Their help is that of the server's own commands, which take all options."""


def found(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command and those below it, each with the words that call it."""
    yield words, command
    for name, below in sorted(getattr(command, "commands", {}).items()):
        yield from found(below, (*words, name))


def all_commands() -> list[tuple[tuple[str, ...], Any]]:
    """Of `absfin`, in the order of its help; loaded, as when they are run."""
    own = {name: home for name, (home, _) in commands.COMMANDS.items() if name not in PASSED_ON}
    loaded = ((name, commands.load(home)) for name, home in own.items())
    return [one for name, command in loaded for one in found(command, ("absfin", name))]


def help_of(words: tuple[str, ...], command: Any) -> str:
    """What `--help` prints."""
    with redirect_stdout(StringIO()) as printed:
        command(["--help"], prog_name=" ".join(words), standalone_mode=False)
    return printed.getvalue()


def helps(columns: int) -> str:
    """All of them, one below the other, in a terminal of so many columns."""
    rich_utils.MAX_WIDTH = columns
    return "".join(help_of(words, command) for words, command in all_commands())


@pytest.fixture(autouse=True)
def _typer_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rich_utils, "MAX_WIDTH", rich_utils.MAX_WIDTH)
    monkeypatch.setattr(rich_utils, "FORCE_TERMINAL", None)


def test_every_command_of_the_list_is_there() -> None:
    names = {words[1] for words, _ in all_commands()}
    assert names | set(PASSED_ON) == set(get_command(commands.app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("columns", COLUMNS)
def test_the_help_of_every_command(columns: int) -> None:
    printed = helps(columns)
    assert printed == (GOLDEN / f"help-of-commands-{columns}.txt").read_text()
    assert max(map(len, printed.splitlines())) <= columns
    assert "…" not in printed


def test_colour_changes_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rich_utils, "FORCE_TERMINAL", True)  # what FORCE_COLOR sets as the module is loaded
    monkeypatch.setattr(rich_utils, "COLOR_SYSTEM", "standard")
    printed = helps(80)
    assert "\x1b[" in printed
    assert re.sub("\x1b\\[[0-9;]*m", "", printed) == (GOLDEN / "help-of-commands-80.txt").read_text()


if __name__ == "__main__":
    for width in COLUMNS:
        GOLDEN.joinpath(f"help-of-commands-{width}.txt").write_text(helps(width))
