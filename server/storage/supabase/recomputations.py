"""Recomputations on Supabase: each cause once, bursts as one, claimed with leases by the clock of the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.monitoring.mandate import Action
from server.ports.events import EventDraft, Recomputation, RecomputationDraft
from server.storage.supabase.event_rows import event_argument
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text, kept_texts, text_of_kept


class SupabaseRecomputations:
    """The recomputations of a project, shared by its servers."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def enqueue(self, drafts: Sequence[RecomputationDraft]) -> int:
        """Stores those with causes that are new."""
        count = await self._rpc.call(
            "enqueue_recomputations", p_drafts=recomputation_arguments(drafts), p_token=write_token()
        )
        return int(count)

    async def claim(self, worker: str, lease_seconds: float) -> Recomputation | None:
        """Takes the oldest that may be done now."""
        row = await self._rpc.call(
            "claim_recomputation", p_worker=worker, p_lease_seconds=lease_seconds, p_write=write_token()
        )
        return None if row is None else _recomputation(row)

    async def renew(self, worker: str, claims: Sequence[Recomputation], lease_seconds: float) -> frozenset[int]:
        """Renews leases; the keys of those the worker still has."""
        if not claims:
            return frozenset()
        held = await self._rpc.call(
            "renew_recomputations",
            p_worker=worker,
            p_claims=[[claim.key, claim.attempt] for claim in claims],
            p_lease_seconds=lease_seconds,
        )
        return frozenset(held)

    async def finish(self, worker: str, claim: Recomputation, event: EventDraft) -> bool:
        """Ends one with its event."""
        had = await self._rpc.call(
            "finish_recomputation",
            p_worker=worker,
            p_key=claim.key,
            p_attempt=claim.attempt,
            p_event=event_argument(event),
            p_token=write_token(),
        )
        return bool(had)

    async def release(self, worker: str, claim: Recomputation, delay_seconds: float) -> None:
        """Gives one back; nothing where the worker lost it."""
        await self._rpc.call(
            "release_recomputation",
            p_worker=worker,
            p_key=claim.key,
            p_attempt=claim.attempt,
            p_delay_seconds=delay_seconds,
        )


def recomputation_arguments(drafts: Sequence[RecomputationDraft]) -> list[dict[str, object]]:
    """Recomputations to store."""
    return [
        {
            "owner": draft.owner,
            "portfolio": kept_text(draft.portfolio),
            "action": draft.action,
            "causes": kept_texts(draft.causes),
            "sequence": draft.signal_sequence,
            "key": kept_text(draft.signal_key),
        }
        for draft in drafts
    ]


def _recomputation(row: Mapping[str, Any]) -> Recomputation:
    return Recomputation(
        key=row["key"],
        owner=row["owner"],
        portfolio=text_of_kept(row["portfolio"]),
        action=Action(row["action"]),
        causes=tuple(map(text_of_kept, row["causes"])),
        signal_sequence=row["sequence"],
        created=row["created"],
        attempt=row["attempt"],
    )
