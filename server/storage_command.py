"""Copies of stores: python -m server storage backup FOLDER | restore FOLDER | copy --from STORE --to STORE

`backup` and `restore` are for the embedded store, while servers use it; `copy` takes everything but backtests that are
not over from one kind of store to another.
"""

import argparse
import asyncio
import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.ports.errors import ServiceError
from server.ports.job_queue import QueuePolicy
from server.ports.storage import Storage
from server.ports.transfer import TABLES
from server.settings import Settings, WrongSetting
from server.storage.embedded.backup import CopyRefused, back_up, restore
from server.storage.market_data_copy import Copied, CopyDiffers, copy_market_data
from server.storage.records_copy import CopiedRecords, copy_records


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Makes a copy or brings one back, and says so. Raises WrongSetting."""
    given = _parser().parse_args(arguments)
    if given.command == "copy":
        asyncio.run(_copy(given, environment))
        return
    more = ["--data-dir", given.data_dir] if given.data_dir is not None else []
    # Only the folder matters here; a wrong setting of the server itself is no reason to make no copy.
    known = {name: environment[name] for name in ("ABSFIN_DATA_DIR", "XDG_DATA_HOME") if name in environment}
    folder = Settings.read(more, known).data_dir
    copy = Path(given.folder).expanduser().absolute()
    try:
        if given.command == "backup":
            print(f"{back_up(folder, copy)} bytes of {folder} are in {copy}")  # noqa: T201  # the outcome
        else:
            restore(copy, folder)
            print(f"{folder} has the store of {copy}")  # noqa: T201  # likewise
    except (CopyRefused, ServiceError) as error:
        raise WrongSetting(f"storage {given.command}: {error}") from None


async def _copy(given: argparse.Namespace, environment: Mapping[str, str]) -> None:
    from server.bootstrap import STORAGE_BACKENDS  # what it loads is not needed for the others

    if given.source == given.target:
        raise WrongSetting("storage copy: --from and --to must be two different stores")
    with contextlib.ExitStack() as folders:
        stores: list[Storage] = []
        try:
            for name in (given.source, given.target):
                folder = given.data_dir if name == "embedded" else folders.enter_context(tempfile.TemporaryDirectory())
                stores.append(STORAGE_BACKENDS[name](_settings_of(name, folder, environment), QueuePolicy()))
            done = await copy_market_data(*stores)
            print(_market_data_outcome(given, done))  # noqa: T201  # the outcome of the first half
            records = await copy_records(*stores)
        except (CopyDiffers, ServiceError) as error:
            raise WrongSetting(f"storage copy: {error}; what was copied stays, and the same command goes on") from None
        finally:
            for store in stores:
                await store.disconnect()
                store.release_worker()
                store.close()
    for line in _records_outcome(given, records):
        print(line)  # noqa: T201  # the outcome


def _market_data_outcome(given: argparse.Namespace, done: Copied) -> str:
    return (
        f"{given.target} has the market data of {given.source}: {done.instruments} instruments, {done.values} values "
        f"and {done.known_values} that were there, {done.actions} corporate actions"
    )


def _records_outcome(given: argparse.Namespace, done: CopiedRecords) -> list[str]:
    """What was copied, table by table, then what was not."""
    counts = ", ".join(f"{rows.sent} + {rows.known} {_SHOWN[name]}" for name, rows in done.tables.items())
    lines = [f"{given.target} has the records of {given.source}, those sent + those that were there: {counts}"]
    if done.api_keys is None:
        lines.append(f"API keys are not copied: {given.target} hashes its keys under another secret")
    else:
        lines.append(f"{done.api_keys.sent} + {done.api_keys.known} API keys, under the same secret")
    lines.append(f"{len(done.left_out)} backtests that were not over are left out")
    return lines + [f"  {one}" for one in done.left_out]


_SHOWN = {table.name: table.name.replace("backtest_", "backtest ").replace("_", " ") for table in TABLES}


def _settings_of(name: str, folder: str | None, environment: Mapping[str, str]) -> Settings:
    names = ("ABSFIN_DATA_DIR", "XDG_DATA_HOME", "SUPABASE_URL", "SUPABASE_KEY")
    known = {one: environment[one] for one in names if one in environment}
    return Settings.read([*(["--data-dir", folder] if folder is not None else []), "--storage", name], known)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server storage", description="Copies of stores.")
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "backup": "write a copy to a new folder; servers go on meanwhile",
        "restore": "bring a copy back to a data folder that has no store",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("folder", metavar="FOLDER", help="where the copy is")
        command.add_argument("--data-dir", default=None, help="folder of the store [ABSFIN_DATA_DIR]")
    command = commands.add_parser("copy", help="copy what a store has to another one, and compare it")
    kinds = ("embedded", "supabase")
    command.add_argument("--from", dest="source", choices=kinds, required=True, help="the store that is read")
    command.add_argument("--to", dest="target", choices=kinds, required=True, help="the one that is written")
    command.add_argument("--data-dir", default=None, help="folder of the embedded one [ABSFIN_DATA_DIR]")
    return parser
