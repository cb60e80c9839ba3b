"""Tokens are accepted for what they prove, and for nothing else.

The cases of algorithms, `crit` and JWKs as secrets are those of PyJWT's advisories of 2026, fixed in 2.13.
"""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.identity.key_set import KeySet
from server.identity.tokens import Tokens
from server.ports.errors import AnonymousRefused, ServiceError, TokenExpired, TokenInvalid
from server.ports.identity import IdentitySettings, Principal, Role
from tests.server.identity.issuer import AUDIENCE, ISSUER, Issuer, claims_of, jwk, signed

SECRET = "a secret of no less than 32 bytes."  # noqa: S105  # of these tests


def settings(issuer: Issuer, /, **more: Any) -> IdentitySettings:
    return IdentitySettings(
        **{"methods": ("jwt",), "jwks_url": issuer.url, "issuer": ISSUER, "audience": AUDIENCE, **more}
    )


async def principal(issuer: Issuer, token: str, /, **more: Any) -> Principal:
    keys = KeySet(issuer.url)
    try:
        return await Tokens(settings(issuer, **more), keys).principal(token)
    finally:
        await keys.close()


async def refused(issuer: Issuer, token: str, /, **more: Any) -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        await principal(issuer, token, **more)
    return raised.value


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in (header, claims))


