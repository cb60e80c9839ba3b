"""Requests as JSON of the contract, for what options cannot say."""

import json
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message

from absfin.cli.connection import time_limit
from absfin.cli.input_files import called
from absfin.cli.messages import MessageCall
from absfin.cli.options import option
from absfin.cli.request_types import wrong_types
from absfin.client import Client
from absfin.queries.base import Rpc
from absfin.requests import new_request_id

RequestFile = Annotated[
    str,
    typer.Option(
        "--request", metavar="FILE", help="Request as JSON of the contract, instead of other options; - reads it."
    ),
]
OPTION = "--request"
BESIDE = frozenset({"request", "server", "as_json", "detach", "plot"})
"""Parameters that say nothing of a request."""

M = TypeVar("M", bound=Message)

_UNKNOWN = re.compile(
    r'has no field named "(?P<field>.+?)" at "\w+(?P<path>.*?)"\.\s+Available Fields.*?\[(?P<known>.*)\]'
)
_PLACED = re.compile(r"(?P<rule>.*?) at \w+Request\.(?P<path>[\w.\[\]\"]+?)\.?$")
_FIELD = re.compile(r"Failed to parse (?P<field>\S+) field: ")


def read_request(context: typer.Context, source: str, kind: type[M], *, beside: Iterable[str] = ()) -> M:
    """The request of a file, or of standard input where the source is "-".

    It gets an id where it has none, so that a repeated call does its work once. Raises BadParameter for options beside
    the request, other than those in `beside`, and for what is no such request, with the path of the field.
    """
    _refuse_options_beside(context, beside)
    with option(OPTION):
        message = _parsed(_text(source), source, 1, kind)
    if "request_id" in kind.DESCRIPTOR.fields_by_name and not getattr(message, "request_id"):  # noqa: B009  # some have none
        setattr(message, "request_id", new_request_id())  # noqa: B010  # likewise
    return message


def read_request_lines(source: str, kind: type[M], context: typer.Context | None = None) -> list[M]:
    """The requests of a file or of standard input, one on each line. Raises BadParameter with line and field.

    With a context also for options beside them.
    """
    if context is not None:
        _refuse_options_beside(context)
    lines = enumerate(_text(source).splitlines(), start=1)
    return [_parsed(line, source, number, kind) for number, line in lines if line.strip()]


def send(client: Client, rpc: Rpc, message: Message, *, wait_seconds: float = 0.0) -> Any:
    """The answer to a request as it stands."""
    return client.send(MessageCall(RPC=rpc, message=message, timeout=time_limit(60.0) + wait_seconds))


def explained(error: str, content: dict[str, Any], kind: type[Message]) -> str:
    """The error of a request that is not of the contract: the path of the field, and the rule."""
    if found := _UNKNOWN.search(error):
        path, field = found["path"].lstrip("."), found["field"]
        near = get_close_matches(field, re.findall(r"'(.+?)'", found["known"]), 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        return f"{f'{path}.' if path else ''}{field} is no field{meant}"
    if wrong := next(wrong_types(content, kind.DESCRIPTOR), None):
        return wrong
    rule = _FIELD.sub("", error).strip()
    if found := _PLACED.match(rule):
        return f"{found['path']}: {found['rule']}"
    return rule


def _parsed(text: str, source: str, first_line: int, kind: type[M]) -> M:
    """The message of a JSON object that begins on a line of its source. Raises BadParameter."""
    source = called(Path(source))
    beginning = source if first_line == 1 else f"{source}, line {first_line}"
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise typer.BadParameter(f"{beginning} is no JSON object")
        return Parse(text, kind())
    except json.JSONDecodeError as error:
        place = f"line {first_line + error.lineno - 1}, column {error.colno}"
        raise typer.BadParameter(f"{source}, {place}: {error.msg}") from None
    except ParseError as error:
        raise typer.BadParameter(f"{beginning}: {explained(str(error), content, kind)}") from None


def _refuse_options_beside(context: typer.Context, allowed: Iterable[str] = ()) -> None:
    for parameter in context.command.params:
        name = parameter.name or ""
        origin = context.get_parameter_source(name)
        if name not in {*BESIDE, *allowed} and origin is not None and origin.name == "COMMANDLINE":
            given = max(parameter.opts, key=len) if parameter.opts[0].startswith("-") else name.upper()
            raise typer.BadParameter(f"{given} cannot stand beside it: say it in the request", param_hint=OPTION)


def _text(source: str) -> str:
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"{source} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{source} is no UTF-8 text: {error.reason}") from None
