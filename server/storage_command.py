"""Copies of the embedded store, while servers use it: python -m server storage backup FOLDER | restore FOLDER"""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.ports.errors import ServiceError
from server.settings import Settings, WrongSetting
from server.storage.embedded.backup import CopyRefused, back_up, restore


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Makes a copy or brings one back, and says so. Raises WrongSetting."""
    given = _parser().parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server storage", description="Copies of the embedded store.")
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "backup": "write a copy to a new folder; servers go on meanwhile",
        "restore": "bring a copy back to a data folder that has no store",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("folder", metavar="FOLDER", help="where the copy is")
        command.add_argument("--data-dir", default=None, help="folder of the store [ABSFIN_DATA_DIR]")
    return parser
