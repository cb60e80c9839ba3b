"""What happens to jobs, on Supabase: written by the worker that runs one, read by its followers on every server."""

import asyncio
import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence

from server.ports.errors import LostClaim
from server.ports.jobs import JobEnd, JobEvent, JobEventDraft, JobRecord, JobTick, JobView
from server.storage.supabase.access import LARGE_BYTES
from server.storage.supabase.frames import Frame
from server.storage.supabase.job_inputs import PIECE_BYTES
from server.storage.supabase.job_rows import event_arguments, events_of, tick_argument, view_of
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.sent_frames import sent_frame
from server.storage.texts import kept_text

PAGE_BYTES = 8 << 20
"""Parts of a job that are read at once, one at least."""


class SupabaseJobLog:
    """The log of jobs, their checkpoints and their ends."""

    def __init__(self, rpc: Rpc, retained_events: int, piece_bytes: int = PIECE_BYTES) -> None:
        self._rpc = rpc
        self._retained = retained_events
        self._piece_bytes = piece_bytes

    async def view(self, key: int, after: int) -> JobView:
        """A job and its events, as of one moment."""
        return await view_of(await self._rpc.read_bytes("view_backtest", p_key=key, p_after=after), str(key))

    async def save(
        self, claim: JobRecord, checkpoint: bytes, part: bytes, tick: JobTick, events: Sequence[JobEventDraft]
    ) -> tuple[JobEvent, ...]:
        """Keeps a checkpoint with its part of the output and its events, or nothing of them."""
        header = {
            **_claim(claim),
            "checkpoint": len(checkpoint),
            "part": len(part),
            "tick": tick_argument(tick),
            "events": event_arguments(events),
            "retained": self._retained,
        }
        return events_of(await self._rpc.send_bytes("save_backtest", await _written(header, checkpoint, part)))

    async def parts(self, key: int, after: int) -> tuple[tuple[int, bytes], ...]:
        """Parts of the output of a job."""
        frame = Frame(await self._rpc.read_bytes("read_backtest_parts", p_key=key, p_after=after, p_bytes=PAGE_BYTES))
        return tuple((number, frame.take(size)) for number, size in frame.header)

    async def compact(self, claim: JobRecord, count: int, part: bytes, skipped: int = 0) -> None:
        """Puts one part in the place of others, so that going on again reads fewer."""
        header = {**_claim(claim), "count": count, "part": len(part), "skipped": skipped}
        await self._rpc.send_bytes("compact_backtest_parts", await _written(header, part))

    async def finish(self, claim: JobRecord, end: JobEnd, events: Sequence[JobEventDraft]) -> tuple[JobEvent, ...]:
        """Ends a job with all it found; the records of its strategies are sent before, and count with the end."""
        with contextlib.suppress(LostClaim):  # an earlier call may have ended it: what follows tells
            for batch in _batches(end.series, self._piece_bytes):
                await self._rpc.send_bytes("add_backtest_series", _series_frame(claim, batch))
        header = {
            **_claim(claim),
            "state": end.state,
            "result": None if end.result is None else len(end.result),
            "error": None if end.error is None else len(end.error),
            "events": event_arguments(events),
            "retained": self._retained,
            "tick": None if end.tick is None else tick_argument(end.tick),
        }
        frame = await _written(header, end.result or b"", end.error or b"")
        return events_of(await self._rpc.send_bytes("finish_backtest", frame))


Piece = tuple[int, int, str, bytes]
"""Position of a strategy, number of the piece, label, content."""


def _claim(claim: JobRecord) -> dict[str, object]:
    return {"key": claim.key, "worker": claim.worker, "attempt": claim.attempt}


async def _written(header: Mapping[str, object], *contents: bytes) -> bytes:
    """A frame to write, in a thread where it is large."""
    if sum(map(len, contents)) < LARGE_BYTES:
        return _named(header, *contents)
    return await asyncio.to_thread(_named, header, *contents)


def _named(header: Mapping[str, object], *contents: bytes) -> bytes:
    """A frame under a name that follows from its content.

    A job tries again for minutes, in calls of their own, what an earlier call may have written whose answer was lost:
    a part that was written twice would be a part of the record twice.
    """
    content = hashlib.sha256(json.dumps(header).encode())
    for one in contents:
        content.update(one)
    return sent_frame({**header, "write": str(uuid.UUID(bytes=content.digest()[:16]))}, *contents)


def _series_frame(claim: JobRecord, batch: Sequence[Piece]) -> bytes:
    before, pieces = 0, []
    for position, number, label, data in batch:
        where = {"position": position, "number": number, "before": before, "size": len(data)}
        pieces.append({**where, "label": kept_text(label)})
        before += len(data)
    return sent_frame({**_claim(claim), "pieces": pieces}, *(data for *_, data in batch))


def _batches(series: Sequence[tuple[str, bytes]], size: int) -> Iterator[list[Piece]]:
    """Pieces of at most `size` bytes, together no more than twice as many."""
    batch: list[Piece] = []
    held = 0
    for position, (label, data) in enumerate(series):
        for number, start in enumerate(range(0, max(len(data), 1), size)):
            piece = data[start : start + size]
            batch.append((position, number, label, piece))
            held += len(piece)
            if held >= size:
                yield batch
                batch, held = [], 0
    if batch:
        yield batch
