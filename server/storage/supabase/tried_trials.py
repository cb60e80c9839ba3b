"""Counts of trials on Supabase."""

from collections.abc import Mapping

from domain.sweep.tried import EarlierTrials, SharpeSums
from server.storage.supabase.rpc import Rpc


class SupabaseTriedTrials:
    """Those of one project. Both functions may be repeated."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def begin(self, owner: str, epoch: str, trials: Mapping[str, int]) -> EarlierTrials:
        """Counts the trials of a sweep once; those that were counted before."""
        row = await self._rpc.call("begin_tried_trials", p_owner=owner, p_epoch=epoch, p_trials=dict(trials))
        count, known, total, squares = row
        return EarlierTrials(int(count), SharpeSums(int(known), float(total), float(squares)))

    async def scored(self, owner: str, epoch: str, sums: SharpeSums) -> None:
        """Keeps the Sharpe ratios of a sweep."""
        await self._rpc.call(
            "score_tried_trials",
            p_owner=owner,
            p_epoch=epoch,
            p_count=sums.count,
            p_sum=sums.total,
            p_squares=sums.squares,
        )
