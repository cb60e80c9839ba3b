"""The trials of a grid in a fixed order: every combination of its axes, the values of the last axis change fastest."""

import math
from collections import Counter
from collections.abc import Sequence

from domain.errors import InvalidInput
from domain.records import dataclass

MOST_TRIALS = 10_000

LABEL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter and how each of its values is written.

    Raises InvalidInput for a value that appears twice: its trials would be counted twice.
    """

    path: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        twice = next((value for value, count in Counter(self.values).items() if count > 1), None)
        if twice is not None:
            raise InvalidInput("values", f"must differ from each other, but {twice} is there more than once")


@dataclass(frozen=True, slots=True)
class Grid:
    """Axes of a sweep. Raises InvalidInput for a path that appears twice and for more than `MOST_TRIALS` trials."""

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        paths: set[str] = set()
        for i, axis in enumerate(self.axes):
            if axis.path in paths:
                raise InvalidInput(f"axes[{i}].path", f"must differ from the other axes, is {axis.path} again")
            paths.add(axis.path)
        if self.count > MOST_TRIALS:
            sizes = " x ".join(str(len(axis.values)) for axis in self.axes)
            raise InvalidInput(
                "axes", f"must have at most {MOST_TRIALS} combinations, have {sizes} = {self.count}: give fewer values"
            )

    @property
    def count(self) -> int:
        """Number of trials."""
        return math.prod(len(axis.values) for axis in self.axes)

    def places(self, trial: int) -> tuple[int, ...]:
        """For each axis the index of the value that a trial has."""
        found: list[int] = []
        for axis in reversed(self.axes):
            trial, place = divmod(trial, len(axis.values))
            found.append(place)
        return tuple(reversed(found))

    def label(self, trial: int) -> str:
        """A trial as people read it: "costs.commission_bps=5, strategy=momentum"."""
        pairs = zip(self.axes, self.places(trial), strict=True)
        return ", ".join(f"{axis.path}={axis.values[place]}" for axis, place in pairs)


def listed_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels of trials as they are shown; those that are equal then are told apart by their places, from 0."""
    short = [shortened(one) for one in labels]
    counts = Counter(short)
    return tuple(one if counts[one] == 1 else f"{one} [{i}]" for i, one in enumerate(short))


def shortened(label: str) -> str:
    """A label, or its beginning where it is longer than a line of text should be."""
    return label if len(label) <= LABEL_CHARACTERS else label[: LABEL_CHARACTERS - 3] + "..."
