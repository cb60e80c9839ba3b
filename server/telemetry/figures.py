"""Durations by classes, and figures that are read when somebody asks for them."""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field

from domain.records import dataclass

Labels = Mapping[str, str]

SECONDS: Sequence[float] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)
"""Upper ends of the classes of durations: a small request takes about two milliseconds, a large one minutes."""


@dataclass(slots=True)
class Classes:
    """How many durations fell into each class, the last of which has no upper end, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    sum: float = 0.0


class Durations:
    """A distribution of durations for each combination of labels; any thread may add to it."""

    def __init__(self, name: str, description: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.description = description
        self._labels = labels
        self._found: dict[tuple[str, ...], Classes] = {}
        self._lock = threading.Lock()

    def add(self, seconds: float, *values: str) -> None:
        """Adds one duration with the values of the labels, which must be few: each combination is kept."""
        place = bisect_left(SECONDS, seconds)
        with self._lock:
            classes = self._found.get(values)
            if classes is None:
                classes = self._found[values] = Classes()
            classes.counts[place] += 1
            classes.sum += seconds

    def read(self) -> list[tuple[Labels, Classes]]:
        """What was added so far."""
        with self._lock:
            return [
                (dict(zip(self._labels, values, strict=True)), Classes(list(found.counts), found.sum))
                for values, found in self._found.items()
            ]


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure that is read, in another thread, whenever somebody asks for it."""

    name: str
    unit: str  # "s", or what is counted in braces
    description: str
    read: Callable[[], Iterable[tuple[float, Labels]]]
    only_grows: bool


class Figures:
    """All figures of a server."""

    def __init__(self) -> None:
        self.started_ns = time.time_ns()
        self.all_durations: list[Durations] = []
        self.readings: list[Reading] = []

    def durations(self, name: str, description: str, *labels: str) -> Durations:
        """A distribution of durations, in seconds."""
        made = Durations(name, description, labels)
        self.all_durations.append(made)
        return made

    def gauge(self, name: str, unit: str, description: str, read: Callable[[], Iterable[tuple[float, Labels]]]) -> None:
        """A figure that goes up and down."""
        self.readings.append(Reading(name, unit, description, read, only_grows=False))

    def counter(
        self, name: str, unit: str, description: str, read: Callable[[], Iterable[tuple[float, Labels]]]
    ) -> None:
        """A figure that only grows."""
        self.readings.append(Reading(name, unit, description, read, only_grows=True))
