"""The report of a stored result, by its name."""

from collections.abc import Callable, Mapping

from absfin.client import Client
from absfin.reports.backtests import backtest_report
from absfin.reports.document import Report, pictures_of
from absfin.reports.optimizations import optimization_report
from absfin.reports.reallocations import reallocation_report


class NotReported(ValueError):
    """A name of which there is no report, or a backtest that has no result."""


def stored_report(client: Client, name: str, title: str = "") -> Report:
    """The report of "backtests/{id}", "optimizations/{id}" or "reallocations/{id}".

    Raises:
        NotReported: The name is of another kind, or the backtest has not succeeded.
        AbsFinanceError: The server has no such result, or cannot be reached.
    """
    kind = name.split("/", 1)[0] if "/" in name else ""
    if kind not in KINDS:
        kinds = ", ".join(f"{one}/ID" for one in KINDS)
        raise NotReported(f"{name!r} is not the name of a stored result: {kinds}")
    return KINDS[kind](client, name, title)


def _backtest(client: Client, name: str, title: str) -> Report:
    job = client.get_backtest(name)
    if not job.strategies:
        raise NotReported(f"{name} is {job.state}: only a backtest that has succeeded has a report")
    return backtest_report(
        job, pictures_of(lambda names, theme: client.backtest_charts(name, names, theme=theme)), title
    )


def _optimization(client: Client, name: str, title: str) -> Report:
    return optimization_report(
        client.get_optimization(name),
        pictures_of(lambda names, theme: client.optimization_charts(name, names, theme=theme)),
        title,
    )


def _reallocation(client: Client, name: str, title: str) -> Report:
    return reallocation_report(
        client.get_reallocation(name),
        pictures_of(lambda names, theme: client.reallocation_charts(name, names, theme=theme)),
        title,
    )


KINDS: Mapping[str, Callable[[Client, str, str], Report]] = {
    "backtests": _backtest,
    "optimizations": _optimization,
    "reallocations": _reallocation,
}
"""Collection of a resource name -> its report."""
