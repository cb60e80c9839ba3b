"""API keys in PostgreSQL; the secret that keys their hashes is a row that only a function of the schema reads."""

import secrets
from datetime import datetime
from typing import Any

from server.ports.errors import NotFound
from server.ports.identity import ApiKeyPage, ApiKeyRecord, Role
from server.storage.supabase.access import bytes_of, text_of
from server.storage.supabase.rpc import Rpc
from server.storage.texts import kept_text, text_of_kept

PEPPER_BYTES = 32


class SupabaseApiKeys:
    """The keys of one project."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._pepper = b""

    async def pepper(self) -> bytes:
        """The secret of this project, drawn when it is first needed."""
        if not self._pepper:
            self._pepper = await kept_pepper(self._rpc, secrets.token_bytes(PEPPER_BYTES))
        return self._pepper

    async def create(self, record: ApiKeyRecord) -> ApiKeyRecord:
        """Stores a key."""
        row = {
            "id": record.id,
            "caller": record.caller,
            "display_name": kept_text(record.display_name),
            "roles": [int(role) for role in record.roles],
            "hash": text_of(record.hash),
            "created": record.created.isoformat(),
            "expires": _text(record.expires),
            "revoked": _text(record.revoked),
        }
        return _record(await self._rpc.call("create_api_key", p_key=row))

    async def find(self, key_id: str) -> ApiKeyRecord | None:
        """A key, or None."""
        row = await self._rpc.call("find_api_key", p_id=key_id)
        return None if row is None else _record(row)

    async def get(self, key_id: str) -> ApiKeyRecord:
        """A key."""
        record = await self.find(key_id)
        if record is None:
            raise NotFound("API key", f"apiKeys/{key_id}")
        return record

    async def list(self, after: str, limit: int) -> ApiKeyPage:
        """Keys by id."""
        rows = await self._rpc.call("list_api_keys", p_after=kept_text(after), p_limit=limit + 1)
        records = tuple(_record(row) for row in rows[:limit])
        return ApiKeyPage(records, records[-1].id if len(rows) > limit else "")

    async def revoke(self, key_id: str, time: datetime) -> ApiKeyRecord:
        """Ends a key."""
        return _record(await self._rpc.call("revoke_api_key", p_id=key_id, p_time=time.isoformat()))


async def kept_pepper(rpc: Rpc, drawn: bytes) -> bytes:
    """The secret of a project, which is `drawn` where there was none."""
    return bytes_of(await rpc.call("get_secret", p_name="api_keys", p_drawn=text_of(drawn)))


def _record(row: dict[str, Any]) -> ApiKeyRecord:
    return ApiKeyRecord(
        id=row["id"],
        caller=row["caller"],
        display_name=text_of_kept(row["display_name"]),
        roles=tuple(Role(role) for role in row["roles"]),
        hash=bytes_of(row["hash"]),
        created=datetime.fromisoformat(row["created"]),
        expires=_time(row["expires"]),
        revoked=_time(row["revoked"]),
    )


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
