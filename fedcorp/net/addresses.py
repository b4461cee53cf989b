"""Decides which addresses this process may connect to, and turns a host name into such addresses.

Vetting is default-deny: an address must lie in a configured network, or be global by the standard library's registry
and by our own list. IPv6 forms that carry an IPv4 address are judged by the address inside. This room never connects;
the caller must connect to exactly the addresses returned here, so a second, different DNS answer changes nothing.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from fedcorp.net.failures import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""An async resolver: (host, port) -> addresses as text; raises OSError when the name has none."""


class Origin(NamedTuple):
    """Where a request goes: scheme, host in lower case ASCII (IPv6 without brackets), port."""

    scheme: str
    host: str
    port: int


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# No TCP peer lives here, and some systems route the unspecified address to loopback: refused even when configured.
_NEVER = _networks("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")

# Cloud metadata and credential services. A wide configured network (10.0.0.0/8, fd00::/8) must not open them by
# accident, so only a configured network of exactly this one address does.
_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    )
)

# IANA special-purpose registries, stated in full because `is_global` differs between Python releases.
_NOT_GLOBAL = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = IPv6Network("::/96")
_V4_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_ISATAP_MARKS = (0x00005EFE, 0x02005EFE)

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


def destinations(address: Address) -> tuple[Address, ...]:
    """Every address at which a packet sent to `address` may end.

    Unwraps IPv4-mapped, IPv4-compatible and IPv4-translated addresses (RFC 4291, RFC 7915), NAT64 (RFC 6052),
    6to4 (RFC 3056), Teredo (RFC 4380: server and client) and ISATAP (RFC 5214: the address and its end).
    """
    if isinstance(address, IPv4Address):
        return (address,)
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None or address in _V4_TRANSLATED or address in _NAT64:
        return (low,)
    if address in _V4_COMPATIBLE and int(address) > 1:
        return (low,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP_MARKS:
        return (address, low)
    return (address,)


def _in_any(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Where this process may connect.

    `networks`: the only non-global addresses allowed. `ports`: allowed towards addresses outside `networks`; port 80
    joins them with `insecure_http`, which also permits plain http for names outside `.localhost`. With `inside` nothing
    but `networks` is allowed.
    """

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({443})
    insecure_http: bool = False
    inside: bool = False

    def is_configured(self, address: Address) -> bool:
        """Whether every destination of `address` lies in a configured network."""
        return all(self._is_configured(end) for end in destinations(address))

    def is_allowed(self, address: Address) -> bool:
        """Whether every destination of `address` may be connected to."""
        return all(self._is_allowed(end) for end in destinations(address))

    def _is_configured(self, end: Address) -> bool:
        if _in_any(end, _NEVER):
            return False
        if end in _METADATA:
            return any(network.num_addresses == 1 and end in network for network in self.networks)
        return _in_any(end, self.networks)

    def _is_allowed(self, end: Address) -> bool:
        if self._is_configured(end):
            return True
        if self.inside or end in _METADATA or _in_any(end, _NEVER) or _in_any(end, _NOT_GLOBAL):
            return False
        return end.is_global and (isinstance(end, IPv4Address) or end in _GLOBAL_UNICAST)

    def _is_port_allowed(self, port: int) -> bool:
        return port in self.ports or (self.insecure_http and port == 80)

    async def find_addresses(self, origin: Origin, resolve: Resolve) -> tuple[Address, ...]:
        """The vetted addresses of an origin, in the resolver's order, at least one.

        Raises AddressRefused when scheme, host, port or any one of the addresses is not allowed, and whatever OSError
        the resolver raises.
        """
        if origin.scheme == "http" and not (self.insecure_http or is_localhost(origin.host)):
            raise AddressRefused(f"plain http to {origin.host} is not allowed")
        literal = check_host(origin.host)
        if is_localhost(origin.host):
            return self._loopback(origin)
        if literal is not None:
            found: tuple[Address, ...] = (literal,)
        else:
            found = _parse(await resolve(origin.host.removesuffix("."), origin.port), origin.host)
        self._check_addresses(origin, found)
        return found

    def _loopback(self, origin: Origin) -> tuple[Address, ...]:
        # RFC 6761, section 6.3: these names are loopback and must not be asked of a resolver.
        addresses: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
        allowed = tuple(address for address in addresses if self.is_configured(address))
        if not allowed:
            raise AddressRefused(f"{origin.host} is this machine, and no configured network contains it")
        return allowed

    def _check_addresses(self, origin: Origin, found: tuple[Address, ...]) -> None:
        for address in found:
            if not self.is_allowed(address):
                raise AddressRefused(f"{origin.host} leads to an address that is not allowed", detail=str(address))
            if not (self._is_port_allowed(origin.port) or self.is_configured(address)):
                raise AddressRefused(f"port {origin.port} of {origin.host} is not allowed", detail=str(address))


def is_localhost(host: str) -> bool:
    """Whether a host is `localhost` or a name under it (RFC 6761)."""
    name = host.removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def check_host(host: str) -> Address | None:
    """The address when `host` is an IP literal, None when it is a DNS name; raises AddressRefused when neither.

    Numeric shorthands (127.1, 0x7f000001, 017700000001) are refused here: resolvers disagree about them.
    """
    try:
        if ":" in host:
            address = IPv6Address(host)
            if address.scope_id is not None:
                raise AddressRefused(f"{host} names a network interface")
            return address
        if _NUMERIC.match(host.removesuffix(".").rpartition(".")[2]):
            return IPv4Address(host)
    except ValueError as error:
        raise AddressRefused(f"{host} is not a valid address") from error
    if len(host) > 253 or not _NAME.match(host.removesuffix(".")):
        raise AddressRefused("the host is not a valid name")
    return None


def _parse(texts: Sequence[str], host: str) -> tuple[Address, ...]:
    if not texts:
        raise OSError(f"{host} has no address")
    try:
        return tuple(ip_address(text) for text in dict.fromkeys(texts))
    except ValueError as error:
        raise AddressRefused(f"the resolver gave {host} an unreadable address") from error


async def resolve_with_system(host: str, port: int) -> Sequence[str]:
    """The operating system's answer (hosts file, DNS), asked in the event loop's own executor."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]
