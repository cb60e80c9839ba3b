"""Settings of the webhook that notifications are posted to, from texts."""

import ipaddress
from dataclasses import field
from urllib.parse import SplitResult, urlsplit

from domain.records import dataclass
from server.identity_settings import Value, Wrong

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LEAST_SECRET_BYTES = 32
"""RFC 2104, section 3: a key shorter than the output of its hash function weakens it."""

_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that is assigned to hosts of the internet (RFC 4291, section 2.4). What lies outside and is no private range of
its own stands for IPv4 addresses in one way or another, or is local by an older rule."""

_NOT_OURS_TO_REACH: tuple[Network, ...] = (
    ipaddress.IPv6Network("2002::/16"),  # 6to4 and
    ipaddress.IPv6Network("2001::/32"),  # Teredo stand for IPv4 addresses, which may be private ones
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.IPv4Network("192.0.0.0/24"),  # of protocols (RFC 6890), in part global by older tables; a cloud has
    # its metadata there
    ipaddress.IPv4Network("168.63.129.16/32"),  # a public address by its number, but the host's own service on Azure
)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where notifications are posted, signed with what, and which addresses may be connected to."""

    url: str
    secret: bytes = field(repr=False)
    hosts: frozenset[str] = frozenset()  # names that may be called; empty: that of the address
    networks: tuple[Network, ...] = ()  # that may be called though they are private
    seconds: float = 10.0  # for one attempt
    retry_seconds: float = 15.0  # from the first attempt to the second

    @property
    def parts(self) -> SplitResult:
        """The address in parts."""
        return urlsplit(self.url)

    def permits(self, address: Address) -> bool:
        """Whether an address may be connected to: a public one of a host that is named, or one of a network.

        What matters is the address, since a name can lead anywhere, and to another place each time it is asked.
        """
        plain = getattr(address, "ipv4_mapped", None) or address
        if any(plain in network for network in self.networks):
            return True
        return _is_public(plain) and (not self.hosts or (self.parts.hostname or "") in self.hosts)


def webhook_from(value: Value, seconds: float, retry_seconds: float, wrong: Wrong) -> WebhookSettings | None:
    """The webhook; None where none is set. Raises what `wrong` raises."""
    url, secret, allowed = value("webhook_url"), value("webhook_secret"), value("webhook_allow")
    if not url:
        for name, text in (("webhook_secret", secret), ("webhook_allow", allowed)):
            if text:
                wrong(name, "must be given with --webhook-url (ABSFIN_WEBHOOK_URL)")
        return None
    _check_url(url, wrong)
    if len(secret.encode()) < LEAST_SECRET_BYTES:
        wrong("webhook_secret", f"must have {LEAST_SECRET_BYTES} bytes at least: it signs what is posted")
    hosts, networks = _allowed(allowed, wrong)
    found = WebhookSettings(url, secret.encode(), hosts, networks, seconds, retry_seconds)
    host = found.parts.hostname or ""
    if hosts and not networks and host not in hosts:
        wrong("webhook_allow", f"does not name {host}, the host of --webhook-url (ABSFIN_WEBHOOK_URL)")
    return found


def _is_public(address: Address) -> bool:
    if any(address in network for network in _NOT_OURS_TO_REACH):
        return False
    is_unicast = address.version == 4 or address in _UNICAST
    return is_unicast and address.is_global and not address.is_multicast


def _check_url(url: str, wrong: Wrong) -> None:
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable():
        wrong("webhook_url", "must be an address such as https://HOST/PATH, without a user or a fragment")
    if " " in url:
        wrong("webhook_url", "must have no spaces")


def _allowed(text: str, wrong: Wrong) -> tuple[frozenset[str], tuple[Network, ...]]:
    hosts: set[str] = set()
    networks: list[Network] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            if any(sign in entry for sign in "/:* "):
                wrong(
                    "webhook_allow",
                    "must be names of hosts, addresses or networks such as 10.1.0.0/16, with commas between them, is "
                    f"{entry!r}",
                )
            hosts.add(entry.lower())
    return frozenset(hosts), tuple(networks)
