"""What is not safe about the settings of a server, and whether its TLS files can be used, before a client finds out."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from server.identity_settings import is_loopback
from server.settings import Settings, Tls, WrongSetting

EXPIRED = 10
NOT_YET_VALID = 9
"""Verification results of OpenSSL, X509_V_ERR_*."""


def security_warnings(settings: Settings) -> Iterator[str]:
    """What works and should not stay as it is. Raises WrongSetting for TLS files that cannot be used."""
    if settings.tls and (warning := check_tls(settings.tls)):
        yield warning
    if settings.remote_authority is not None:
        check_authority(settings.remote_authority, "--remote-ca (ABSFIN_REMOTE_CA)")
    host = settings.listen.rpartition(":")[0].strip("[]")
    if not settings.tls and not settings.listen.startswith("unix:") and not is_loopback(host):
        yield f"tokens and data cross the network without encryption to {settings.listen}: set --tls-cert and --tls-key"
    web = settings.web.listen if settings.web else ""
    if web and not settings.tls and not is_loopback(web.rpartition(":")[0].strip("[]")):
        yield f"tokens and data of browsers cross the network without encryption to {web}: set --tls-cert and --tls-key"
    metrics = settings.telemetry.metrics_listen if settings.telemetry else ""
    if metrics and not is_loopback(metrics.rpartition(":")[0].strip("[]")):
        yield f"figures of this server are shown to whoever reaches {metrics}: let only Prometheus reach it"
    keys = urlsplit(settings.identity.jwks_url)
    if keys.scheme == "http" and not is_loopback(keys.hostname or ""):
        yield f"the keys of tokens come without encryption from {keys.hostname}: whoever can change them is anybody"
    hook = settings.webhook.parts if settings.webhook else None
    if hook and hook.scheme == "http" and not is_loopback(hook.hostname or ""):
        yield f"notifications cross the network without encryption to {hook.hostname}: use an address of https"


def check_tls(tls: Tls) -> str | None:
    """Raises WrongSetting for files that cannot serve; returns a warning about a certificate that is out of date."""
    server = _server_side(tls)
    if tls.client_authority is not None:
        check_authority(tls.client_authority, "--tls-client-ca (ABSFIN_TLS_CLIENT_CA)")
    code = _verification(tls, server)
    if code == EXPIRED:
        return f"the certificate {tls.certificate} has expired"
    if code == NOT_YET_VALID:
        return f"the certificate {tls.certificate} is not valid yet"
    return None


def check_authority(file: Path, setting: str) -> None:
    """Raises WrongSetting, which names the setting, for a file without certificates."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError as error:  # ssl.SSLError is one
        raise WrongSetting(f"{setting} is not a PEM file of certificates: {file} ({_reason(error)})") from None


def _server_side(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(tls.certificate)
    except (ssl.SSLError, OSError) as error:
        raise WrongSetting(
            f"--tls-cert (ABSFIN_TLS_CERT) is not a PEM file of a certificate: {tls.certificate} ({_reason(error)})"
        ) from None
    try:
        # Without a password here, OpenSSL would ask the terminal for one.
        context.load_cert_chain(tls.certificate, tls.key, password="")
    except (ssl.SSLError, OSError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise WrongSetting(
                f"--tls-key (ABSFIN_TLS_KEY) does not belong to the certificate {tls.certificate}: {tls.key}"
            ) from None
        raise WrongSetting(
            f"--tls-key (ABSFIN_TLS_KEY) is not a PEM file of a key without password: {tls.key} ({_reason(error)})"
        ) from None
    return context


def _verification(tls: Tls, server: ssl.SSLContext) -> int:
    """Result of a handshake in memory with a client that trusts this very certificate; 0 where it is valid."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(tls.certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_code
            except ssl.SSLError:
                return 0  # what is wrong with it is not its date
    return 0


def _reason(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error).lower().replace("_", " ")
