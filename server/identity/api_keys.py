"""API keys: `absfin_{id}.{secret}`, of which only a keyed hash of the secret is stored.

A secret has 256 random bits, so nobody finds it by trying, however fast its hash is: a slow hash, as passwords need,
would only cost each call its time. The hash is keyed by a secret of the store, and covers the id: a row that someone
writes or moves within the database alone makes no key that works.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from domain.errors import InvalidInput
from domain.records import dataclass
from server.ports.errors import TokenExpired, TokenInvalid
from server.ports.identity import KEY_PREFIX, ApiKeyPage, ApiKeyRecord, ApiKeyStore, Principal, Role

PREFIX = KEY_PREFIX
SECRET_BYTES = 32
_KEY = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{1,64}})\.([A-Za-z0-9_-]{{43}})")

_UNKNOWN = "it is no key of this server, or was revoked"
"""The same for both: a stranger is not told which keys there were."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ApiKeyDraft:
    """A key to create."""

    id: str | None
    display_name: str
    roles: tuple[Role, ...]
    expires: datetime | None
    replaces: str | None = None  # id of the key whose caller the new one stands for too


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key with its secret, which is shown once."""

    record: ApiKeyRecord
    secret: str


class ApiKeys:
    """Creates, lists, revokes and recognises keys."""

    def __init__(self, store: ApiKeyStore, clock: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._clock = clock

    async def principal(self, key: str) -> Principal:
        """Who a key stands for. Raises TokenInvalid, TokenExpired."""
        parts = _KEY.fullmatch(key)
        if parts is None:
            raise TokenInvalid(_UNKNOWN)
        hashed = _hash(await self._store.pepper(), parts[1], parts[2])  # also where there is no such key
        record = await self._store.find(parts[1])
        if record is None or not hmac.compare_digest(record.hash, hashed) or record.revoked is not None:
            raise TokenInvalid(_UNKNOWN)
        if record.expires is not None and record.expires <= self._clock():
            raise TokenExpired
        expires = None if record.expires is None else record.expires.timestamp()
        return Principal(record.caller, max(record.roles), "key", expires, f"apiKeys/{record.id}")

    async def create(self, draft: ApiKeyDraft) -> IssuedKey:
        """Stores a key and says its secret. Raises AlreadyExists, NotFound for what it replaces, InvalidInput."""
        now = self._clock()
        if draft.expires is not None and draft.expires <= now:
            raise InvalidInput("expire_time", "must be in the future")
        key_id = draft.id or secrets.token_hex(8)
        caller = f"apiKeys/{key_id}"
        if draft.replaces is not None:
            caller = (await self._store.get(draft.replaces)).caller
        secret = secrets.token_urlsafe(SECRET_BYTES)
        hashed = _hash(await self._store.pepper(), key_id, secret)
        record = ApiKeyRecord(key_id, caller, draft.display_name, draft.roles, hashed, now, draft.expires)
        return IssuedKey(await self._store.create(record), f"{PREFIX}{key_id}.{secret}")

    async def list(self, after: str, limit: int) -> ApiKeyPage:
        """Keys by id."""
        return await self._store.list(after, limit)

    async def revoke(self, key_id: str) -> ApiKeyRecord:
        """Ends a key, from the next call on. Raises NotFound."""
        return await self._store.revoke(key_id, self._clock())


def _hash(pepper: bytes, key_id: str, secret: str) -> bytes:
    return hmac.digest(pepper, f"{key_id}.{secret}".encode(), hashlib.sha256)
