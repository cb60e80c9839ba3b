"""Who calls: a principal with a role, and the store of keys that stand for principals."""

from dataclasses import field
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from domain.records import dataclass

KEY_PREFIX = "absfin_"
"""What every API key begins with."""


class Role(IntEnum):
    """What a caller may do; each role may do what those before it may."""

    READER = 1
    ANALYST = 2
    TRADER = 3
    ADMIN = 4

    @classmethod
    def of(cls, name: str) -> "Role | None":
        """The role of a name such as "analyst", None for a name of no role."""
        return next((role for role in cls if role.label == name), None)

    @property
    def label(self) -> str:
        """Its name in tokens, keys and settings."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller who is known."""

    id: str  # "users/{sub}", "apiKeys/{id}", "certificates/{name}", or "local"
    role: Role
    kind: str  # "user", "key", "certificate" or "local"
    expires: float | None = None  # seconds since 1970 UTC at which what proves it is no longer valid
    credential: str = ""  # name of the key that proves it, which may be another one than the first of the caller


LOCAL = Principal("local", Role.ADMIN, "local")
"""Everybody, where no authentication is asked for: only processes of this machine reach such a server."""


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """How callers are told apart."""

    methods: tuple[str, ...] = ()  # of "jwt", "keys" and "mtls"; none: no authentication
    jwks_url: str = ""
    issuer: str = ""
    audience: str = ""
    secret: str = field(default="", repr=False)  # of HS256; empty: such tokens are refused
    allow_anonymous: bool = False
    certificate_roles: tuple[tuple[str, Role], ...] = ()  # by the name in a certificate; others are readers
    open_health: bool = True
    open_reflection: bool = True


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A stored key, without its secret."""

    id: str
    caller: str  # id of the principal that it stands for
    display_name: str
    roles: tuple[Role, ...]
    hash: bytes = field(repr=False)
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKeyPage:
    """Keys by id; `next_id` is where the next page begins after, empty at the end."""

    keys: tuple[ApiKeyRecord, ...]
    next_id: str


class ApiKeyStore(Protocol):
    """Keeps keys."""

    async def pepper(self) -> bytes:
        """The secret of this store under which its keys are hashed; always the same 32 bytes."""
        ...

    async def create(self, record: ApiKeyRecord) -> ApiKeyRecord:
        """Stores a key. Raises AlreadyExists for an id that was ever taken."""
        ...

    async def find(self, key_id: str) -> ApiKeyRecord | None:
        """A key, or None."""
        ...

    async def get(self, key_id: str) -> ApiKeyRecord:
        """A key. Raises NotFound."""
        ...

    async def list(self, after: str, limit: int) -> ApiKeyPage:
        """Keys whose id comes after this one."""
        ...

    async def revoke(self, key_id: str, time: datetime) -> ApiKeyRecord:
        """Ends a key; one that has been revoked stays as it is. Raises NotFound."""
        ...
