"""An issuer of tokens: a real HTTP server on loopback that answers with its public keys."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

AUDIENCE = "authenticated"
ISSUER = "https://issuer.example/auth/v1"


class Issuer:
    """Keys by id, the document that is served, and how often it was asked for."""

    def __init__(self) -> None:
        self.ec_key = ec.generate_private_key(ec.SECP256R1())
        self.rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.document: Any = {"keys": [jwk(self.ec_key, "ec"), jwk(self.rsa_key, "rsa")]}
        self.status = 200
        self.delay = 0.0
        self.location = ""
        self.fetches = 0
        self.url = ""

    def token(self, algorithm: str = "ES256", **claims: Any) -> str:
        """A good token, but for these claims; None leaves a claim out."""
        kid, key = ("ec", self.ec_key) if algorithm == "ES256" else ("rsa", self.rsa_key)
        return signed(key, algorithm, {"kid": kid}, **claims)


def claims_of(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"sub": "ann", "aud": AUDIENCE, "iss": ISSUER, "exp": now + 600, "iat": now, "role": "authenticated"}
    return {name: value for name, value in {**good, **claims}.items() if value is not None}


def signed(key: Any, algorithm: str, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    return jwt.encode(claims_of(**claims), key, algorithm, headers)


def jwk(key: PrivateKey, kid: str, **more: Any) -> dict[str, Any]:
    public: Any = key.public_key()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "alg": "ES256", "use": "sig", **more}
    return {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "alg": "RS256", "use": "sig", **more}


@contextmanager
def running(issuer: Issuer, port: int = 0) -> Iterator[Issuer]:
    """Serves its document."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            time.sleep(issuer.delay)
            content = issuer.document if isinstance(issuer.document, bytes) else json.dumps(issuer.document).encode()
            self.send_response(issuer.status)
            if issuer.location:
                self.send_header("location", issuer.location)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    issuer.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
