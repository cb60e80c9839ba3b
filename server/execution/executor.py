"""What runs tasks: worker processes of this machine, or a cluster with them to fall back on."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from server.ports.errors import ClusterLost, WorkerDied

T = TypeVar("T")


class Executor(Protocol):
    """Runs tasks elsewhere, so that they can be stopped."""

    async def run(
        self,
        work: Callable[..., T],
        deadline: float | None,
        on_report: Callable[[Any], Awaitable[None] | None] | None = None,
        *,
        caller: str = "",
    ) -> T:
        """Runs `work(control=...)`, which must be picklable; with `on_report` also `report=...`.

        Raises what the domain raises there, SolverTimedOut at the deadline (of time.monotonic), WorkerDied. A caller
        that is cancelled stops the work.
        """


class JobExecutor(Executor, Protocol):
    """Runs jobs."""

    async def close(self, grace_seconds: float) -> None:
        """Ends everything; running tasks have `grace_seconds` to finish."""


class Cluster(Executor, Protocol):
    """Other machines: an executor that may be out of reach for a while."""

    @property
    def has_room(self) -> bool:
        """Whether a task would begin at once."""


class ClusterFirst:
    """Runs tasks of calls on a cluster where it has room, and on this machine otherwise.

    Tasks are pure functions, so the outcome is the same. One whose machine is lost runs again here; what it had
    reported before is passed on once.
    """

    def __init__(self, cluster: Cluster, here: Executor) -> None:
        self._cluster = cluster
        self._here = here

    async def run(
        self,
        work: Callable[..., T],
        deadline: float | None,
        on_report: Callable[[Any], Awaitable[None] | None] | None = None,
        *,
        caller: str = "",
    ) -> T:
        """As `Executor.run`."""
        passed = 0

        async def first(content: Any) -> None:
            nonlocal passed
            passed += 1
            if on_report is not None and (handling := on_report(content)) is not None:
                await handling

        if self._cluster.has_room:
            try:
                return await self._cluster.run(work, deadline, None if on_report is None else first, caller=caller)
            except (ClusterLost, WorkerDied):
                pass
        seen = 0

        async def again(content: Any) -> None:
            nonlocal seen
            seen += 1
            if seen > passed and on_report is not None and (handling := on_report(content)) is not None:
                await handling

        return await self._here.run(work, deadline, None if on_report is None else again, caller=caller)
