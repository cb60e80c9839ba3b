"""Values at the edges of every type, and ordinary ones that keep the rules of a field."""

import math
import re
from collections.abc import Sequence
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from tests.fuzzing.contract import rules

INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), -1, 0, 1, 2, 20240102, 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 1, 2, 1000, 2**31, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), -1, 0, 1, 2**31, 2**53 + 1, 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 1, 2**32, 2**53 + 1, 2**63, 2**64 - 1),
}
NUMBERS = (
    *(math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 1.7976931348623157e308, 1e200, 1e155, 1e100),
    *(1e16, 1e9, 1e-9, 1e-17, 1e-100, 1e-155, 1e-200, 1e-308, -1e-308, 5e-324, 0.5, 1.0 + 2**-52, 1.0 - 2**-53, 1e5),
)
FINITE = tuple(value for value in NUMBERS if math.isfinite(value))
TEXTS = (
    *("", "A", "x" * 64, "x" * 65, "x" * 128, "x" * 129, " ", " A", "A ", "\u00a0A", "A\u200b", "\ufeffA", "\x00"),
    *(
        "a\x00b",
        "\n",
        "\t",
        "\x7f",
        "Ä",
        "株式",
        "🙂",
        "e\u0301",
        "\u202eA",
        "\U0010ffff",
        "A.B/C-D",
        "../../x",
        "%s%n",
    ),
    *("{0}", "'; --", "default:budget", "a" * 5000, "-1", "NaN", "1e400", "backtests/x", "optimizations/" + "x" * 65),
)
BYTES = (b"", b"\x00", b"\xff" * 8, b"\x00" * 7, b"\x7f\xf0" * 64, bytes(8000))
ENUM_NUMBERS = (-(2**31), -1, 99, 2**31 - 1)
ORDINARY = (0.0, 0.01, 0.05, 0.1, 0.25, 0.4, 0.5, 0.9, 0.95, 1.0, 1.5, 2.0, 3.0, 10.0, 100.0, 252.0, 1e4, 1e6, -0.1)
WHOLE = (0, 1, 2, 3, 5, 10, 20, 60, 250)
_KINDS = ("double", "float", "int32", "uint32", "int64", "uint64")


def edge(field: FieldDescriptor, rng: Random) -> Any:
    """A value at an edge of the type of a scalar field, whatever its rules say."""
    kind = field.cpp_type
    if kind in INTEGERS:
        return rng.choice(INTEGERS[kind])
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return rng.choice(NUMBERS if rng.random() < 0.5 else FINITE)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return rng.choice([*ENUM_NUMBERS, *(value.number for value in field.enum_type.values)])
    return rng.choice(TEXTS) if field.type == FieldDescriptor.TYPE_STRING else rng.choice(BYTES)


def ordinary_number(field: FieldDescriptor, rng: Random) -> float | int:
    """A number that keeps the rules of its field; any where none of the ordinary ones does."""
    whole = field.cpp_type in INTEGERS
    candidates: Sequence[float] = WHOLE if whole else ORDINARY
    allowed = [value for value in candidates if _within(_item_rules(field), value)]
    value = rng.choice(allowed or list(candidates))
    return value if whole or rng.random() < 0.5 else value * rng.uniform(0.9, 1.0)


def ordinary_enum(field: FieldDescriptor, rng: Random) -> int:
    """A value of an enum that its field allows."""
    forbidden = set(_item_rules(field).enum.not_in)
    return rng.choice([value.number for value in field.enum_type.values if value.number not in forbidden] or [0])


def fixed_prefixes(field: FieldDescriptor) -> list[str]:
    """The fixed beginnings that a text's pattern allows, such as "backtests/"; none where it has no such pattern."""
    found = re.search(r"([A-Za-z|]+)\)?/\[", _item_rules(field).string.pattern)
    return [f"{name}/" for name in found[1].split("|")] if found else []


def pattern_examples(field: FieldDescriptor, rng: Random) -> list[str]:
    """Texts that match the pattern of a field; none where it has no pattern, or one of another kind."""
    pattern = _item_rules(field).string.pattern
    candidates = ("USD", "EUR", f"id-{rng.randrange(10**6)}")
    return [text for text in candidates if pattern and re.fullmatch(pattern, text)]


def zero_is_allowed(field: FieldDescriptor) -> bool:
    """Whether a scalar field may be left out as far as its own rules say."""
    own = rules(field)
    if own.required:
        return False
    if field.has_presence:
        return True
    if field.type == FieldDescriptor.TYPE_STRING:
        return not own.string.min_len and (not own.string.pattern or re.fullmatch(own.string.pattern, "") is not None)
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return 0 not in own.enum.not_in
    return _within(own, 0)


def _item_rules(field: FieldDescriptor) -> Any:
    return rules(field).repeated.items if field.is_repeated else rules(field)


def _within(own: Any, value: float) -> bool:
    kind = next((name for name in _KINDS if own.HasField(name)), None)
    if kind is None:
        return True
    limits = getattr(own, kind)
    above = (limits.HasField("gt") and value <= limits.gt) or (limits.HasField("gte") and value < limits.gte)
    below = (limits.HasField("lt") and value >= limits.lt) or (limits.HasField("lte") and value > limits.lte)
    return not above and not below
