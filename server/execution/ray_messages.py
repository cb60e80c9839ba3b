"""What the server and the driver of a Ray cluster, its child process, tell each other: one pickle to a frame."""

import pickle
from typing import Any

from domain.records import dataclass
from server.execution.worker import LENGTH_BYTES


@dataclass(frozen=True, slots=True)
class Submit:
    """To the driver: run a task. Its work names the files that it reads by their place in `paths`."""

    number: int
    work: bytes
    paths: tuple[str, ...]
    reports: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """To the driver: nobody waits for a task any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """To the server: the cluster can be used, and this is how many processors it has now."""

    processors: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """To the server: the cluster cannot be used, and why; the driver ends."""

    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """To the server: something that a task sent, as the pickle of a TaskReport, a TimeLimit or an Outcome."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Died:
    """To the server: the process or the machine of a task is gone."""

    number: int
    how: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """To the server: no node can run a task, since all have other versions of libraries."""

    number: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """To the server: a node is not used, and in which versions it differs."""

    host: str
    differing: str


def framed(message: object) -> bytes:
    """A message with its length before it."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def unframed(frame: bytes) -> Any:
    """The message of a frame, from our own child or parent."""
    return pickle.loads(frame)  # noqa: S301  # from our own process
