"""The public keys that sign tokens (RFC 7517), fetched from their address and kept.

What is fetched is trusted with every identity, so little is accepted: keys of EC P-256 for ES256 and of RSA for RS256.
A key of any other type, and a symmetric one above all, is left out: a JWK is never a secret of HS256. Each key has one
algorithm, which the key decides and not the token.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from domain.records import dataclass
from server.identity_settings import is_loopback
from server.observability import logger
from server.ports.errors import IdentityUnavailable

PublicKey = EllipticCurvePublicKey | RSAPublicKey

FETCH_SECONDS = 5.0
MAX_BYTES = 1 << 20
MAX_KEYS = 100
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
REFRESH_SECONDS = 300.0
"""Keys this old are fetched again in the background, so that one that was withdrawn stops to count."""
REFETCH_SECONDS = 30.0
"""Anybody can send a token with an id that no key has: the address is asked no more often than this."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key and the one algorithm that it is for."""

    key: PublicKey
    algorithm: str


class KeySet:
    """Keys by their id. A fetch runs in a thread; a failed one leaves the keys as they are."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: Mapping[str, SigningKey] | None = None  # None: never fetched
        self._fetched = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None) -> SigningKey | None:
        """The key of an id; without an id, the key where there is only one.

        Raises IdentityUnavailable where no keys could be fetched yet.
        """
        found = self._known(key_id)
        now = self._clock()
        if found is not None and now - self._fetched < REFRESH_SECONDS:
            return found
        if self._fetching is None and now - self._tried >= REFETCH_SECONDS:
            self._tried = now
            self._fetching = asyncio.create_task(self._fetch())
        if found is None and self._fetching is not None:
            # Shielded: the caller may leave, and others wait for the same fetch.
            await asyncio.shield(self._fetching)
            found = self._known(key_id)
        if self._keys is None:
            raise IdentityUnavailable
        return found

    async def close(self) -> None:
        """Waits for a fetch that runs: its thread cannot be stopped, but it has a time limit."""
        if self._fetching is not None:
            await asyncio.wait({self._fetching})

    def _known(self, key_id: str | None) -> SigningKey | None:
        keys = self._keys or {}
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)

    async def _fetch(self) -> None:
        try:
            keys = keys_of(await asyncio.to_thread(download, self._url))
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            logger.warning("the keys of tokens cannot be fetched", extra={"url": self._url, "why": str(error)})
        else:
            self._keys, self._fetched = keys, self._clock()
        finally:
            self._fetching = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the address that was set and from no other."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirect is an error."""
        return


def download(url: str) -> bytes:
    """What an address answers. Raises OSError, HTTPException, ValueError for an answer that is too large."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_loopback(urlsplit(url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"accept": "application/json"})  # noqa: S310  # http(s), by the settings
    deadline = time.monotonic() + FETCH_SECONDS
    with urllib.request.build_opener(*handlers).open(request, timeout=FETCH_SECONDS) as answer:
        received = b""
        # In pieces: the time limit of a socket is for each read, and a slow sender must not hold the fetch for long.
        while piece := answer.read1(1 << 16):
            received += piece
            if len(received) > MAX_BYTES:
                raise ValueError(f"the answer has more than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the answer took more than {FETCH_SECONDS:g} s")
    return received


def keys_of(document: bytes) -> Mapping[str, SigningKey]:
    """The keys of a JWKS that can be used, by id. Raises ValueError for what is no JWKS.

    An empty set is one: whoever withdraws all keys means it.
    """
    content = json.loads(document)
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError("the answer is no JWKS: it has no list `keys`")  # a value of the document
    found: dict[str, SigningKey] = {}
    for position, entry in enumerate(entries[:MAX_KEYS]):
        key = _signing_key(entry) if isinstance(entry, dict) else None
        if key is not None:
            name = entry.get("kid")
            # A key without an id is found by tokens without one, if it is alone.
            found.setdefault(name if isinstance(name, str) else f"\0{position}", key)
    return found


def _signing_key(entry: Mapping[str, Any]) -> SigningKey | None:
    algorithm = {"EC": "ES256", "RSA": "RS256"}.get(str(entry.get("kty")))
    operations = entry.get("key_ops")
    if algorithm is None or entry.get("alg", algorithm) != algorithm or entry.get("use", "sig") != "sig":
        return None
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        return None
    # Public parts alone: a document that contains a private key by mistake is not made to work.
    public = {name: entry[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in entry}
    try:
        key = jwt.PyJWK({**public, "alg": algorithm}).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return SigningKey(key, algorithm)
    if isinstance(key, RSAPublicKey) and LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS:
        return SigningKey(key, algorithm)
    return None
