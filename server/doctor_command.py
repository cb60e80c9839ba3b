"""Says what is wrong with a server before it is started, or while it runs: python -m server doctor"""

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from server.diagnosis import Finding, State, diagnose

HELP = """usage: python -m server doctor [--json] [OPTION VALUE]...

Checks what a server with these settings needs: the settings themselves, TLS and who may call, expiry of certificates,
addresses of calls, browsers and figures, the page for browsers, the head of a cluster, the store and its migrations,
the clock against the project's, keys of tokens and API keys, and that a worker process starts. Nothing is changed, but
that a data folder that is not there is made, as at a start: run it as the user of the server, which may run meanwhile.

options:
  --json      print one object for each check: check, state, message, action
  -h, --help  print this; all other options are those of the server: python -m server --help

Ends with status 0 where the server can work, also with warnings, and with 1 where a check has failed or nobody reads
what is printed.
"""

_MARKS: Mapping[State, str] = {
    State.GOOD: "ok",
    State.WARNING: "WARNING",
    State.FAILED: "FAILED",
    State.SKIPPED: "skipped",
}


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Prints what each check finds as it comes. Raises SystemExit(1) where one has failed."""
    if {"-h", "--help"} & set(arguments):
        print(HELP, end="")  # noqa: T201  # what was asked for
        return
    as_json = "--json" in arguments
    given = [argument for argument in arguments if argument != "--json"]
    try:
        has_failed = _print_all(given, environment, as_json=as_json)
    except BrokenPipeError:  # whoever read it has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be written at the end
        has_failed = True
    if has_failed:
        sys.exit(1)


def _print_all(arguments: Sequence[str], environment: Mapping[str, str], *, as_json: bool) -> bool:
    """Prints every finding; whether a check has failed."""
    counts: Counter[State] = Counter()
    for finding in diagnose(arguments, environment):
        counts[finding.state] += 1
        print(_as_json(finding) if as_json else _as_text(finding), flush=True)  # noqa: T201  # what was asked for
    if not as_json:
        print(_summary(counts), flush=True)  # noqa: T201  # likewise
    return counts[State.FAILED] > 0


def _as_json(finding: Finding) -> str:
    fields = {"check": finding.check, "state": finding.state, "message": finding.message, "action": finding.action}
    return json.dumps(fields)


def _as_text(finding: Finding) -> str:
    line = f"{finding.check:<13}{_MARKS[finding.state]:<9}{finding.message}"
    return f"{line}\n{'':<22}-> {finding.action}" if finding.action else line


def _summary(counts: Mapping[State, int]) -> str:
    failed, warned = counts.get(State.FAILED, 0), counts.get(State.WARNING, 0)
    if failed:
        return f"\n{failed} failed: the server cannot work like this"
    return f"\nthe server can work{f'; {warned} to look at' if warned else ''}"
