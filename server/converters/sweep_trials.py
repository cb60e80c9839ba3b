"""The trials of a sweep as they are stored and listed: which belong on a page, and where they are.

A sweep that has succeeded has an index of its trials and two copies of them in pieces, one in its own order and one
best first, so that a page reads the pieces that it is made of. Otherwise trials are in the parts of the job.
"""

import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from absfinance.v1.backtest_service_pb2 import ListSweepTrialsResponse
from absfinance.v1.sweep_pb2 import SweepTrial
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.records import dataclass
from domain.sweep.ranking import Ranking, Score, ranking
from server.commands.sweep import TrialOrder, TrialsPage
from server.jobs.sweep_state import TrialDone
from server.ports.jobs import JobState

PIECE_TRIALS = 1000
"""Trials that are stored together: two such pieces hold every page without a filter."""

INDEX = "index"


@dataclass(frozen=True, slots=True)
class TrialIndex:
    """What is needed of all trials that are over to know which belong on a page, in the order of the sweep."""

    places: NDArray[np.int32]  # in the sweep
    failed: NDArray[np.bool_]
    best_first: NDArray[np.int32]  # numbers of the trials here; those without a score come last

    @classmethod
    def of(cls, trials: Iterable[TrialDone], score: Score) -> "TrialIndex":
        """Of trials in any order."""
        found = sorted(trials, key=lambda one: one.index)
        return cls.ranked(found, ranking({k: one.score for k, one in enumerate(found) if one.score is not None}, score))

    @classmethod
    def ranked(cls, trials: Sequence[TrialDone], ranked: Ranking) -> "TrialIndex":
        """Of trials in the order of the sweep, and their numbers by their scores."""
        without = [k for k, one in enumerate(trials) if one.score is None]
        return cls(
            np.array([one.index for one in trials], np.int32),
            np.array([one.error is not None for one in trials], np.bool_),
            np.array([*ranked.order, *without], np.int32),
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "TrialIndex":
        """As `to_bytes` wrote it."""
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return cls(file["places"], file["failed"], file["best_first"])

    def to_bytes(self) -> bytes:
        """As it is stored."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, places=self.places, failed=self.failed, best_first=self.best_first)
        return buffer.getvalue()

    def ordered(self, order: TrialOrder) -> list[int]:
        """Numbers of the trials here, in an order."""
        numbers: list[int] = self.best_first.tolist()
        return numbers if order is TrialOrder.BEST_FIRST else list(range(len(self.places)))


@dataclass(frozen=True, slots=True)
class Shown:
    """The trials of a page."""

    places: tuple[int, ...]  # in the sweep
    positions: tuple[int, ...]  # in the order of the page, of all trials
    next_token: str


def shown(index: TrialIndex, page: TrialsPage) -> Shown:
    """The trials on a page: those that follow the last one of the page before, whatever has been added meanwhile.

    Raises InvalidInput for a token that is not of this list.
    """
    ordered = index.ordered(page.order)
    first = _first(index, ordered, page)
    wanted = [at for at in range(first, len(ordered)) if _is_in(index, ordered[at], page.state)]
    taken = wanted[: page.size]
    places = tuple(int(index.places[ordered[at]]) for at in taken)
    token = _token(places[-1], page) if len(wanted) > len(taken) else ""
    return Shown(places, tuple(taken), token)


def _is_in(index: TrialIndex, number: int, state: JobState | None) -> bool:
    if state is None:
        return True
    return state is (JobState.FAILED if index.failed[number] else JobState.SUCCEEDED)


def _first(index: TrialIndex, ordered: Sequence[int], page: TrialsPage) -> int:
    """The position after the last trial of the page before."""
    if not page.token:
        return 0
    digits, _, rest = page.token.partition(".")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 9):
        raise InvalidInput("page_token", "is not a token of an earlier page; begin again without a token")
    if rest != _token(0, page).partition(".")[2]:
        raise InvalidInput("page_token", "belongs to a list with other filters; begin again without a token")
    number = int(np.searchsorted(index.places, int(digits)))
    if number == len(index.places) or index.places[number] != int(digits):
        raise InvalidInput("page_token", "names a trial that is not in this list; begin again without a token")
    return ordered.index(number) + 1


def _token(place: int, page: TrialsPage) -> str:
    return f"{place}.{page.order}.{page.state or ''}"


def stored_series(trials: Sequence[TrialDone], ranked: Ranking) -> tuple[tuple[str, bytes], ...]:
    """What a sweep of these trials, all of them in order, keeps to list them."""
    index = TrialIndex.ranked(trials, ranked)
    pieces = [
        (piece_name(order, k), _piece([trials[number] for number in numbers]))
        for order in TrialOrder
        for k, numbers in enumerate(_in_pieces(index.ordered(order)))
    ]
    return (*pieces, (INDEX, index.to_bytes()))


def piece_name(order: TrialOrder, number: int) -> str:
    """The label under which a piece is stored."""
    return str(number) if order is TrialOrder.SWEEP else f"best/{number}"


def _in_pieces(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[first : first + PIECE_TRIALS] for first in range(0, len(numbers), PIECE_TRIALS)]


def _piece(trials: Sequence[TrialDone]) -> bytes:
    message = ListSweepTrialsResponse(trials=[SweepTrial.FromString(one.trial) for one in trials])
    return message.SerializeToString()


def pieces_of(found: Shown) -> list[int]:
    """Numbers of the pieces that hold a page, each once."""
    return sorted({position // PIECE_TRIALS for position in found.positions})


def page_of_pieces(found: Shown, pieces: Mapping[int, bytes]) -> bytes:
    """A page from the pieces that hold it."""
    read = {number: ListSweepTrialsResponse.FromString(piece).trials for number, piece in pieces.items()}
    trials = [read[position // PIECE_TRIALS][position % PIECE_TRIALS] for position in found.positions]
    return _page(trials, found.next_token)


def page_of_trials(found: Shown, trials: Mapping[int, TrialDone]) -> bytes:
    """A page from trials by their places."""
    return _page([SweepTrial.FromString(trials[place].trial) for place in found.places], found.next_token)


def _page(trials: Sequence[SweepTrial], next_token: str) -> bytes:
    encoded: bytes = ListSweepTrialsResponse(trials=trials, next_page_token=next_token).SerializeToString()
    return encoded
