"""Workers in a process of their own, which a test can stop or kill: they claim jobs, save checkpoints, end them.

Arguments: the number of workers, each with a store of its own, the lease in seconds, how often a job is saved before
its end, the pause between, then flags of the server.
It prints `claimed KEY ATTEMPT`, `saved KEY`, `lost KEY` and `finished KEY`, and ends when its input does.
"""

import asyncio
import importlib
import os
import sys
import threading

from server.ports.errors import LostClaim
from server.ports.job_queue import QueuePolicy
from server.ports.jobs import Claim, EventKind, JobEnd, JobEventDraft, JobState, JobTick
from server.ports.storage import Storage
from server.settings import Settings

LOOK_SECONDS = 0.2


async def work(storage: Storage, lease_seconds: float, saves: int, pause: float, ended: threading.Event) -> None:
    while not ended.is_set():
        claim = await storage.jobs.queue.claim(storage.worker, lease_seconds)
        if claim is None:
            await asyncio.sleep(LOOK_SECONDS)
            continue
        tell("claimed", claim.record.key, claim.record.attempt)
        try:
            await run(storage, claim, saves, pause)
        except LostClaim:
            tell("lost", claim.record.key)


async def run(storage: Storage, claim: Claim, saves: int, pause: float) -> None:
    record, log = claim.record, storage.jobs.log
    for number in range(len(await log.parts(record.key, 0)), saves):
        await asyncio.sleep(pause)
        event = JobEventDraft(EventKind.STAGE, f"{number}")
        part = f"{record.attempt}.{number}".encode()
        await log.save(record, part, part, JobTick(number / saves, number, 1.0), [event])
        tell("saved", record.key)
    await log.finish(record, JobEnd(JobState.SUCCEEDED, storage.worker.encode()), [])
    tell("finished", record.key)


def opened(settings: Settings) -> Storage:
    """As the server opens it, without loading the rest of the server."""
    backend = importlib.import_module(f"server.storage.{settings.storage}.factory")
    storage: Storage = backend.open_storage(settings, QueuePolicy())
    return storage


def tell(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201  # the test reads it


async def main() -> None:
    workers, lease, saves, pause, *flags = sys.argv[1:]
    settings = Settings.read(tuple(flags), os.environ)
    stores = [opened(settings) for _ in range(int(workers))]
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    await asyncio.gather(*(work(storage, float(lease), int(saves), float(pause), ended) for storage in stores))
    for storage in stores:
        await storage.disconnect()
        storage.close()


if __name__ == "__main__":
    asyncio.run(main())
