"""A server that listens, in a process of its own, which a test can kill: it stores, records and does what it started.

Arguments: how many of each, then flags of the server. It begins at the first whatever is stored, as a listener that
has lost its state does, and prints `recorded NUMBER`.
"""

import asyncio
import os
import sys

from server.ports.events import ListenerClaim
from server.ports.portfolios import PortfolioDraft
from server.ports.storage import Storage
from server.settings import Settings
from tests.contracts.storage.claimer import opened, tell
from tests.contracts.storage.event_drafts import event, events_of, notice, recomputation
from tests.owners import OWNER

LEASE_SECONDS = 0.3
LOOK_SECONDS = 0.05


async def record(storage: Storage, count: int) -> None:
    stores = events_of(storage)
    for number in range(count):
        name = f"p{number}"
        await storage.portfolios.create(OWNER, PortfolioDraft(b"p", b"b", name, name))
        claim: ListenerClaim | None = None
        while claim is None:
            claim = await stores.listener.claim(storage.worker, LEASE_SECONDS)
            if claim is None:
                await asyncio.sleep(LOOK_SECONDS)
        starts = [recomputation(f"k{number}", portfolio=f"p{number % 3}", signal_key=f"k{number}")]
        if await stores.listener.record(claim, [notice(f"k{number}")], starts) is not None:
            tell("recorded", number)
        await recompute(storage)
    while await recompute(storage):
        pass


async def recompute(storage: Storage) -> bool:
    """Does one; its event says which causes it answered."""
    queue = events_of(storage).recomputations
    claim = await queue.claim(storage.worker, LEASE_SECONDS)
    if claim is None:
        return False
    answered = " ".join(claim.causes).encode()
    await queue.finish(storage.worker, claim, event(f"done-{claim.key}", payload=answered))
    return True


async def main() -> None:
    count, *flags = sys.argv[1:]
    storage = opened(Settings.read(tuple(flags), os.environ))
    await record(storage, int(count))
    await storage.disconnect()
    storage.close()


if __name__ == "__main__":
    asyncio.run(main())
