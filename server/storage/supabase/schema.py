"""Whether a database has the schema that this version works with."""

from server.ports.errors import StorageUnavailable
from server.storage.supabase.rpc import SyncRpc
from server.storage.supabase.versions import VERSIONS


class UnknownSchema(Exception):
    """The database has another schema than this version knows; the text says what to do."""


def require_schema(rpc: SyncRpc) -> None:
    """Raises UnknownSchema, and StorageUnavailable where the database cannot be asked."""
    try:
        found = set(rpc.call("get_schema_versions"))
    except StorageUnavailable as error:
        raise UnknownSchema(f"{error}") from None
    if missing := [version for version in VERSIONS if version not in found]:
        raise UnknownSchema(f"its schema lacks the migration {missing[0]}; run scripts/migrate")
    if newer := sorted(found - set(VERSIONS)):
        raise UnknownSchema(f"a newer version wrote its schema (migration {newer[0]}); start that version")
