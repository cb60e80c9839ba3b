"""What a change of a line is: those of a small file, where they take effect, and the file after one."""

from pathlib import Path

import pytest

from scripts import mutants
from scripts.mutants import Mutant, mutants_of, place_of

FILE = Path("domain/example.py")
TEXT = '''"""A text, with 1 number."""

LIMIT = 2


@dataclass(frozen=True)
class Rule:
    width: float = 0.5

    def keeps(self, x: float, y: float = 3.0) -> bool:
        if x < LIMIT and not y:
            return (
                y
                == 1.0
            )
        raise ValueError(f"{x + 1} is \\u00e9")
'''


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(TEXT)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    return tmp_path


def found(before: str) -> Mutant:
    (mutant,) = [mutant for mutant in mutants_of(FILE) if mutant.before == before]
    return mutant


def test_every_change_of_a_file() -> None:
    assert sorted((mutant.line, mutant.before.split()[0], mutant.after) for mutant in mutants_of(FILE)) == [
        (3, "2", "3"),
        (3, "LIMIT", "pass"),
        (6, "True", "False"),
        (8, "0.5", "1.0"),
        (11, "not", "(y)"),
        (11, "x", "(not (x < LIMIT and (not y)))"),
        (11, "x", "(x < LIMIT or not y)"),
        (11, "x", "(x <= LIMIT)"),
        (13, "y", "(y != 1.0)"),
        (14, "1.0", "2.0"),
        (16, "raise", "pass"),
    ]


def test_the_file_after_a_change(root: Path) -> None:
    source = (root / FILE).read_bytes()
    changed = found("2").applied(source)
    assert changed.decode() == TEXT.replace("LIMIT = 2", "LIMIT = 3")


@pytest.mark.parametrize(
    ("before", "lines", "names"),
    [
        ("2", range(3, 4), ("LIMIT",)),
        ("True", range(6, 7), ("Rule",)),
        ("0.5", range(8, 9), ("width", "Rule")),
        ("not y", range(11, 12), ()),  # without what the condition leads to
        ("1.0", range(12, 16), ()),  # the whole statement
    ],
)
def test_where_a_change_takes_effect(before: str, lines: range, names: tuple[str, ...]) -> None:
    place = place_of(found(before))
    assert (place.lines, place.names) == (lines, names)
