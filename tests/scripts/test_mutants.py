"""What a change of a line is: those of a small file, where they take effect, the file after one, and a sample."""

import hashlib
from pathlib import Path

import pytest

from scripts import mutants
from scripts.mutants import Mutant, mutants_of, place_of, sample_of

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


def ranks(text: str, root: Path) -> dict[str, str]:
    """By the definition around a change, with what it changes."""
    (root / FILE).write_text(text)
    found = mutants_of(FILE)
    named = {
        f"{one.within}: {' '.join(one.before.split())} -> {one.after} {one.occurrence}": one.rank(0) for one in found
    }
    assert len(named) == len(set(named.values())) == len(found)
    return named


def test_the_definition_around_a_change() -> None:
    assert {mutant.within for mutant in mutants_of(FILE)} == {"LIMIT", "Rule", "Rule.width", "Rule.keeps"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 2", "# A comment.\n\nOTHER = 2\nLIMIT = 2"),
        ("    width: float = 0.5", "    height: float = 0.5\n    width: float = 0.5"),
        (
            "@dataclass(frozen=True)\nclass Rule",
            "@dataclass(frozen=True)\nclass First:\n    pass\n\n\n@dataclass(frozen=True)\nclass Rule",
        ),
        ("    def keeps", "    def first(self, y):\n        return y == 1.0 and not y\n\n    def keeps"),
        ("                y\n                == 1.0\n", "                y == 1.0\n"),  # only its layout
    ],
)
def test_an_edit_elsewhere_leaves_the_rank_of_a_change(root: Path, old: str, new: str) -> None:
    assert old in TEXT
    before, after = ranks(TEXT, root), ranks(TEXT.replace(old, new), root)
    assert after | before == after


def test_an_edit_of_a_function_changes_only_ranks_in_it(root: Path) -> None:
    before, after = ranks(TEXT, root), ranks(TEXT.replace("x < LIMIT", "x < LIMIT + 1"), root)
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    assert len(gone) == 3  # all that hold the condition
    assert {name.split(":")[0] for name in gone | new} == {"Rule.keeps"}
    assert all(after[name] == rank for name, rank in before.items() if name not in gone)


def test_the_same_change_twice_in_a_function_has_two_ranks(root: Path) -> None:
    text = "def f(x):\n    return x == 1.0 or x + 2 == 1.0\n"
    assert [key for key in ranks(text, root) if key.startswith("f: 1.0")] == ["f: 1.0 -> 2.0 0", "f: 1.0 -> 2.0 1"]


def test_a_function_of_another_file_or_class_has_other_ranks(root: Path) -> None:
    other = FILE.with_name("other.py")
    (root / other).write_text(TEXT)
    moved = [mutant.rank(0) for mutant in mutants_of(other)]
    renamed = ranks(TEXT.replace("Rule", "Law").replace("LIMIT", "MOST"), root)
    assert not set(moved) & set(renamed.values())
    assert not set(ranks(TEXT, root).values()) & {*moved, *renamed.values()}


def test_a_sample_is_the_first_by_rank() -> None:
    every = mutants_of(FILE)
    whole = sample_of(every, 0, 400)
    assert sorted(whole, key=every.index) == every
    assert [mutant.rank(0) for mutant in whole] == sorted(mutant.rank(0) for mutant in every)
    assert sample_of(every, 0, 4) == whole[:4]
    part = [mutant for mutant in every if mutant.within == "Rule.keeps"]
    assert sample_of(part, 0, 400) == [mutant for mutant in whole if mutant in part]
    assert sample_of(every, 1, 400) != whole


def test_a_sample_does_not_depend_on_the_run_or_machine() -> None:
    assert found("2").rank(0) == hashlib.sha256(b"0\0domain/example.py\0LIMIT\x002\x003\x000").hexdigest()
