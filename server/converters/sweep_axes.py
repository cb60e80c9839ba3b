"""Axes of a sweep: their paths are checked against the descriptor of the contract when the sweep is sent."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from absfinance.v1.backtest_pb2 import Strategy
from absfinance.v1.backtest_service_pb2 import BacktestRequest, SweepRequest
from absfinance.v1.sweep_pb2 import SweepTrial
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.type.date_pb2 import Date

from domain.errors import InvalidInput
from domain.records import dataclass
from domain.sweep.expansion import Axis

AxisProto = SweepRequest.Axis

OF_THE_SWEEP = ("request_id", "backtest_id", "wait", "validate_only", "label")
"""Fields of a backtest that say how it is sent and kept: a sweep has its own."""

PANELS = ("prices", "returns", "open_prices")

_STEP = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(?:\[(\d{1,6})\])?")
_NUMBERS = {
    FieldDescriptor.CPPTYPE_DOUBLE: None,
    FieldDescriptor.CPPTYPE_FLOAT: None,
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
"""Kinds of numbers with the least and the greatest whole one."""

_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Step:
    """One field on the way, and which entry of a list."""

    field: FieldDescriptor
    index: int | None


@dataclass(frozen=True, slots=True)
class BoundAxis:
    """An axis whose path leads to a field and whose values fit it."""

    axis: Axis
    steps: tuple[Step, ...]
    values: tuple[Any, ...]  # as the field takes them
    settings: tuple[SweepTrial.Setting, ...]

    @property
    def varies_stored_data(self) -> bool:
        """Whether trials may need different stored prices."""
        return self.steps[0].field.name == "market_data"

    def apply(self, request: BacktestRequest, place: int) -> None:
        """Sets the field of a request to one of the values. Raises InvalidInput where the request has no such place."""
        message: Any = request
        for step in self.steps[:-1]:
            self._require_same_branch(message, step.field)
            message = getattr(message, step.field.name)
            if step.index is not None:
                message = self._entry(message, step)
        field, value = self.steps[-1].field, self.values[place]
        self._require_same_branch(message, field)
        if isinstance(value, Message):
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)

    def _entry(self, entries: Any, step: Step) -> Any:
        if step.index is None or step.index >= len(entries):
            rule = f"{self.axis.path}: the base request has {len(entries)} {step.field.name}, counted from 0"
            raise InvalidInput("path", rule)
        return entries[step.index]

    def _require_same_branch(self, message: Message, field: FieldDescriptor) -> None:
        """Raises InvalidInput where another member of a oneof is set: it would go, and all that is in it."""
        one = field.containing_oneof
        if one is None:
            return
        other = message.WhichOneof(one.name)
        if other not in (None, field.name):
            rule = f"{self.axis.path}: the request has {other} where {field.name} would be set; only one can be"
            raise InvalidInput("path", rule)


def bound_axis(axis: AxisProto) -> BoundAxis:
    """Checks a path and the values for it. Raises InvalidInput, its field seen from the axis."""
    steps = tuple(_steps(axis.path))
    field, kind = steps[-1].field, axis.WhichOneof("values") or "numbers"
    read = _reader(axis.path, field, kind)
    sent = getattr(axis, kind).values
    values = []
    for k, one in enumerate(sent):
        try:
            values.append(read(one))
        except ValueError as error:
            raise InvalidInput(f"{kind}.values[{k}]", f"{axis.path} {error}, is {_shown(one)}") from None
    texts = _texts(kind, sent)
    _refuse_equal(kind, values)
    try:
        named = Axis(axis.path, texts)
    except InvalidInput as error:
        raise InvalidInput(f"{kind}.values", error.rule) from None
    return BoundAxis(named, steps, tuple(values), tuple(_settings(axis.path, kind, sent, texts)))


def _refuse_equal(kind: str, values: Sequence[Any]) -> None:
    """Raises InvalidInput where two values are the same in other words, as 60s and 60.0s."""
    first: dict[object, int] = {}
    for k, value in enumerate(values):
        key = value.SerializeToString(deterministic=True) if isinstance(value, Message) else value
        if first.setdefault(key, k) != k:
            raise InvalidInput(f"{kind}.values[{k}]", f"must differ from the others, but is values[{first[key]}] again")


def _steps(path: str) -> Iterator[Step]:
    """The fields on the way. Raises InvalidInput for one that is not there or cannot be a parameter."""
    kind: Any = BacktestRequest.DESCRIPTOR
    parts = path.split(".")
    for i, part in enumerate(parts):
        found = _STEP.fullmatch(part)
        field = None if found is None else _field(kind, found[1])
        if found is None or field is None:
            names = ", ".join(one.name for one in kind.fields)
            raise InvalidInput("path", f"{path}: {kind.name} has no field {part}; it has {names}")
        if i == 0 and field.name in OF_THE_SWEEP:
            raise InvalidInput("path", f"{path}: says how a request is kept, and is no parameter of a backtest")
        if i == 0 and field.name in PANELS:
            raise InvalidInput(
                "path", f"{path}: all trials of a grid have the same {field.name}; send a list of trials"
            )
        index = None if found[2] is None else int(found[2])
        yield _checked_step(path, part, Step(field, index), is_last=i == len(parts) - 1)
        if field.message_type is not None:
            kind = field.message_type


def _field(kind: Descriptor, name: str) -> FieldDescriptor | None:
    found: FieldDescriptor | None = kind.fields_by_name.get(name) or kind.fields_by_camelcase_name.get(name)
    return found


def _checked_step(path: str, part: str, step: Step, *, is_last: bool) -> Step:
    field, index = step.field, step.index
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    if is_last and (field.is_repeated or index is not None):
        raise InvalidInput("path", f"{path}: {part} is a list, and an axis sets one value")
    if not is_last and (field.message_type is None or is_map):
        raise InvalidInput("path", f"{path}: {part} has no fields inside")
    if not is_last and field.is_repeated and index is None:
        raise InvalidInput("path", f"{path}: {part} is a list: say which entry, as in {part}[0]")
    if not is_last and not field.is_repeated and index is not None:
        raise InvalidInput("path", f"{path}: {field.name} is not a list")
    return step


def _reader(path: str, field: FieldDescriptor, kind: str) -> Callable[[Any], Any]:
    """What makes a value of the field from one of the axis. Raises InvalidInput where the kinds do not fit."""
    message = None if field.message_type is None else field.message_type.full_name
    wanted = "strings"
    read: Callable[[Any], Any] = _as_it_is
    if message == Strategy.DESCRIPTOR.full_name:
        wanted = "strategies"
    elif message == Duration.DESCRIPTOR.full_name:
        read = _duration
    elif message == Date.DESCRIPTOR.full_name:
        read = _date
    elif message is not None:
        raise InvalidInput("path", f"{path}: {message.rpartition('.')[2]} is a message: go on to a field inside it")
    elif field.enum_type is not None:
        return _wanting(path, "strings", kind, lambda text: _enum(field, text))
    elif field.cpp_type in _NUMBERS:
        return _wanting(path, "numbers", kind, lambda number: _number(field, number))
    elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        read = _boolean
    return _wanting(path, wanted, kind, read)


def _wanting(path: str, wanted: str, kind: str, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if kind != wanted:
        raise InvalidInput(kind, f"{path} takes {wanted}, not {kind}")
    return read


def _as_it_is(value: Any) -> Any:
    return value


def _number(field: FieldDescriptor, number: float) -> float | int:
    limits = _NUMBERS[field.cpp_type]
    if limits is None:
        return number
    if not number.is_integer() or not limits[0] <= number <= limits[1]:
        raise ValueError(f"must be a whole number from {limits[0]} to {limits[1]}")
    return int(number)


def _enum(field: FieldDescriptor, text: str) -> int:
    kind: Any = field.enum_type
    known = kind.values_by_name
    if text not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return int(known[text].number)


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError("must be true or false")
    return _BOOLEANS[text]


def _duration(text: str) -> Duration:
    found = Duration()
    try:
        found.FromJsonString(text)
    except ValueError:
        raise ValueError("must be a number of seconds such as 1.5s") from None
    return found


def _date(text: str) -> Date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date such as 2020-01-31") from None
    return Date(year=found.year, month=found.month, day=found.day)


def _texts(kind: str, sent: Any) -> tuple[str, ...]:
    """How values are written; strategies by their labels, by their kinds where they have none."""
    if kind != "strategies":
        return tuple(map(_shown, sent))
    names = [one.label or one.WhichOneof("kind") or "" for one in sent]
    return tuple(name if names.count(name) == 1 else f"{name} [{i}]" for i, name in enumerate(names))


def _shown(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _settings(path: str, kind: str, sent: Any, texts: tuple[str, ...]) -> Iterator[SweepTrial.Setting]:
    for value, text in zip(sent, texts, strict=True):
        if kind == "numbers":
            yield SweepTrial.Setting(path=path, number=value)
        elif kind == "strings":
            yield SweepTrial.Setting(path=path, text=value)
        else:
            yield SweepTrial.Setting(path=path, strategy=text)
