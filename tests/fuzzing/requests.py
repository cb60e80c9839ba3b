"""The requests of a run: request `index` of a seed is the same in every run that knows the same examples and names."""

import json
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from tests.fuzzing.contract import Method, field_count, methods, new, submessages
from tests.fuzzing.messages import PRESENCE, Maker
from tests.fuzzing.mutations import enlarged, garbled, mutated

ROOT = Path(__file__).parents[2]
CALL = re.compile(r"```sh\n(grpcurl [^`]*?)\n```")
NANOS = 500_000_000
"""The time limit that most requests give to solvers, where they can give one, and that most wait for a job."""

KINDS = {"ordinary": 40, "mutated": 42, "wild": 10, "garbled": 5, "huge": 3}
"""How often a request is made in which way."""

LIGHT_KINDS = {"broken": 40, "wild": 30, "garbled": 24, "ordinary": 3, "mutated": 3}
"""The same for many requests: most are small and refused, since one that is valid costs as much as a hundred others."""


@dataclass(frozen=True)
class Request:
    """A request as it is sent: a method, the bytes of its messages, and how they were made."""

    method: Method
    messages: tuple[bytes, ...]
    kind: str


@dataclass(frozen=True)
class Example:
    """A documented call that a server answers."""

    method: Method
    messages: tuple[Message, ...]


def documented() -> tuple[Example, ...]:
    """The calls that the pages show, in their order; those that are no valid requests are left out."""
    known = {method.path.removeprefix("/"): method for method in methods()}
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for call in CALL.findall(page.read_text()):
            words = shlex.split(call.replace("\\\n", " "))
            method = known.get(words[-1])
            text = words[words.index("-d") + 1] if "-d" in words else "{}"
            if method is not None:
                found.append(Example(method, tuple(_parsed(method, text))))
    return tuple(found)


def _parsed(method: Method, text: str) -> list[Message]:
    decoder, messages, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        messages.append(json_format.ParseDict(value, new(method.request)))
        rest = rest[end:].lstrip()
    return messages


@dataclass(frozen=True)
class Requests:
    """The requests of a seed. `names` are names of stored things by their prefix, such as "backtests/"; `rare` are
    paths of methods to call less often, such as those that are not built."""

    seed: int
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rare: Collection[str] = ()
    examples: Sequence[Example] = field(default_factory=documented)
    light: bool = False

    def request(self, index: int) -> Request:
        """A request."""
        rng = Random(f"{self.seed}:{index}")  # repeatable, not secret
        method = rng.choices(self._methods, self._weights)[0]
        kinds = LIGHT_KINDS if self.light else KINDS
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        edges = 1.0 if kind == "wild" else rng.choice((0.0, 0.0, 0.02, 0.1))
        maker = Maker(rng, edges, self._presence(kind, rng), self.names)
        messages = self._messages(method, maker, kind)
        for message in messages:
            if kind == "mutated":
                _limit(message)
            if kind in ("mutated", "huge") and rng.random() < 0.7:
                mutated(message, maker, rng.choice((1, 1, 2, 3)))
            if kind == "broken":
                mutated(message, maker, rng.choice((3, 4, 6)))
            if rng.random() < 0.95:
                _limit(message)
            if kind == "huge":
                enlarged(message, rng)
        encoded = [message.SerializeToString(deterministic=True) for message in messages]
        if kind == "garbled":
            encoded = [garbled(data, rng) for data in encoded]
        return Request(method, tuple(data for data in encoded if len(data) < 4_190_000), kind)

    def _presence(self, kind: str, rng: Random) -> float:
        if self.light:
            return rng.choice((0.0, 0.0, 0.05, 0.1))
        return 0.4 if kind == "wild" else rng.choice(PRESENCE)

    @cached_property
    def _methods(self) -> tuple[Method, ...]:
        return methods()

    @cached_property
    def _weights(self) -> list[float]:
        return [1.0 if m.path in self.rare else 1.0 + field_count(m.request) ** 0.75 for m in self._methods]

    @cached_property
    def _by_method(self) -> Mapping[str, list[Example]]:
        grouped: dict[str, list[Example]] = {}
        for one in self.examples:
            grouped.setdefault(one.method.path, []).append(one)
        return grouped

    def _messages(self, method: Method, maker: Maker, kind: str) -> list[Message]:
        examples = self._by_method.get(method.path)
        if kind == "mutated" and examples and maker.rng.random() < 0.6:
            return [_copy(message) for message in maker.rng.choice(examples).messages]
        if not method.streams_requests:
            return [maker.message(method.request)]
        # Most streams open with one branch of a oneof and go on with the next.
        count, ordered = maker.rng.choice((0, 1, 2, 3, 4)), maker.rng.random() < 0.85
        return [maker.message(method.request, branch=min(i, 1) if ordered else None) for i in range(count)]


def _copy(message: Message) -> Message:
    return type(message).FromString(message.SerializeToString())


def _limit(message: Message) -> None:
    """Gives solvers a short time wherever a message can, and waits for jobs as long."""
    parts: list[Any] = list(submessages(message))
    for part in parts:
        for name in ("time_limit", "wait"):
            if _is_duration(part, name):
                _set_nanos(getattr(part, name))
        solver = part.DESCRIPTOR.fields_by_name.get("solver")
        if solver is not None and solver.message_type is not None and _is_duration(part.solver, "time_limit"):
            _set_nanos(part.solver.time_limit)


def _set_nanos(duration: Any) -> None:
    duration.seconds, duration.nanos = 0, NANOS


def _is_duration(message: Any, name: str) -> bool:
    found = message.DESCRIPTOR.fields_by_name.get(name)
    return found is not None and found.message_type is not None and found.message_type.name == "Duration"
