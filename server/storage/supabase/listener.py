"""The one listener of all servers of a project: who it is, by the clock of the database, and what it noticed."""

from collections.abc import Sequence

from server.ports.events import EventDraft, ListenerClaim, ListenerState, RecomputationDraft, StoredEvent
from server.storage.supabase.access import large_text_of
from server.storage.supabase.event_rows import event_arguments, stored_of
from server.storage.supabase.frames import Frame
from server.storage.supabase.recomputations import recomputation_arguments
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token


class SupabaseListener:
    """The listener of a project; its servers take turns."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def claim(self, worker: str, lease_seconds: float) -> ListenerClaim | None:
        """Makes this worker the listener, or renews its claim."""
        number = await self._rpc.call("claim_listener", p_worker=worker, p_lease_seconds=lease_seconds)
        return None if number is None else ListenerClaim(worker, number)

    async def load(self) -> ListenerState:
        """What was stored last."""
        frame = Frame(await self._rpc.read_bytes("load_listener"))
        return ListenerState(frame.header["cursor"], frame.take(frame.header["state"]))

    async def cursor(self) -> str:
        """Where the listener stood when it last stored its state, which comes along."""
        return (await self.load()).cursor

    async def store(self, claim: ListenerClaim, state: ListenerState) -> bool:
        """Stores where the listener stands."""
        stored = await self._rpc.call(
            "store_listener",
            p_worker=claim.worker,
            p_number=claim.number,
            p_cursor=state.cursor,
            p_state=await large_text_of(state.state),
        )
        return bool(stored)

    async def record(
        self, claim: ListenerClaim, events: Sequence[EventDraft], recomputations: Sequence[RecomputationDraft]
    ) -> tuple[StoredEvent, ...] | None:
        """Stores what was noticed and what it starts, in one transaction."""
        answer = await self._rpc.call(
            "record_noticed",
            p_worker=claim.worker,
            p_number=claim.number,
            p_events=event_arguments(events),
            p_recomputations=recomputation_arguments(recomputations),
            p_token=write_token(),
        )
        return None if answer is None else stored_of(events, answer)

    async def release(self, claim: ListenerClaim) -> None:
        """Lets another one listen at once."""
        await self._rpc.call("release_listener", p_worker=claim.worker, p_number=claim.number)
