"""Records are dataclasses of the standard library, in everything that can be seen: both are defined and compared."""

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import numpy as np
import pytest

from domain import records
from tests.conftest import ROOT

DEFINE: dict[str, Callable[..., Any]] = {"ours": records.dataclass, "theirs": dataclasses.dataclass}


def three_classes(dataclass: Callable[..., Any]) -> Any:
    """A class with every kind of field that the code has, one that inherits from it, and one without fields."""

    @dataclass(frozen=True, slots=True)
    class Order:
        symbol: str
        units: float = 1.0
        tags: list[str] = field(default_factory=list)
        key: bytes = field(default=b"secret", repr=False)
        place: int = field(default=0, compare=False)
        weight: float = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "weight", self.units / 10)

    @dataclass(frozen=True, slots=True)
    class Limited(Order):
        limit: float = 5.0

    @dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    return Order, Limited, Nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    values: Any
    name: str = "x"


@records.dataclass(frozen=True, slots=True)
class Ours:
    values: Any
    name: str = "x"


@records.dataclass(frozen=True, slots=True)
class OneArray:
    values: Any


def seen(dataclass: Callable[..., Any]) -> list[Any]:
    order, limited, nothing = three_classes(dataclass)
    first, second = order("A", 2.0, ["t"]), order("A", units=2.0, tags=["t"], place=7)
    return [
        repr(first).replace("three_classes.<locals>.", ""),
        repr(limited("B")).replace("three_classes.<locals>.", ""),
        repr(nothing()),
        first == second,
        first == order("A", 3.0, ["t"]),
        first == limited("A", 2.0, ["t"]),
        first.__eq__(2),
        nothing() == nothing(),
        hash(nothing()) == hash(nothing()),
        dataclasses.asdict(first),
        dataclasses.astuple(limited("B", limit=1.0)),
        dataclasses.replace(second, units=4.0).weight,
        [one.name for one in dataclasses.fields(limited)],
        order.__match_args__,
        limited.__match_args__,
        order.__slots__,
        limited.__slots__,
        hasattr(first, "__dict__"),
        first.tags is order("A").tags,
    ]


def test_what_can_be_seen_is_the_same() -> None:
    assert seen(records.dataclass) == seen(dataclasses.dataclass)


@pytest.mark.parametrize("dataclass", DEFINE.values(), ids=DEFINE)
def test_fields_are_frozen_and_asked_for(dataclass: Callable[..., Any]) -> None:
    order, limited, _ = three_classes(dataclass)
    for record in (order("A"), limited("A")):
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'units'"):
            record.units = 2.0
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'units'"):
            del record.units
    with pytest.raises(TypeError, match=r"Order.__init__\(\) missing 1 required positional argument: 'symbol'"):
        order()
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        hash(order("A"))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301  # ours
def test_records_are_copied(copied: Callable[[Any], Any]) -> None:
    for one in (Ours([1.0], "a"), Theirs([1.0], "a")):
        assert copied(one) == one
        assert type(copied(one)) is type(one)
    assert hash(Ours((1.0,))) == hash(Theirs((1.0,)))


def test_one_array_is_compared_as_one_value() -> None:
    """Of a tuple with the same array in it, and not element by element, which has no single truth."""
    values = np.array([1.0, 2.0])
    assert OneArray(values) == OneArray(values)
    assert Ours(values) == Ours(values)
    with pytest.raises(ValueError, match="ambiguous"):
        assert OneArray(values) != OneArray(values.copy())


def test_a_method_of_the_class_stays() -> None:
    @records.dataclass(frozen=True, slots=True)
    class Shouting:
        word: str

        def __repr__(self) -> str:
            return self.word.upper()

    assert repr(Shouting("no")) == "NO"


def test_a_record_that_holds_itself_is_shown() -> None:
    holder = Ours([])
    holder.values.append(holder)
    assert repr(holder).endswith("Ours(values=[...], name='x')")


def test_classes_of_the_server_are_defined_by_it() -> None:
    """One by the standard library costs what six cost here, and cannot inherit from one of these."""
    theirs = re.compile(r"^from dataclasses import .*\bdataclass\b|@dataclasses\.dataclass", re.MULTILINE)
    modules = [path for folder in ("domain", "server") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in modules if theirs.search(path.read_text())] == []


def test_what_is_not_frozen_is_the_standard_librarys() -> None:
    @records.dataclass(slots=True)
    class Counter:
        count: int = 0

    counter = Counter()
    counter.count += 1
    assert repr(counter).endswith("Counter(count=1)")

    @records.dataclass
    class Plain:
        count: int

    assert Plain(2) == Plain(2)
