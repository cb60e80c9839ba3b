"""Makes messages of any kind from its descriptor: ones that keep the rules, ones that break some, and wild ones.

Start at `Maker.message`. What depends on several fields at once, such as the shape of a panel, is told by the names
that such messages share, so that a new message of the same shape is made right as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tests.fuzzing.contract import choices, exclusive_pairs, is_map, must_be_set, new, plain_fields, rules
from tests.fuzzing.values import edge, fixed_prefixes, ordinary_enum, ordinary_number, pattern_examples, zero_is_allowed

DEEPEST = 7
STOCKS = ("AAPL", "JNJ", "XOM", "MSFT", "KO", "GE", "PFE", "WMT")
LABELS = ("x", "caps", "tech", "sector", "technology", "run-1")
FIRST_DAYS = (0, 10_000, 18_000)
EXPECTED = ("label", "name", "weight", "quantity", "price", "periods_per_year")
"""Fields that most messages need, though their rules do not say so."""
PRESENCE = (0.0, 0.05, 0.15, 0.3)


@dataclass
class Maker:
    """Makes the messages of one request: the same random numbers, symbols and names for all its parts.

    `edges` is the share of scalar values that are taken from the edges of their types instead of their rules, and
    `presence` the chance of a field that may be left out. `names` are names of stored things by their prefix.
    """

    rng: Random
    edges: float = 0.0
    presence: float = 0.15
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    symbols: Sequence[str] = ()
    periods_per_year: float = 252.0

    def __post_init__(self) -> None:
        if not self.symbols:
            self.symbols = self.rng.sample(STOCKS, self.rng.choice((1, 2, 2, 3, 3, 4, 6)))

    def message(self, kind: Descriptor, depth: int = 0, branch: int | None = None) -> Message:
        """A message of a kind; `branch` is the place of the field that its first oneof shall have."""
        made = new(kind)
        wanted = [one for one in plain_fields(kind) if self._is_wanted(one, depth)]
        for pair in exclusive_pairs(kind):
            wanted = [one for one in wanted if one not in pair]
            wanted.append(self.rng.choice(pair))
        for choice in choices(kind):
            if branch is not None and choice.index == 0:
                wanted.append(choice.fields[branch % len(choice.fields)])
            elif must_be_set(choice) or self.rng.random() < 0.85:
                wanted.append(self.rng.choice(choice.fields))
        for one in wanted:
            self.fill(made, one, depth)
        if self.rng.random() >= self.edges:
            self._shape(made)
        return made

    def fill(self, made: Message, one: FieldDescriptor, depth: int) -> None:
        """Sets a field."""
        if is_map(one):
            self._fill_map(made, one, depth)
        elif one.is_repeated:
            for index in range(self._count(one)):
                self._append(getattr(made, one.name), one, depth, index)
        elif one.message_type is None:
            setattr(made, one.name, self.scalar(one, 0))
        elif depth < DEEPEST:
            getattr(made, one.name).CopyFrom(self._submessage(one.message_type, depth))
        else:
            getattr(made, one.name).SetInParent()

    def scalar(self, one: FieldDescriptor, index: int) -> Any:
        """A value of a scalar field; `index` is its place in a list."""
        if self.rng.random() < self.edges:
            return edge(one, self.rng)
        if one.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return self.rng.random() < 0.5
        if one.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
            return ordinary_enum(one, self.rng)
        if one.type == FieldDescriptor.TYPE_STRING:
            return self._text(one, index)
        if one.type == FieldDescriptor.TYPE_BYTES:
            return np.arange(self.rng.randrange(5), dtype=float).tobytes()
        return self.periods_per_year if one.name == "periods_per_year" else ordinary_number(one, self.rng)

    def _is_wanted(self, one: FieldDescriptor, depth: int) -> bool:
        if one.is_repeated:
            needed = rules(one).repeated.min_items > 0
        else:
            needed = rules(one).required if one.message_type is not None else not zero_is_allowed(one)
        if needed and self.rng.random() >= self.edges / 4:
            return True
        # What names a thing is meant to be there even where its rules allow it to be absent.
        if _is_symbol(one) or one.name in EXPECTED:
            return self.rng.random() < 0.95
        return depth < DEEPEST and self.rng.random() < self.presence

    def _count(self, one: FieldDescriptor) -> int:
        kind = one.message_type
        if _is_symbol(one) or (kind is not None and any(_is_symbol(inner) for inner in kind.fields)):
            return len(self.symbols) if self.rng.random() < 0.7 else self.rng.randint(1, len(self.symbols))
        return max(rules(one).repeated.min_items, self.rng.choice((1, 1, 2, 3)))

    def _append(self, values: Any, one: FieldDescriptor, depth: int, index: int) -> None:
        if one.message_type is None:
            values.append(self.scalar(one, index))
            return
        made = self._submessage(one.message_type, depth) if depth < DEEPEST else new(one.message_type)
        for inner in one.message_type.fields:
            if inner.name == "symbol" and self.rng.random() >= self.edges:
                made.symbol = self.symbols[index % len(self.symbols)]  # type: ignore[attr-defined]
            if inner.name == "weight" and self.rng.random() >= self.edges:
                made.weight = 1.0 / len(self.symbols)  # type: ignore[attr-defined]
            if inner.name in ("label", "key") and self.rng.random() >= self.edges:
                setattr(made, inner.name, f"{self.rng.choice(LABELS)}-{index}")
        values.append(made)

    def _fill_map(self, made: Message, one: FieldDescriptor, depth: int) -> None:
        key, value = (one.message_type.fields_by_name[name] for name in ("key", "value"))
        values = getattr(made, one.name)
        for index in range(self.rng.choice((1, 2))):
            if value.message_type is None:
                values[self.scalar(key, index)] = self.scalar(value, index)
            else:
                values[self.scalar(key, index)].CopyFrom(self.message(value.message_type, depth + 1))

    def _text(self, one: FieldDescriptor, index: int) -> str:
        prefixes = fixed_prefixes(one)
        if prefixes:
            prefix = self.rng.choice(prefixes)
            return self.rng.choice([*self.names.get(prefix, ()), prefix + "absent"])
        if _is_symbol(one):
            return self.symbols[index % len(self.symbols)]
        fitting = pattern_examples(one, self.rng)
        return self.rng.choice(fitting or LABELS)

    def _submessage(self, kind: Descriptor, depth: int) -> Message:
        match kind.full_name:
            case "google.type.Date":
                return self._date(kind)
            case "google.protobuf.Duration":
                made = new(kind)
                made.nanos = self.rng.choice((100_000_000, 500_000_000))  # type: ignore[attr-defined]
                return made if self.rng.random() >= self.edges else self.message(kind, DEEPEST)
            case "google.protobuf.FieldMask":
                made = new(kind)
                made.paths.extend(self.rng.sample(("holdings", "cash", "display_name", "x"), 2))  # type: ignore[attr-defined]
                return made
        return self.message(kind, depth + 1)

    def _date(self, kind: Descriptor) -> Message:
        made: Any = new(kind)
        ordinary = self.rng.random() >= self.edges
        made.year = self.rng.randint(2014, 2021) if ordinary else self.rng.choice((-1, 0, 1, 9999, 10_000, 2**31 - 1))
        made.month = self.rng.randint(1, 12) if ordinary else self.rng.choice((0, 2, 13, -1))
        made.day = self.rng.randint(1, 28) if ordinary else self.rng.choice((0, 30, 31, 99))
        return made

    def _shape(self, made: Any) -> None:
        """Gives arrays that belong together the same number of assets and dates."""
        names = set(made.DESCRIPTOR.fields_by_name)
        if "symbols" not in names or not names & {"values", "covariance"}:
            return
        del made.symbols[:]
        made.symbols.extend(self.symbols)
        n, numbers = len(self.symbols), np.random.default_rng(self.rng.getrandbits(32))
        if "covariance" in names:
            self._moments(made, n, numbers)
        elif "dates" in names or names >= {"values", "probabilities"}:
            self._panel(made, n, numbers)

    def _moments(self, made: Any, n: int, numbers: np.random.Generator) -> None:
        root = numbers.normal(0.0, 0.1, (n, n + self.rng.choice((-1, 0, 2)) if n > 1 else 1))
        del made.covariance[:]
        made.covariance.extend(self._touched((root @ root.T).ravel()))
        if self.rng.random() < 0.8:
            del made.expected_returns[:]
            made.expected_returns.extend(self._touched(numbers.normal(0.01, 0.02, n)))
        if self.rng.random() < 0.9:
            made.periods_per_year = self.periods_per_year

    def _panel(self, made: Any, n: int, numbers: np.random.Generator) -> None:
        periods = self.rng.choice((1, 2, 3, 5, 12, 40, 40, 120))
        returns = numbers.normal(0.0003, 0.02, (periods, n))
        if self.rng.random() < 0.1:
            returns[:, -1] = self.rng.choice((returns[:, 0], -returns[:, 0], 0.0 * returns[:, 0]))
        values = returns if self.rng.random() < 0.4 else 100.0 * np.cumprod(1.0 + returns, axis=0)
        del made.values[:]
        made.values.extend(self._touched(values.ravel()))
        if "dates" in made.DESCRIPTOR.fields_by_name:
            del made.dates[:]
            first, step = self.rng.choice(FIRST_DAYS), self.rng.choice((1, 1, 7, 30, 13))
            made.dates.extend(range(first, first + step * periods, step))
        elif made.probabilities:
            del made.probabilities[:]
            made.probabilities.extend([1.0 / periods] * periods)

    def _touched(self, values: np.ndarray[Any, Any]) -> list[float]:
        """The values, some of them at an edge."""
        listed = [float(value) for value in values]
        if self.edges and self.rng.random() < 4 * self.edges:
            listed[self.rng.randrange(len(listed))] = self.rng.choice((0.0, 1e308, 1e-308, -1.0, 1e155, float("nan")))
        return listed


def _is_symbol(one: FieldDescriptor) -> bool:
    return one.type == FieldDescriptor.TYPE_STRING and (
        one.name in ("symbol", "symbols") or one.name.endswith("_symbol")
    )
