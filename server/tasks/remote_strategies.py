"""Remote strategies of a job: which addresses it may name, and who decides while it runs."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Remote
from domain.errors import InvalidInput
from server.jobs.backtest_run import Job


def refuse_other_targets(specification: BacktestSpecification, allowed: Collection[str]) -> None:
    """Raises InvalidInput with the field path of a remote strategy whose address the settings do not allow."""
    for path, strategy in specification.strategies_by_path():
        if isinstance(strategy, Remote) and strategy.target not in allowed:
            rule = "must be an address that the settings of the server allow (ABSFIN_STRATEGY_TARGETS)"
            raise InvalidInput(f"{path}.target", f"{rule}, is {strategy.target!r}")


@contextmanager
def with_services(
    specification: BacktestSpecification, job: Job, allowed: Collection[str], authority: bytes | None
) -> Iterator[BacktestSpecification]:
    """The specification of a job whose remote strategies ask their services, for as long as it runs."""
    remote = any(isinstance(strategy, Remote) for _, strategy in specification.strategies_by_path())
    if not remote or job.decisions is None:
        yield specification
        return
    from server.tasks.remote_decisions import RemoteDecisions  # gRPC, which workers do not need otherwise

    service = RemoteDecisions(job.name, allowed, authority)
    try:
        yield specification.with_decisions(service, job.decisions)
    finally:
        service.close()
