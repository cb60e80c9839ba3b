"""Tokens (RFC 7519) as Supabase Auth and other issuers sign them: verified, then read."""

import re
from collections.abc import Mapping
from typing import Any

import jwt

from server.identity.key_set import KeySet
from server.ports.errors import AnonymousRefused, TokenExpired, TokenInvalid
from server.ports.identity import IdentitySettings, Principal, Role

MAX_BYTES = 16 << 10
LEEWAY_SECONDS = 5.0
"""By how much the clocks of an issuer and of this machine may differ."""
LAST_SECOND = 253_402_300_799
"""The end of the year 9999: whole numbers of JSON have no end, those of a clock have."""
ROLE_CLAIM = "absfin_role"

_SUBJECT = re.compile(r"[A-Za-z0-9._:@|+-]{1,128}")
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What reading the bytes of a stranger may raise."""


def tokens_of(settings: IdentitySettings) -> "Tokens":
    """What verifies tokens by these settings."""
    return Tokens(settings, KeySet(settings.jwks_url) if settings.jwks_url else None)


class Tokens:
    """Verifies tokens by the keys of their issuer, or by a secret that was set."""

    def __init__(self, settings: IdentitySettings, keys: KeySet | None) -> None:
        self._settings = settings
        self._keys = keys

    async def principal(self, token: str) -> Principal:
        """Who a token names. Raises TokenInvalid, TokenExpired, AnonymousRefused, IdentityUnavailable."""
        if len(token) > MAX_BYTES:
            raise TokenInvalid("it is too long")
        key, algorithm = await self._key(_header(token))
        return self._read(self._verified(token, key, algorithm))

    async def close(self) -> None:
        """Waits for a fetch of keys that runs."""
        if self._keys is not None:
            await self._keys.close()

    async def _key(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """The key of a token and the algorithm that the key, not the token, decides."""
        if "crit" in header:
            raise TokenInvalid("it has critical extensions, and none is known here")  # RFC 7515, section 4.1.11
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm == "HS256" and self._settings.secret:
            return self._settings.secret.encode(), "HS256"
        if algorithm not in ("ES256", "RS256") or self._keys is None:
            raise TokenInvalid("its algorithm is not accepted")
        if key_id is not None and not isinstance(key_id, str):
            raise TokenInvalid("the id of its key is no text")
        found = await self._keys.find(key_id)
        if found is None:
            raise TokenInvalid("it is signed by a key that is not known")
        if found.algorithm != algorithm:
            raise TokenInvalid("its algorithm is not that of its key")
        return found.key, found.algorithm

    def _verified(self, token: str, key: Any, algorithm: str) -> Mapping[str, Any]:
        issuer = self._settings.issuer
        required = ["exp", "sub", "aud", *(["iss"] if issuer else [])]
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._settings.audience,
                issuer=issuer or None,
                leeway=LEEWAY_SECONDS,
                options={"require": required, "verify_iss": bool(issuer)},
            )
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except _UNREADABLE as error:
            raise TokenInvalid(_cause(error)) from None
        return claims

    def _read(self, claims: Mapping[str, Any]) -> Principal:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise TokenInvalid("its subject is no plain text of 1 to 128 characters")
        # Whatever is not plainly absent or false is taken for yes: this lets nobody in by a mistake of an issuer.
        anonymous = claims.get("is_anonymous") not in (None, False) or claims.get("role") == "anon"
        if anonymous and not self._settings.allow_anonymous:
            raise AnonymousRefused
        metadata = claims.get("app_metadata")
        name = metadata.get(ROLE_CLAIM) if isinstance(metadata, dict) else None
        role = Role.READER if name is None else Role.of(str(name))
        if role is None:
            raise TokenInvalid(f"its role {ROLE_CLAIM} is none of {', '.join(known.label for known in Role)}")
        return Principal(f"users/{subject}", role, "user", float(min(int(claims["exp"]), LAST_SECOND)) + LEEWAY_SECONDS)


def _header(token: str) -> Mapping[str, Any]:
    try:
        header: Mapping[str, Any] = jwt.get_unverified_header(token)
    except _UNREADABLE:
        raise TokenInvalid("it cannot be read") from None
    return header


def _cause(error: Exception) -> str:
    """What is wrong, in words of our own: texts of the library may repeat what the token says."""
    match error:
        case jwt.InvalidAudienceError():
            return "it is for another audience"
        case jwt.InvalidIssuerError():
            return "it comes from another issuer"
        case jwt.MissingRequiredClaimError():
            return f"it lacks the claim {error.claim}"
        case jwt.ImmatureSignatureError():
            return "it is not valid yet"
        case jwt.InvalidSignatureError():
            return "its signature is wrong"
        case _:
            return "it cannot be read"
