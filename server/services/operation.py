"""Operation of a server: what it is, how much callers use, and its end."""

import asyncio
from collections.abc import Callable, Sequence

from domain.records import dataclass
from server.identity.current import owner, principal
from server.jobs.runner import Runner
from server.ports.errors import RoleRequired
from server.ports.identity import LOCAL, Role
from server.ports.job_stores import JobStores
from server.ports.jobs import JobState
from server.ports.list_filter import ListFilter
from server.ports.operation import Quota, ServerInfo, ServerLimits, StillRunning
from server.ports.scope import Scope
from server.version import version_of

SOLVERS = ("clarabel", "daqp", "highspy", "piqp", "riskfolio-lib", "scipy")

PAGE = 500


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls that a server serves: how many run, and how many of one caller by their shape."""

    running: Callable[[], int]
    of: Callable[[str, str], Sequence[Quota]]  # by the name of a caller, and by that of whose things they store


class Operation:
    """What admins ask of a server; anybody who may read asks what it is and how much they use."""

    def __init__(
        self,
        limits: ServerLimits,
        calls: Calls,
        jobs: JobStores,
        runner: Runner,
        *,
        worker: str,
        max_queued: int,
        max_running: int,
        max_memory_bytes: int,
        stop: Callable[[float | None], None],
    ) -> None:
        self._limits = limits
        self._calls = calls
        self._jobs = jobs
        self._runner = runner
        self._worker = worker
        self._max_queued = max_queued
        self._max_running = max_running  # 0: any number
        self._max_memory_bytes = max_memory_bytes  # of the work for one request or job; 0: any
        self._stop = stop
        self._info: ServerInfo | None = None

    async def info(self) -> ServerInfo:
        """What the server is."""
        if self._info is None:
            self._info = await asyncio.to_thread(self._read_info)  # from files
        return self._info

    async def quotas(self, caller: str, known: str) -> tuple[str, Sequence[Quota]]:
        """Who is meant, and their quotas: `caller`, or `known`, who asks, if that is empty.

        Raises RoleRequired where somebody who is no admin asks for another one's.
        """
        asking = principal.get()
        named = caller or known
        if named != known and asking.role < Role.ADMIN:
            raise RoleRequired("GetQuotas", Role.ADMIN.label, asking.role.label, field="caller")
        # Whoever is not known stands for all who are not, each by their connection.
        whose = owner() if asking.kind == LOCAL.kind else named
        running = (await self._jobs.queue.queue(self._worker)).running.get(named, 0)
        return named, (
            *self._calls.of(named, whose),
            Quota("queued_jobs", self._max_queued, await self._queued(whose, named)),
            Quota("running_jobs", self._max_running or None, running),
            Quota("request_memory_bytes", self._max_memory_bytes or None, 0),  # of each request: nothing adds up
        )

    def drain(self, seconds: float | None) -> StillRunning:
        """Ends the server as SIGTERM does; calls have `seconds` to end, or as the settings say."""
        found = StillRunning(max(0, self._calls.running() - 1), self._runner.running)  # without this call
        self._stop(seconds)
        return found

    def _read_info(self) -> ServerInfo:
        solvers = {name: version for name in SOLVERS if (version := version_of(name))}
        return ServerInfo(version_of(), solvers, self._limits)

    async def _queued(self, whose: str, named: str) -> int:
        """Jobs of a caller that wait; no more can be, so that it ends."""
        count, token = 0, ""
        while count < self._max_queued:
            page = await self._jobs.archive.list(Scope(whose), token, PAGE, ListFilter(state=JobState.QUEUED))
            count += sum(record.caller == named for record in page.records)
            token = page.next_token
            if not token:
                break
        return count