def hs256(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Signed by hand: the library refuses to make the tokens of an attacker."""
    text = unsigned(header, claims)
    signature = hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_a_good_token(issuer: Issuer, algorithm: str) -> None:
    known = await principal(issuer, issuer.token(algorithm))
    assert (known.id, known.role, known.kind) == ("users/ann", Role.READER, "user")
    assert known.expires is not None
    assert 590 < known.expires - time.time() < 610


@pytest.mark.parametrize("role", list(Role))
async def test_the_role_is_a_claim_that_only_the_service_sets(issuer: Issuer, role: Role) -> None:
    token = issuer.token(app_metadata={"absfin_role": role.label}, user_metadata={"absfin_role": "admin"})
    assert (await principal(issuer, token)).role is role
    own = issuer.token(user_metadata={"absfin_role": "admin"}, absfin_role="admin", role="service_role")
    assert (await principal(issuer, own)).role is Role.READER


WRONG_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "anon"}, "it is for another audience"),
    "no audience": ({"aud": None}, "it lacks the claim aud"),
    "another issuer": ({"iss": "https://elsewhere.example"}, "it comes from another issuer"),
    "no issuer": ({"iss": None}, "it lacks the claim iss"),
    "no subject": ({"sub": None}, "it lacks the claim sub"),
    "an empty subject": ({"sub": ""}, "its subject is no plain text"),
    "a subject with a path": ({"sub": "a/b"}, "its subject is no plain text"),
    "no expiry": ({"exp": None}, "it lacks the claim exp"),
    "not valid yet": ({"nbf": int(time.time()) + 3600}, "it is not valid yet"),
    "issued in the future": ({"iat": int(time.time()) + 3600}, "it is not valid yet"),
    "an expiry without end": ({"exp": float("inf")}, "it cannot be read"),
    "an expiry that is a text": ({"exp": "soon"}, "it cannot be read"),
    "an unknown role": ({"app_metadata": {"absfin_role": "root"}}, "its role absfin_role is none of reader, analyst"),
}


@pytest.mark.parametrize(("claims", "cause"), WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
async def test_wrong_claims(issuer: Issuer, claims: dict[str, Any], cause: str) -> None:
    error = await refused(issuer, issuer.token(**claims))
    assert isinstance(error, TokenInvalid)
    assert error.metadata["cause"].startswith(cause)


async def test_an_issuer_is_required_only_where_it_is_set(issuer: Issuer) -> None:
    assert (await principal(issuer, issuer.token(iss=None), issuer="")).id == "users/ann"
    assert (await principal(issuer, issuer.token(iss="https://any.example"), issuer="")).id == "users/ann"


async def test_an_expiry_beyond_all_clocks(issuer: Issuer) -> None:
    assert (await principal(issuer, issuer.token(exp=10**400))).id == "users/ann"


async def test_an_expired_token(issuer: Issuer) -> None:
    assert isinstance(await refused(issuer, issuer.token(exp=int(time.time()) - 10)), TokenExpired)
    # Clocks may differ by a few seconds.
    assert (await principal(issuer, issuer.token(exp=int(time.time()) - 1))).id == "users/ann"


@pytest.mark.parametrize("claims", [{"is_anonymous": True}, {"is_anonymous": "true"}, {"role": "anon"}])
async def test_anonymous_sign_ins(issuer: Issuer, claims: dict[str, Any]) -> None:
    token = issuer.token(**claims)
    assert isinstance(await refused(issuer, token), AnonymousRefused)
    assert (await principal(issuer, token, allow_anonymous=True)).id == "users/ann"
    assert (await principal(issuer, issuer.token(is_anonymous=False))).id == "users/ann"


async def test_a_forged_token(issuer: Issuer) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    error = await refused(issuer, signed(stranger, "ES256", {"kid": "ec"}))
    assert error.metadata["cause"] == "its signature is wrong"
    head, _, signature = issuer.token().split(".")
    body = unsigned({}, claims_of(sub="bob")).split(".")[1]
    assert (await refused(issuer, f"{head}.{body}.{signature}")).metadata["cause"] == "its signature is wrong"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "ES512", "PS256", "EdDSA"])
async def test_other_algorithms(issuer: Issuer, name: str) -> None:
    token = unsigned({"alg": name, "typ": "JWT", "kid": "ec"}, claims_of()) + "."
    assert isinstance(await refused(issuer, token), TokenInvalid)
    with_secret = await refused(issuer, token, secret=SECRET)
    assert isinstance(with_secret, TokenInvalid)


async def test_a_key_of_the_set_is_no_secret_of_hs256(issuer: Issuer) -> None:
    """The public key, in every form in which a library might take it for bytes, signs nothing."""
    public = issuer.rsa_key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    entry = jwk(issuer.rsa_key, "rsa")
    forms = [pem, pem.strip(), json.dumps(entry).encode(), json.dumps(entry, separators=(",", ":")).encode(), b""]
    for secret in forms:
        token = hs256({"alg": "HS256", "kid": "rsa"}, claims_of(), secret)
        assert isinstance(await refused(issuer, token), TokenInvalid)
        assert isinstance(await refused(issuer, token, secret=SECRET), TokenInvalid)


async def test_a_symmetric_key_in_the_set_is_left_out(issuer: Issuer) -> None:
    secret = b"k" * 32
    entry = {"kty": "oct", "kid": "oct", "alg": "HS256", "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode()}
    issuer.document = {"keys": [entry, jwk(issuer.ec_key, "ec")]}
    token = hs256({"alg": "HS256", "kid": "oct"}, claims_of(), secret)
    assert isinstance(await refused(issuer, token), TokenInvalid)
    assert isinstance(await refused(issuer, token, secret=SECRET), TokenInvalid)
    assert (await principal(issuer, issuer.token())).id == "users/ann"


async def test_the_algorithm_is_that_of_the_key(issuer: Issuer) -> None:
    """The algorithm of a token is never taken where its key has another one."""
    token = signed(issuer.rsa_key, "RS256", {"kid": "ec"})
    assert (await refused(issuer, token)).metadata["cause"] == "its algorithm is not that of its key"
    token = signed(issuer.ec_key, "ES256", {"kid": "rsa"})
    assert (await refused(issuer, token)).metadata["cause"] == "its algorithm is not that of its key"
    issuer.document = {"keys": [jwk(issuer.rsa_key, "rsa", alg="PS256")]}
    for algorithm in ("RS256", "PS256"):
        assert isinstance(await refused(issuer, signed(issuer.rsa_key, algorithm, {"kid": "rsa"})), TokenInvalid)


async def test_critical_extensions(issuer: Issuer) -> None:
    for crit in (["exp"], ["b64"], [], "x"):
        token = signed(issuer.ec_key, "ES256", {"kid": "ec", "crit": crit, "exp": 1})
        assert isinstance(await refused(issuer, token), TokenInvalid)
    with_secret = hs256({"alg": "HS256", "crit": ["unknown"], "unknown": 1}, claims_of(), SECRET.encode())
    assert isinstance(await refused(issuer, with_secret, secret=SECRET), TokenInvalid)


async def test_a_key_in_the_header_is_not_looked_at(issuer: Issuer) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    header = {"kid": "ec", "jwk": jwk(stranger, "ec"), "jku": "http://127.0.0.1:9/x", "x5u": "http://127.0.0.1:9/x"}
    assert (await refused(issuer, signed(stranger, "ES256", header))).metadata["cause"] == "its signature is wrong"


async def test_hs256_needs_a_secret_of_the_settings(issuer: Issuer) -> None:
    token = jwt.encode(claims_of(), SECRET, "HS256")
    assert (await refused(issuer, token)).metadata["cause"] == "its algorithm is not accepted"
    assert (await principal(issuer, token, secret=SECRET)).id == "users/ann"
    other = jwt.encode(claims_of(), SECRET[::-1], "HS256")
    assert (await refused(issuer, other, secret=SECRET)).metadata["cause"] == "its signature is wrong"
    assert (await Tokens(settings(issuer, secret=SECRET, jwks_url=""), None).principal(token)).id == "users/ann"


UNREADABLE = {
    "nothing": ".", "two parts": "a.b", "a text": "opaque", "no JSON": "!!.!!.!!", "deep": "W1tb" * 3000 + ".e30.x",
    "a list": "W10.e30.x", "too long": "e30." + "x" * 20_000, "null": "bnVsbA.bnVsbA.x",
}  # fmt: skip


@pytest.mark.parametrize("token", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_no_token(issuer: Issuer, token: str) -> None:
    assert isinstance(await refused(issuer, token), TokenInvalid)
    assert issuer.fetches == 0


async def test_what_is_refused_does_not_repeat_the_token(issuer: Issuer) -> None:
    for token in (issuer.token(sub="p\nq"), issuer.token(aud="hush"), issuer.token(iss="hush")):
        error = await refused(issuer, token)
        assert "hush" not in error.message
        assert "\n" not in error.message


async def test_a_weak_or_odd_key_is_left_out(issuer: Issuer) -> None:
    weak: Any = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # what must be refused
    curve: Any = ec.generate_private_key(ec.SECP384R1())
    issuer.document = {
        "keys": [jwk(weak, "weak"), jwk(curve, "curve"), jwk(issuer.ec_key, "enc", use="enc"), {"kty": "EC"}, 7,
                 jwk(issuer.ec_key, "ops", key_ops=["sign"]), {"kty": "RSA", "kid": "bad", "n": "!", "e": 3}]
    }  # fmt: skip
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = signed(weak, "RS256", {"kid": "weak"})
    assert (await refused(issuer, token)).metadata["cause"] == "it is signed by a key that is not known"
    for kid in ("enc", "ops", "curve", "bad"):
        assert isinstance(await refused(issuer, signed(issuer.ec_key, "ES256", {"kid": kid})), TokenInvalid)
