"""Output of the commands: JSON for scripts, a progress bar on a terminal, and one line for an error."""

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from google.protobuf.json_format import MessageToDict
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from absfin.choices import UnknownChoice
from absfin.cli.connection import connected_server
from absfin.cli.hints import hint_for
from absfin.cli.layout import new_console
from absfin.errors import AbsFinanceError, InfeasibleProblem, InvalidInput
from absfin.requests import Progress as OnProgress
from absfin.watching import Finished, Milestone, News, Tick


def print_json(result: Any) -> None:
    """Prints the response that a result was converted from, as JSON."""
    print_message(result.proto)


def print_object(content: object) -> None:
    """Prints what JSON can say."""
    print(json.dumps(content, indent=2))  # noqa: T201  # scripts read standard output


def print_message(message: Any) -> None:
    """Prints a message of the contract as JSON."""
    print(json.dumps(MessageToDict(message), indent=2))  # noqa: T201  # scripts read standard output


def print_lines(messages: Iterable[Any]) -> None:
    """Prints messages of the contract as JSON, each on a line of its own as it arrives."""
    for message in messages:
        print(json.dumps(MessageToDict(message)), flush=True)  # noqa: T201  # scripts read standard output


@contextmanager
def progress_bar(label: str, *, shown: bool) -> Iterator[OnProgress | None]:
    """A progress bar for an import; None if it is not shown."""
    if not shown:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=new_console(stderr=True)) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def follow(news: Iterable[News], label: str, *, shown: bool) -> Finished | None:
    """A progress bar with date and net asset value, or trials, and remaining time; milestones are printed above it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[where]}"),
        TextColumn("{task.fields[eta]}"),
    )
    end = None
    with Progress(*columns, console=new_console(stderr=True), disable=not shown) as progress:
        task = progress.add_task(label, total=1.0, where="", eta="")
        for one in news:
            if isinstance(one, Tick):
                eta = "" if one.eta_seconds is None else f"{one.eta_seconds:.0f} s left"
                progress.update(task, completed=one.fraction, where=_where(one), eta=eta)
            elif isinstance(one, Milestone):
                progress.console.print(f"{one.date or ''} {one.kind.replace('_', ' ')}: {one.message}", markup=False)
            else:
                end = one
                if one.state == "succeeded":
                    progress.update(task, completed=1.0, eta="")
    return end


def _where(tick: Tick) -> str:
    """Where a job stands."""
    if tick.sweep is None:
        nav = "" if tick.nav is None else f"{tick.nav:,.2f}"
        return f"{tick.date or ''} NAV {nav}"
    standing = tick.sweep
    text = f"{standing.finished_count} of {standing.trial_count} trials, {standing.failed_count} failed"
    return text if standing.best_score is None else f"{text}, best {standing.best_score:.4g} ({standing.best_label})"


@contextmanager
def failing_clearly(as_json: bool) -> Iterator[None]:
    """Ends the command with status 1 and the error of the server on stderr, as text or as JSON.

    An unknown value of an option is an error of usage, with status 2.
    """
    try:
        yield
    except UnknownChoice as error:
        raise typer.BadParameter(str(error)) from None
    except AbsFinanceError as error:
        if as_json:
            print(json.dumps(error_as_dict(error)), file=sys.stderr)  # noqa: T201  # scripts read standard error
        else:
            _print_error(error)
        raise SystemExit(1) from None


def _print_error(error: AbsFinanceError) -> None:
    console = new_console(stderr=True)
    # A message is no markup: it may have square brackets.
    console.print(Text(error.reason or error.code.name, "bold red"), Text(error.message), highlight=False)
    if isinstance(error, InfeasibleProblem):
        for conflict in error.conflicts:
            relaxation = conflict.smallest_relaxation
            more = "" if relaxation is None else f": relaxing it alone by {relaxation:.6g} is enough"
            console.print(f"  - {conflict.label}{more}", highlight=False, markup=False)
    if hint := hint_for(error, connected_server()):
        console.print(hint, highlight=False, markup=False)


def error_as_dict(error: AbsFinanceError) -> dict[str, Any]:
    """An error as JSON has it."""
    content: dict[str, Any] = {"reason": error.reason, "code": error.code.name, "message": error.message}
    if isinstance(error, InvalidInput):
        content["violations"] = [dataclasses.asdict(violation) for violation in error.violations]
    if hint := hint_for(error, connected_server()):
        content["hint"] = hint
    if isinstance(error, InfeasibleProblem):
        content["conflicts"] = [dataclasses.asdict(conflict) for conflict in error.conflicts]
    return content
