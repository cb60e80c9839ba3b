"""Who calls, over the wire: tokens, keys, certificates, and what is open to everybody."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from absfinance.v1 import admin_service_pb2 as admin
from absfinance.v1.admin_service_pb2_grpc import AdminServiceStub
from absfinance.v1.portfolio_service_pb2 import ListPortfoliosRequest
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from server.ports.identity import Role
from tests.conftest import RunningServer, refusal_of
from tests.server.identity.issuer import ISSUER, Issuer, running, signed
from tests.server.identity.test_tokens import claims_of, hs256, unsigned


@dataclass(frozen=True)
class Guarded:
    """A server that asks who calls, and an issuer whose tokens it accepts."""

    server: RunningServer
    issuer: Issuer

    def token(self, role: Role | None = None, **claims: Any) -> str:
        metadata = {"absfin_role": role.label} if role else None
        return self.issuer.token(**{"app_metadata": metadata, **claims})


@pytest.fixture(scope="module")
def guarded(start_server: Callable[..., RunningServer]) -> Iterator[Guarded]:
    with running(Issuer()) as issuer:
        flags = ("--auth", "jwt,keys", "--jwks-url", issuer.url, "--jwt-issuer", ISSUER, "--workers", "1")
        yield Guarded(start_server(*flags), issuer)


@pytest.fixture(scope="module")
def channel(guarded: Guarded) -> Iterator[grpc.Channel]:
    with guarded.server.channel() as opened:
        yield opened


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def strangers(guarded: Guarded, subject: str) -> dict[str, tuple[tuple[tuple[str, str], ...], str]]:
    """Ways not to be known: what is sent, and the reason that comes back. All claim to be somebody, and an admin."""
    admins = {"sub": subject, "app_metadata": {"absfin_role": "admin"}}
    forged = signed(ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "ec"}, **admins)
    none = unsigned({"alg": "none", "kid": "ec"}, claims_of(**admins)) + "."
    public = guarded.issuer.rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    symmetric = hs256({"alg": "HS256", "kid": "rsa"}, claims_of(**admins), public)
    other_key = signed(guarded.issuer.ec_key, "ES256", {"kid": "rsa"}, **admins)
    unknown_key = signed(guarded.issuer.ec_key, "ES256", {"kid": "../ec"}, **admins)

    def sent(**claims: Any) -> tuple[tuple[str, str], ...]:
        return bearer(guarded.token(Role.ADMIN, sub=subject, **claims))

    return {
        "nothing": ((), "TOKEN_MISSING"),
        "another scheme": ((("authorization", "Basic YTpi"),), "TOKEN_INVALID"),
        "two tokens": (sent() * 2, "TOKEN_INVALID"),
        "expired": (sent(exp=int(time.time()) - 60), "TOKEN_EXPIRED"),
        "another audience": (sent(aud="other"), "TOKEN_INVALID"),
        "another issuer": (sent(iss="https://x.example"), "TOKEN_INVALID"),
        "no issuer": (sent(iss=None), "TOKEN_INVALID"),
        "forged": (bearer(forged), "TOKEN_INVALID"),
        "no algorithm": (bearer(none), "TOKEN_INVALID"),
        "the public key as a secret": (bearer(symmetric), "TOKEN_INVALID"),
        "the id of another key": (bearer(other_key), "TOKEN_INVALID"),
        "an id that no key has": (bearer(unknown_key), "TOKEN_INVALID"),
        "not valid yet": (sent(nbf=int(time.time()) + 3600), "TOKEN_INVALID"),
        "a long token": (sent(padding="x" * 13_000), "TOKEN_INVALID"),
        "anonymous": (sent(is_anonymous=True), "ANONYMOUS_REFUSED"),
        "an unknown key": (bearer("absfin_x." + "y" * 43), "TOKEN_INVALID"),
    }


def test_keys_from_their_making_to_their_end(guarded: Guarded, channel: grpc.Channel) -> None:
    keys: Any = AdminServiceStub(channel)  # type: ignore[no-untyped-call]
    portfolios: Any = PortfolioServiceStub(channel)  # type: ignore[no-untyped-call]
    root = bearer(guarded.token(Role.ADMIN))
    request = admin.CreateApiKeyRequest(api_key_id="desk", display_name="The desk", roles=["analyst", "trader"])
    made = keys.CreateApiKey(request, metadata=root)
    assert (made.name, made.caller, list(made.roles)) == ("apiKeys/desk", "apiKeys/desk", ["analyst", "trader"])
    own = bearer(made.secret)
    portfolios.ListPortfolios(ListPortfoliosRequest(), metadata=own)
    assert denied(keys.CreateApiKey, request, own) == ("PERMISSION_DENIED", "ROLE_REQUIRED")
    following = admin.CreateApiKeyRequest(api_key_id="desk-2", roles=["trader"], replaces="apiKeys/desk")
    assert keys.CreateApiKey(following, metadata=root).caller == "apiKeys/desk"
    page = keys.ListApiKeys(admin.ListApiKeysRequest(page_size=1), metadata=root)
    rest = keys.ListApiKeys(admin.ListApiKeysRequest(page_token=page.next_page_token), metadata=root)
    assert [key.name for key in (*page.api_keys, *rest.api_keys)] == ["apiKeys/desk", "apiKeys/desk-2"]
    assert not any(key.secret for key in (*page.api_keys, *rest.api_keys))
    assert keys.RevokeApiKey(admin.RevokeApiKeyRequest(name="apiKeys/desk"), metadata=root).HasField("revoke_time")
    assert denied(portfolios.ListPortfolios, ListPortfoliosRequest(), own) == ("UNAUTHENTICATED", "TOKEN_INVALID")


BAD_KEYS: dict[str, tuple[dict[str, Any], str]] = {
    "no role": ({}, "INVALID_INPUT"),
    "no such role": ({"roles": ["boss"]}, "INVALID_INPUT"),
    "in the past": ({"roles": ["reader"], "expire_time": {"seconds": 1}}, "INVALID_INPUT"),
    "before 1970": ({"roles": ["reader"], "expire_time": {"seconds": -1}}, "INVALID_INPUT"),
    "no such key": ({"roles": ["reader"], "replaces": "apiKeys/none"}, "NOT_FOUND"),
    "a name of another kind": ({"roles": ["reader"], "replaces": "portfolios/x"}, "INVALID_INPUT"),
}


@pytest.mark.parametrize(("fields", "reason"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_keys_that_are_refused(guarded: Guarded, channel: grpc.Channel, fields: dict[str, Any], reason: str) -> None:
    keys: Any = AdminServiceStub(channel)  # type: ignore[no-untyped-call]
    root = bearer(guarded.token(Role.ADMIN))
    assert denied(keys.CreateApiKey, admin.CreateApiKeyRequest(**fields), root)[1] == reason


def denied(call: Any, request: Any, metadata: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as raised:
        call(request, metadata=metadata, timeout=20)
    refusal = refusal_of(raised.value)
    return refusal.code, refusal.reason


def test_health_and_reflection_are_open_unless_closed(
    guarded: Guarded, start_server: Callable[..., RunningServer]
) -> None:
    flags = ("--auth", "jwt", "--jwks-url", guarded.issuer.url, "--workers", "1")
    closed = start_server(*flags, "--health-access", "closed", "--reflection-access", "closed")
    token = bearer(guarded.token())
    for server, is_open in ((guarded.server, True), (closed, False)):
        with server.channel() as channel:
            for call, sent in beside_the_contract(channel):
                assert call(sent, metadata=token, timeout=20)
                if is_open:
                    assert call(sent, timeout=20)
                else:
                    assert denied(call, sent, ()) == ("UNAUTHENTICATED", "TOKEN_MISSING")


def beside_the_contract(channel: grpc.Channel) -> list[tuple[Callable[..., Any], Any]]:
    """Calls of health and reflection, each with its request; streams are read to their first answer."""
    health: Any = health_pb2_grpc.HealthStub(channel)
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[no-untyped-call]
    listing = [reflection_pb2.ServerReflectionRequest(list_services="")]
    return [
        (health.Check, health_pb2.HealthCheckRequest()),
        (lambda sent, **more: next(health.Watch(sent, **more)), health_pb2.HealthCheckRequest()),
        (lambda sent, **more: next(reflection.ServerReflectionInfo(iter(sent), **more)), listing),
    ]


def test_a_server_whose_issuer_was_never_reached_says_so(
    start_server: Callable[..., RunningServer],
) -> None:
    with running(Issuer()) as issuer:
        pass
    server = start_server("--auth", "jwt", "--jwks-url", issuer.url, "--workers", "1")
    with server.channel() as channel:
        portfolios: Any = PortfolioServiceStub(channel)  # type: ignore[no-untyped-call]
        found = denied(portfolios.ListPortfolios, ListPortfoliosRequest(), bearer(issuer.token()))
    assert found == ("UNAVAILABLE", "IDENTITY_UNAVAILABLE")


def pem(folder: Path, name: str, *more: str) -> tuple[Path, Path]:
    pair = folder / f"{name}.crt", folder / f"{name}.key"
    new = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    )
    subject = ("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost")
    out = ("-out", str(pair[0]), "-keyout", str(pair[1]))
    subprocess.run([*new, *subject, *out, *more], check=True, capture_output=True, timeout=60)
    return pair


def test_certificates_of_clients(start_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    authority, authority_key = pem(tmp_path, "authority")
    by = ("-CA", str(authority), "-CAkey", str(authority_key), "-addext", "basicConstraints=critical,CA:FALSE")
    certificate, key = pem(tmp_path, "localhost", *by)
    clients = {name: pem(tmp_path, name, *by) for name in ("desk", "guest")}
    clients["stranger"] = pem(tmp_path, "stranger")
    tls = ("--tls-cert", str(certificate), "--tls-key", str(key), "--tls-client-ca", str(authority))
    server = start_server("--auth", "mtls", *tls, "--certificate-roles", "desk=admin", "--workers", "1")

    def call(name: str) -> str:
        chain, own = clients[name]
        given = grpc.ssl_channel_credentials(authority.read_bytes(), own.read_bytes(), chain.read_bytes())
        target = server.address.replace("127.0.0.1", "localhost")
        with grpc.secure_channel(target, given, options=[("grpc.enable_http_proxy", 0)]) as channel:
            keys: Any = AdminServiceStub(channel)  # type: ignore[no-untyped-call]
            try:
                keys.ListApiKeys(admin.ListApiKeysRequest(), timeout=10)
            except grpc.RpcError as error:
                code: str = error.code().name  # type: ignore[attr-defined]
                return code
            return "OK"

    assert {name: call(name) for name in clients} == {
        "desk": "OK", "guest": "PERMISSION_DENIED", "stranger": "UNAVAILABLE"
    }  # fmt: skip
