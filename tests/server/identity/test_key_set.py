"""Keys of tokens are kept while their address does not answer, and are not asked for by whoever likes to."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from server.identity.key_set import REFETCH_SECONDS, REFRESH_SECONDS, KeySet
from server.ports.errors import IdentityUnavailable
from tests.server.identity.issuer import Issuer, jwk, running


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def settled(keys: KeySet) -> None:
    """Waits for a fetch in the background."""
    await keys.close()


async def test_it_is_fetched_once_by_many(issuer: Issuer) -> None:
    keys = KeySet(issuer.url)
    issuer.delay = 0.2
    found = await asyncio.gather(*(keys.find(kid) for kid in ("ec", "rsa") * 20))
    assert [key.algorithm for key in found if key] == ["ES256", "RS256"] * 20
    assert issuer.fetches == 1


async def test_the_event_loop_does_not_wait_for_a_fetch(issuer: Issuer) -> None:
    issuer.delay = 0.5
    finding = asyncio.create_task(KeySet(issuer.url).find("ec"))
    turns = 0
    while not finding.done():
        await asyncio.sleep(0.005)
        turns += issuer.fetches > 0
    assert await finding is not None
    assert turns > 5, "of a hundred, on a machine that has nothing else to do"


async def test_unknown_ids_cause_one_fetch_in_thirty_seconds(issuer: Issuer) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, clock)
    assert [await keys.find(f"unknown{i}") for i in range(50)] == [None] * 50
    await asyncio.gather(*(keys.find(f"other{i}") for i in range(50)))
    assert issuer.fetches == 1
    clock.now += REFETCH_SECONDS - 0.001
    assert await keys.find("unknown") is None
    assert issuer.fetches == 1
    clock.now += 0.001
    assert await keys.find("unknown") is None
    assert issuer.fetches == 2


async def test_a_rotated_key_is_found(issuer: Issuer) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, clock)
    assert await keys.find("ec")
    issuer.document = {"keys": [jwk(ec.generate_private_key(ec.SECP256R1()), "next")]}
    assert await keys.find("next") is None  # within the thirty seconds
    clock.now += REFETCH_SECONDS
    assert await keys.find("next")
    assert await keys.find("ec") is None


async def test_a_withdrawn_key_ends_though_nobody_asks_for_another(issuer: Issuer) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, clock)
    assert await keys.find("ec")
    issuer.document = {"keys": [jwk(issuer.rsa_key, "rsa")]}
    clock.now += REFRESH_SECONDS
    assert await keys.find("ec")  # what is known is answered at once, and fetched again meanwhile
    await settled(keys)
    assert await keys.find("ec") is None
    assert await keys.find("rsa")


FAILURES: dict[str, dict[str, Any]] = {
    "an error": {"status": 503},
    "another document": {"document": [1]},
    "no JSON": {"document": b"<html>"},
    "keys that are no list": {"document": {"keys": {}}},
    "too large": {"document": b" " * (2 << 20)},
    "very deep": {"document": b"[" * 100_000},
    "a redirect": {"status": 302, "location": "/elsewhere"},
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_failed_fetch_leaves_the_keys(issuer: Issuer, failure: dict[str, Any]) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, clock)
    assert await keys.find("ec")
    for name, value in failure.items():
        setattr(issuer, name, value)
    clock.now += REFRESH_SECONDS
    for _ in range(3):
        assert await keys.find("unknown") is None
        assert await keys.find("ec")
        clock.now += REFETCH_SECONDS
    await settled(keys)
    assert issuer.fetches >= 3


async def test_an_address_that_is_down_keeps_the_keys_and_comes_back() -> None:
    clock = Clock()
    with running(Issuer()) as issuer:
        keys = KeySet(issuer.url, clock)
        assert await keys.find("ec")
        port = int(issuer.url.split(":")[2].split("/")[0])
    clock.now += 10 * REFRESH_SECONDS
    assert await keys.find("unknown") is None
    assert await keys.find("ec")
    await settled(keys)
    assert await keys.find("ec")
    issuer.document = {"keys": [jwk(issuer.ec_key, "again")]}
    with running(issuer, port):
        clock.now += REFETCH_SECONDS
        assert await keys.find("again")


async def test_an_address_that_never_answered(issuer: Issuer) -> None:
    clock = Clock()
    issuer.status = 500
    keys = KeySet(issuer.url, clock)
    for _ in range(5):
        with pytest.raises(IdentityUnavailable):
            await keys.find("ec")
    assert issuer.fetches == 1
    issuer.status = 200
    clock.now += REFETCH_SECONDS
    assert await keys.find("ec")


async def test_an_empty_set_is_one(issuer: Issuer) -> None:
    """Supabase Auth serves an empty set as long as it signs with HS256."""
    clock = Clock()
    issuer.document = {"keys": []}
    keys = KeySet(issuer.url, clock)
    assert await keys.find("ec") is None
    assert await keys.find(None) is None
    issuer.document = {"keys": [jwk(issuer.ec_key, "ec")]}
    clock.now += REFETCH_SECONDS
    assert await keys.find("ec")


async def test_without_an_id_the_only_key_is_meant(issuer: Issuer) -> None:
    assert await KeySet(issuer.url).find(None) is None
    issuer.document = {"keys": [jwk(issuer.ec_key, "ec")]}
    assert await KeySet(issuer.url).find(None)
    nameless = jwk(issuer.ec_key, "")
    del nameless["kid"]
    issuer.document = {"keys": [nameless]}
    assert await KeySet(issuer.url).find(None)


async def test_keys_come_from_no_other_address(issuer: Issuer) -> None:
    with running(Issuer()) as other:
        issuer.status, issuer.location = 302, other.url
        with pytest.raises(IdentityUnavailable):
            await KeySet(issuer.url).find("ec")
        assert other.fetches == 0
