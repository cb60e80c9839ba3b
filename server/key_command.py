"""The first key of a server, made where its data is: python -m server keys create --role admin

Later keys are made through AdminService by whoever has the role admin.
"""

import argparse
import asyncio
import os
from collections.abc import Mapping, Sequence

from server.identity.api_keys import ApiKeyDraft, ApiKeys, IssuedKey
from server.ports.audit import AuditEvent
from server.ports.errors import ServiceError
from server.ports.identity import LOCAL, Role
from server.settings import DATABASE_NAME, Settings, WrongSetting
from server.storage.embedded.api_keys import EmbeddedApiKeys
from server.storage.embedded.audit import EmbeddedAudit
from server.storage.embedded.database import Database, UnknownSchema

COMMAND = "python -m server keys create"
"""Who made a key, in the audit log."""

_OF_THE_STORE = ("ABSFIN_DATA_DIR", "XDG_DATA_HOME", "ABSFIN_STORAGE", "SUPABASE_URL", "SUPABASE_KEY")


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Makes a key where the server keeps its own and prints it, once. Raises WrongSetting."""
    given = _parser().parse_args(arguments)
    more = ["--data-dir", given.data_dir] if given.data_dir is not None else []
    # Only the store matters here; a wrong setting of the server itself is no reason to make no key.
    known = {name: environment[name] for name in _OF_THE_STORE if name in environment}
    settings = Settings.read(more, known)
    where = settings.supabase_url or settings.data_dir
    draft = ApiKeyDraft(given.id, given.display_name, (Role[given.role.upper()],), None)
    try:
        issued = asyncio.run(_create(settings, draft))
    except (ServiceError, UnknownSchema) as error:
        raise WrongSetting(f"no key was made in {where}: {error}") from None
    print(f"{issued.secret}")  # noqa: T201  # the key itself, alone on standard output


async def _create(settings: Settings, draft: ApiKeyDraft) -> IssuedKey:
    if settings.storage == "supabase":
        return await _create_in_project(settings, draft)
    database = Database(settings.data_dir / DATABASE_NAME)
    try:
        issued = await ApiKeys(EmbeddedApiKeys(database)).create(draft)
        await EmbeddedAudit(database, settings.audit).append([_event(issued)])
        return issued
    finally:
        database.close()


async def _create_in_project(settings: Settings, draft: ApiKeyDraft) -> IssuedKey:
    from server.storage.supabase.access import Access  # what these load takes time that others need not spend
    from server.storage.supabase.api_keys import SupabaseApiKeys
    from server.storage.supabase.audit import SupabaseAudit
    from server.storage.supabase.rpc import Rpc

    rpc = Rpc(Access(settings.supabase_url, settings.supabase_key))
    try:
        issued = await ApiKeys(SupabaseApiKeys(rpc)).create(draft)
        await SupabaseAudit(rpc, settings.audit).append([_event(issued)])
        return issued
    finally:
        await rpc.close()


def _event(issued: IssuedKey) -> AuditEvent:
    """Of whoever is on the machine of the data: no call was made."""
    method, name = "absfinance.v1.AdminService/CreateApiKey", f"apiKeys/{issued.record.id}"
    return AuditEvent(LOCAL.id, COMMAND, method, name, "OK", "", "", issued.record.created)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server keys", description="Makes an API key where the data of the server is."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make a key and print it; it is shown once")
    create.add_argument("--role", required=True, choices=[role.label for role in Role], help="what it allows")
    create.add_argument("--id", default=None, type=_key_id, help="last part of its name; a random one if absent")
    create.add_argument("--display-name", default="", help="name for people")
    create.add_argument("--data-dir", default=None, help="folder of the store [ABSFIN_DATA_DIR]")
    return parser


def _key_id(text: str) -> str:
    if not 1 <= len(text) <= 64 or not all(sign.isascii() and (sign.isalnum() or sign in "_-") for sign in text):
        raise argparse.ArgumentTypeError("must be 1 to 64 letters, digits, _ or -")
    return text
