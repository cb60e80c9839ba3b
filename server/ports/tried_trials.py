"""How many trials sweeps have tried on the same data, whatever has become of the sweeps."""

from collections.abc import Mapping
from typing import Protocol

from domain.sweep.tried import EarlierTrials, SharpeSums


class TriedTrials(Protocol):
    """Counts of trials. A sweep is known by its epoch, which no later one with its name has."""

    async def begin(self, owner: str, epoch: str, trials: Mapping[str, int]) -> EarlierTrials:
        """Counts the trials of a sweep, by the name of the data of each, unless they are counted already.

        Returns those of the owner's sweeps on any of these data that were counted before this one.
        """
        ...

    async def scored(self, owner: str, epoch: str, sums: SharpeSums) -> None:
        """Keeps what is known of the Sharpe ratios of a sweep on one set of data, in the place of what was known."""
        ...
