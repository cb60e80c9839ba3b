"""What the listener knows between changes, and its bytes in the store."""

import json
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Final

from domain.errors import InvalidInput
from domain.monitoring.codec import state_from_bytes, state_to_bytes
from domain.monitoring.mandate import Action, LastStart, TargetKind, Trigger, TriggerHistory
from domain.monitoring.signals import EventKind
from domain.monitoring.state import MonitorState
from domain.records import dataclass

VERSION: Final = 2
"""Of the bytes. Of another version everything is read anew."""

_LENGTH: Final = 8
"""Bytes of the length of the JSON, little-endian."""

Weights = Mapping[str, float]


def name_of(owner: str, portfolio_id: str) -> str:
    """A portfolio of an owner as the monitor names it: ids have no "@"."""
    return f"{portfolio_id}@{owner}"


def owner_and_id(name: str) -> tuple[str, str]:
    """The owner and the id of a portfolio that the monitor names."""
    portfolio_id, _, owner = name.partition("@")
    return owner, portfolio_id


@dataclass(frozen=True, slots=True)
class Followed:
    """A portfolio, beside what the monitor knows of it."""

    triggers: tuple[Trigger, ...] = ()
    target: TargetKind = TargetKind.NONE
    optimal: Weights | None = None  # weights of its last optimisation, where that is its target
    currency: str = ""  # of its cash and of all its prices, as it was read; "" where nothing names one
    history: TriggerHistory = field(default_factory=dict)

    @property
    def owes(self) -> bool:
        """Whether something is to be started after a cooldown."""
        return any(last.owed for last in self.history.values())

    def with_mandate(self, triggers: tuple[Trigger, ...], target: TargetKind) -> "Followed":
        """With a mandate; other triggers begin without a history."""
        history = self.history if triggers == self.triggers else {}
        return replace(self, triggers=triggers, target=target, history=history)


NOT_FOLLOWED: Final = Followed()
"""Of a portfolio that is not known."""


@dataclass(frozen=True, slots=True)
class Unconverted:
    """A portfolio that is not watched, since its prices are in several currencies."""

    symbols: frozenset[str]  # all assets that it holds or wants
    symbol: str  # one whose price is in another currency
    why: str  # for people; it is told again where it changes


@dataclass(frozen=True, slots=True)
class Memory:
    """Where the listener stands; never changed, so that a change that could not be stored is simply done again."""

    monitor: MonitorState = field(default_factory=MonitorState)
    portfolios: Mapping[str, Followed] = field(default_factory=dict)
    revision: int = 0  # of the latest data that was read; each reading has a higher one
    unreadable: frozenset[str] = frozenset()  # portfolios whose stored bytes cannot be read, and which are not watched
    unconverted: Mapping[str, Unconverted] = field(default_factory=dict)  # portfolios with prices in other currencies
    told: int = 0  # sequence of the latest event that it knows of; signals after it are those of a listener that died

    def next_revision(self) -> "Memory":
        """Before data is read."""
        return replace(self, revision=self.revision + 1)


def memory_to_bytes(memory: Memory) -> bytes:
    """As the store keeps it."""
    record = {
        "version": VERSION,
        "revision": memory.revision,
        "told": memory.told,
        "unreadable": sorted(memory.unreadable),
        "unconverted": {name: [sorted(one.symbols), one.symbol, one.why] for name, one in memory.unconverted.items()},
        "portfolios": {name: _written(one) for name, one in memory.portfolios.items()},
    }
    text = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    return b"".join([len(text).to_bytes(_LENGTH, "little"), text, state_to_bytes(memory.monitor)])


def memory_from_bytes(data: bytes) -> Memory:
    """As `memory_to_bytes` wrote it. Raises InvalidInput for other bytes, and for those of another version."""
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    try:
        record = json.loads(data[_LENGTH:end])
        if record["version"] != VERSION:
            raise InvalidInput("state", f"is of version {record['version']}, must be of version {VERSION}")
        portfolios = {name: _read(one) for name, one in record["portfolios"].items()}
        revision, told = int(record["revision"]), int(record["told"])
        unreadable = frozenset(record["unreadable"])
        unconverted = {
            name: Unconverted(frozenset(symbols), symbol, why)
            for name, (symbols, symbol, why) in record["unconverted"].items()
        }
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise InvalidInput("state", "must be the bytes of a listener's state") from error
    return Memory(state_from_bytes(data[end:]), portfolios, revision, unreadable, unconverted, told)


def _written(one: Followed) -> dict[str, Any]:
    return {
        "triggers": [
            [trigger.event, trigger.action, trigger.threshold, trigger.clear_threshold, trigger.cooldown_seconds]
            for trigger in one.triggers
        ],
        "target": one.target,
        "optimal": None if one.optimal is None else dict(one.optimal),
        "currency": one.currency,
        "history": [[place, last.time, list(last.owed)] for place, last in one.history.items()],
    }


def _read(one: dict[str, Any]) -> Followed:
    triggers = tuple(
        Trigger(EventKind(event), Action(action), *figures) for event, action, *figures in one["triggers"]
    )  # fmt: skip
    history = {int(place): LastStart(time, tuple(owed)) for place, time, owed in one["history"]}
    return Followed(triggers, TargetKind(one["target"]), one["optimal"], one["currency"], history)
