"""Counts what sweeps try on the same data, so that the best of many sweeps is not taken for the best of one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable

from domain.records import dataclass
from domain.sweep.tried import EarlierTrials
from server.jobs.backtest_run import EncodedBacktest
from server.jobs.checkpoint_writer import until_stored
from server.ports.jobs import JobInputs, JobRecord
from server.ports.tried_trials import TriedTrials


@dataclass(frozen=True, slots=True)
class SweepCount:
    """The count of one sweep; without a store of counts nothing is known of others."""

    tried: TriedTrials | None
    record: JobRecord

    async def begin(self) -> EarlierTrials | None:
        """Counts its trials, before any of them runs: one that was begun may have been seen by somebody."""
        if self.tried is None:
            return None
        trials = await asyncio.to_thread(trials_by_data, self.record.inputs)  # parses up to a hundred sets of data
        return await self.tried.begin(self.record.owner, self.record.epoch, trials)

    async def scored(self, working: Awaitable[EncodedBacktest]) -> EncodedBacktest:
        """What comes of the sweep, once its Sharpe ratios are kept for later ones."""
        tried, found = self.tried, await working
        sums = found.sharpe_sums
        if tried is not None and sums is not None and not self.record.inputs.set_of:
            owner, epoch = self.record.owner, self.record.epoch
            await until_stored(lambda: tried.scored(owner, epoch, sums), self.record.id)
        return found


def trials_by_data(inputs: JobInputs) -> dict[str, int]:
    """Number of trials of a sweep by the name of the data that they run on, which is that of their contents."""
    if not inputs.set_of:
        return {inputs.data: inputs.trial_count}
    return dict(Counter(inputs.sets[place].data for place in inputs.set_of))
