"""JSON for scripts, a progress bar for people, and one clear line for a failure."""

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from absfin.choices import UnknownChoice
from absfin.errors import AbsFinanceError, InfeasibleProblem, InvalidInput
from absfin.requests import Progress as OnProgress
from absfin.watching import Finished, Milestone, News, Tick


def print_json(result: Any) -> None:
    """The answer as one JSON object: the message where there is one, in the names of the contract."""
    content = MessageToDict(result.proto) if hasattr(result, "proto") else dataclasses.asdict(result)
    print(json.dumps(content, indent=2))  # noqa: T201  # standard output is what a script reads


def print_message(message: Any) -> None:
    """A message of the contract as JSON."""
    print(json.dumps(MessageToDict(message), indent=2))  # noqa: T201  # standard output is what a script reads


@contextmanager
def progress_bar(label: str, *, shown: bool) -> Iterator[OnProgress | None]:
    """A bar on a terminal, nothing in a script."""
    if not shown:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def follow(news: Iterable[News], label: str, *, shown: bool) -> Finished | None:
    """A bar with date, net asset value and the time left; what is worth keeping stands above it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[date]} NAV {task.fields[nav]}"),
        TextColumn("{task.fields[eta]}"),
    )
    end = None
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task(label, total=1.0, date="", nav="", eta="")
        for one in news:
            if isinstance(one, Tick):
                eta = "" if one.eta_seconds is None else f"{one.eta_seconds:.0f} s left"
                nav = "" if one.nav is None else f"{one.nav:,.2f}"
                progress.update(task, completed=one.fraction, date=str(one.date or ""), nav=nav, eta=eta)
            elif isinstance(one, Milestone):
                progress.console.print(f"{one.date or ''} {one.kind.replace('_', ' ')}: {one.message}", markup=False)
            else:
                end = one
                if one.state == "succeeded":
                    progress.update(task, completed=1.0, eta="")
    return end


@contextmanager
def failing_clearly(as_json: bool) -> Iterator[None]:
    """Ends the command with status 1 and what the server said, in words or as JSON on stderr.

    An argument that is none of the choices there are is an error of usage, with status 2.
    """
    try:
        yield
    except UnknownChoice as error:
        raise typer.BadParameter(str(error)) from None
    except AbsFinanceError as error:
        if as_json:
            print(json.dumps(_as_dict(error)), file=sys.stderr)  # noqa: T201  # standard error is what a script reads
        else:
            _say(error)
        raise SystemExit(1) from None


def _say(error: AbsFinanceError) -> None:
    console = Console(stderr=True)
    console.print(f"[bold red]{error.reason or error.code.name}[/] {error.message}", highlight=False)
    if isinstance(error, InfeasibleProblem):
        for conflict in error.conflicts:
            relaxation = conflict.smallest_relaxation
            more = "" if relaxation is None else f": relaxing it alone by {relaxation:.6g} is enough"
            console.print(f"  - {conflict.label}{more}", highlight=False, markup=False)


def _as_dict(error: AbsFinanceError) -> dict[str, Any]:
    content: dict[str, Any] = {"reason": error.reason, "code": error.code.name, "message": error.message}
    if isinstance(error, InvalidInput):
        content["violations"] = [dataclasses.asdict(violation) for violation in error.violations]
    if isinstance(error, InfeasibleProblem):
        content["conflicts"] = [dataclasses.asdict(conflict) for conflict in error.conflicts]
    return content
