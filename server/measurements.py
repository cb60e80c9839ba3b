"""What a server measures beside its calls: work that waits, jobs, workers, the listener of changes, the store."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from server.execution.process_pool import ProcessPool
from server.jobs.runner import Runner
from server.listeners.health import ListenerReport
from server.ports.storage import Storage
from server.telemetry.figures import Figures, Labels

Figure = tuple[float, Labels]


class ListenerFigures:
    """What the listener of changes has said last."""

    def __init__(self) -> None:
        self._report = ListenerReport(False, {})

    def keep(self, report: ListenerReport) -> None:
        """From now on this is read."""
        self._report = report

    def of(self, name: str) -> Iterable[Figure]:
        """One of its figures; none where it has not said it."""
        found = self._report.figures.get(name)
        return [] if found is None or isinstance(found, str) else [(float(found), {})]

    def ready(self) -> Iterable[Figure]:
        """1 where it has caught up."""
        return [(float(self._report.is_ready), {})] if self._report.figures else []


def measure(figures: Figures, pool: ProcessPool, runner: Runner, storage: Storage) -> ListenerFigures:
    """Has everything measured; the listener's figures are kept by what is returned."""
    pools = {"call": pool}
    if isinstance(runner.pool, ProcessPool):  # on a cluster, its own figures tell how its nodes are
        pools["job"] = runner.pool
    _measure_workers(figures, pools)
    figures.gauge(
        "absfin.jobs.running", "{job}", "Jobs that run in this process", lambda: [(float(runner.running), {})]
    )
    figures.counter(
        "absfin.jobs.ended",
        "{job}",
        "Jobs that this process has brought to an end",
        lambda: [(float(count), {"state": state}) for state, count in sorted(runner.ended.items())],
    )
    if storage.when_timed is not None:
        storage.when_timed(_timer(figures, "postgresql" if storage.probe else "sqlite"))
    return _measure_listener(figures)


def _measure_workers(figures: Figures, pools: Mapping[str, ProcessPool]) -> None:
    def of(read: Callable[[ProcessPool], int]) -> Callable[[], Iterable[Figure]]:
        return lambda: [(float(read(pool)), {"pool": name}) for name, pool in pools.items()]

    tell = figures.gauge
    tell("absfin.workers.waiting", "{task}", "Tasks that wait for a worker process", of(lambda pool: pool.waiting))
    tell("absfin.workers.running", "{worker}", "Worker processes with a task", of(lambda pool: pool.running))
    tell("absfin.workers.idle", "{worker}", "Worker processes without one", of(lambda pool: pool.idle))
    figures.counter(
        "absfin.workers.lost",
        "{worker}",
        "Worker processes that died, or were killed because they did not stop; another one took their place",
        lambda: [
            (float(n), {"pool": name, "cause": cause}) for name, pool in pools.items() for cause, n in pool.lost.items()
        ],
    )


def _timer(figures: Figures, system: str) -> Callable[[str, float], None]:
    name, labels = "db.client.operation.duration", ("db.system.name", "db.operation.name")
    durations = figures.durations(name, "Duration of a use of the store", *labels)

    def timed(operation: str, seconds: float) -> None:
        durations.add(seconds, system, operation)

    return timed


def _measure_listener(figures: Figures) -> ListenerFigures:
    listener = ListenerFigures()
    for name, unit, text, figure in (
        ("lag", "{change}", "Changes that the listener has not followed", "lag_changes"),
        ("lag.age", "s", "Age of the oldest of them", "lag_seconds"),
        ("failures", "{failure}", "Failures of the listener in a row", "failures"),
    ):
        figures.gauge(f"absfin.listener.{name}", unit, text, partial(listener.of, figure))
    figures.gauge("absfin.listener.ready", "", "1 where the listener has caught up", listener.ready)
    return listener
