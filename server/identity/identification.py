"""From what a call carries to who makes it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from server.identity.api_keys import PREFIX, ApiKeys
from server.ports.errors import TokenInvalid, TokenMissing
from server.ports.identity import LOCAL, IdentitySettings, Principal, Role

HEADER = "authorization"
SCHEME = "bearer"

Metadata = Iterable[tuple[str, str | bytes]]
Certificate = Mapping[str, Sequence[bytes]]
"""What gRPC says of a connection: the fields of the client's certificate, by name."""


class TokenReader(Protocol):
    """Says whom a token names: `server.identity.tokens.Tokens`, which a server without tokens need not load."""

    async def principal(self, token: str) -> Principal:
        """Who a token names. Raises TokenInvalid, TokenExpired, AnonymousRefused, IdentityUnavailable."""
        ...

    async def close(self) -> None:
        """Ends what goes on in the background."""
        ...


class Identification:
    """Tells who calls, by the methods that the settings name: a bearer token first, else the client's certificate."""

    def __init__(self, settings: IdentitySettings, tokens: TokenReader | None, keys: ApiKeys) -> None:
        self._settings = settings
        self._tokens = tokens
        self._keys = keys
        self._certificate_roles = dict(settings.certificate_roles)

    @property
    def asks(self) -> bool:
        """Whether callers are asked who they are; otherwise all are LOCAL, whatever their calls carry."""
        return bool(self._settings.methods)

    async def principal(self, metadata: Metadata, certificate: Certificate) -> Principal:
        """Who calls. Raises TokenMissing, TokenInvalid, TokenExpired, AnonymousRefused, IdentityUnavailable."""
        if not self.asks:
            return LOCAL
        methods = self._settings.methods
        token = _bearer(metadata)
        if token is not None:
            if token.startswith(PREFIX) and "keys" in methods:
                return await self._keys.principal(token)
            if self._tokens is not None:
                return await self._tokens.principal(token)
            raise TokenInvalid("it is no key of this server" if "keys" in methods else "this server takes none")
        if "mtls" in methods and (name := _name(certificate)):
            return Principal(f"certificates/{name}", self._certificate_roles.get(name, Role.READER), "certificate")
        raise TokenMissing

    async def close(self) -> None:
        """Ends what goes on in the background."""
        if self._tokens is not None:
            await self._tokens.close()


def _bearer(metadata: Metadata) -> str | None:
    given = [value for name, value in metadata if name == HEADER]
    if not given:
        return None
    if len(given) > 1:
        raise TokenInvalid("several were sent")
    scheme, _, token = str(given[0]).partition(" ")
    if scheme.lower() != SCHEME or not token.strip():
        raise TokenInvalid("the header `authorization` must be `Bearer` and a token")
    return token.strip()


def _name(certificate: Certificate) -> str:
    """The common name of a certificate that the authority of the settings has signed, else its first other name."""
    for field in ("x509_common_name", "x509_subject_alternative_name"):
        for value in certificate.get(field, ()):
            if name := value.decode(errors="replace").strip():
                return name
    return ""
