"""Which addresses may be reached: the table, then names, ports and schemes."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.net import AddressPolicy, AddressRefused, Origin
from fedcorp.net.addresses import check_host, destinations, is_localhost

OPEN = AddressPolicy()
COMPANY = AddressPolicy(
    networks=tuple(
        ip_network(text)
        for text in ("10.20.0.0/16", "127.0.0.0/8", "100.64.7.0/24", "169.254.10.0/24", "fd12:3456::/32", "::1/128")
    )
)

# address, allowed without configured networks, allowed with those of COMPANY
TABLE = """
8.8.8.8 yes yes
1.1.1.1 yes yes
9.255.255.255 yes yes
11.0.0.0 yes yes
100.63.255.255 yes yes
100.128.0.0 yes yes
126.255.255.255 yes yes
128.0.0.1 yes yes
169.253.255.255 yes yes
169.255.0.0 yes yes
172.15.255.255 yes yes
172.32.0.0 yes yes
192.0.1.0 yes yes
192.0.3.0 yes yes
192.167.255.255 yes yes
192.169.0.0 yes yes
198.17.255.255 yes yes
198.20.0.0 yes yes
223.255.255.255 yes yes
0.0.0.0 no no
0.0.0.1 no no
0.255.255.255 no no
10.0.0.1 no no
10.19.255.255 no no
10.20.0.0 no yes
10.20.3.4 no yes
10.20.255.255 no yes
10.21.0.0 no no
10.255.255.255 no no
100.64.0.1 no no
100.64.7.9 no yes
100.100.100.200 no no
100.127.255.255 no no
127.0.0.1 no yes
127.0.0.53 no yes
127.255.255.255 no yes
168.63.129.16 no no
169.254.0.1 no no
169.254.10.1 no yes
169.254.169.254 no no
169.254.170.2 no no
169.254.255.255 no no
172.16.0.1 no no
172.31.255.255 no no
192.0.0.1 no no
192.0.0.8 no no
192.0.0.170 no no
192.0.0.192 no no
192.0.0.255 no no
192.0.2.1 no no
192.88.99.1 no no
192.168.0.1 no no
192.168.255.255 no no
198.18.0.1 no no
198.19.255.255 no no
198.51.100.7 no no
203.0.113.7 no no
224.0.0.1 no no
239.255.255.250 no no
240.0.0.1 no no
255.255.255.254 no no
255.255.255.255 no no
2001:4860:4860::8888 yes yes
2606:4700:4700::1111 yes yes
2a00:1450:4001::1 yes yes
2003::1 yes yes
3ffe::1 yes yes
:: no no
::1 no yes
::2 no no
100::1 no no
64:ff9b:1::1 no no
64:ff9b:1:ffff::808:808 no no
2001:1::1 no no
2001:2::1 no no
2001:10::1 no no
2001:20::1 no no
2001:1ff:ffff::1 no no
2001:db8::1 no no
2620:4f:8000::1 no no
3fff::1 no no
3fff:fff::1 no no
4000::1 no no
5f00::1 no no
8000::1 no no
fc00::1 no no
fd12:3456::1 no yes
fd12:3456:ffff::9 no yes
fd12:3457::1 no no
fd00:ec2::254 no no
fd20:ce::254 no no
fdff::1 no no
fe80::1 no no
febf::1 no no
fec0::1 no no
ff02::1 no no
ff0e::1 no no
::ffff:8.8.8.8 yes yes
::ffff:127.0.0.1 no yes
::ffff:7f00:1 no yes
::ffff:10.20.1.1 no yes
::ffff:10.0.0.1 no no
::ffff:169.254.169.254 no no
::ffff:0.0.0.0 no no
::8.8.8.8 yes yes
::127.0.0.1 no yes
::10.20.1.1 no yes
::192.168.1.1 no no
::169.254.169.254 no no
::ffff:0:8.8.8.8 yes yes
::ffff:0:127.0.0.1 no yes
::ffff:0:192.168.1.1 no no
64:ff9b::8.8.8.8 yes yes
64:ff9b::127.0.0.1 no yes
64:ff9b::10.20.1.1 no yes
64:ff9b::10.0.0.1 no no
64:ff9b::169.254.169.254 no no
2002:808:808::1 yes yes
2002:7f00:1::1 no yes
2002:a14:101::1 no yes
2002:a00:1::1 no no
2002:a9fe:a9fe::1 no no
2002:c0a8:101::1 no no
2001:0:808:808:0:0:f7f7:f7f7 yes yes
2001:0:808:808:0:0:80ff:fffe no yes
2001:0:7f00:1:0:0:f7f7:f7f7 no yes
2001:0:808:808:0:0:f5ff:fffe no no
2001:0:a00:1:0:0:f7f7:f7f7 no no
2001:0:808:808:0:0:5601:5601 no no
2606:4700::5efe:8.8.8.8 yes yes
2606:4700::5efe:127.0.0.1 no yes
2606:4700::200:5efe:10.0.0.1 no no
2606:4700::5efe:169.254.169.254 no no
fe80::5efe:8.8.8.8 no no
"""
ROWS = [line.split() for line in TABLE.split("\n") if line]


@pytest.mark.parametrize(("text", "bare", "company"), ROWS, ids=[row[0] for row in ROWS])
def test_address_table(text: str, bare: str, company: str) -> None:
    address = ip_address(text)
    assert OPEN.is_allowed(address) is (bare == "yes")
    assert COMPANY.is_allowed(address) is (company == "yes")


def test_table_is_long_enough() -> None:
    assert len(ROWS) >= 120


@pytest.mark.parametrize("text", ["169.254.169.254", "168.63.129.16", "fd00:ec2::254"])
def test_metadata_needs_its_own_line_in_the_configuration(text: str) -> None:
    wide = AddressPolicy(networks=(ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert not wide.is_allowed(ip_address(text))
    assert AddressPolicy(networks=(ip_network(text),)).is_allowed(ip_address(text))


@pytest.mark.parametrize("text", ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:0.0.0.0"])
def test_no_configuration_opens_what_is_no_peer(text: str) -> None:
    wide = AddressPolicy(networks=(ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert not wide.is_allowed(ip_address(text))


@given(st.integers(min_value=0x01000000, max_value=2**32 - 1).map(IPv4Address))
def test_wrapping_an_address_changes_nothing(inner: IPv4Address) -> None:
    low = int(inner)
    wrapped = [low, 0xFFFF << 32 | low, 0xFFFF << 48 | low, 0x64FF9B << 96 | low, 0x2002 << 112 | low << 80]
    for value in wrapped:
        assert destinations(IPv6Address(value)) == (inner,)
        assert OPEN.is_allowed(IPv6Address(value)) == OPEN.is_allowed(inner)


@given(st.ip_addresses())
def test_bare_policy_is_stricter_than_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    if OPEN.is_allowed(address) and destinations(address) == (address,):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "1.2.3",
        "1.2.3.4.",
        "256.1.1.1",
        "1.2.3.4.5",
        "example.123",
        "fe80::1%eth0",
        "::1%25lo",
        "1::2::3",
        "",
        ".",
        "a..b",
        "-a.example",
        "a-.example",
        "a%20b",
        "a/b",
        "user@host",
        "bücher.example",
        "a" * 64 + ".example",
        "a." * 127 + "abc",
    ],
)
def test_hosts_that_are_neither_name_nor_address(host: str) -> None:
    with pytest.raises(AddressRefused):
        check_host(host)


@pytest.mark.parametrize("host", ["example.com", "example.com.", "xn--bcher-kva.example", "a", "x_y.example", "1a.2b"])
def test_names(host: str) -> None:
    assert check_host(host) is None


def test_literals() -> None:
    assert check_host("192.0.2.1") == IPv4Address("192.0.2.1")
    assert check_host("2001:db8::1") == IPv6Address("2001:db8::1")


def test_localhost_is_a_whole_label() -> None:
    assert [is_localhost(host) for host in ("localhost", "a.localhost", "a.b.localhost.")] == [True] * 3
    assert [is_localhost(host) for host in ("notlocalhost", "localhost.example", "alocalhost")] == [False] * 3


def answering(*addresses: str) -> "Resolver":
    return Resolver(addresses)


class Resolver:
    """Answers every name with the same addresses and counts the questions."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.addresses


async def found(policy: AddressPolicy, url: tuple[str, str, int], *answer: str) -> list[str]:
    return [str(address) for address in await policy.find_addresses(Origin(*url), answering(*answer))]


@pytest.mark.anyio
async def test_every_address_must_be_allowed() -> None:
    assert await found(OPEN, ("https", "a.example", 443), "8.8.8.8", "1.1.1.1") == ["8.8.8.8", "1.1.1.1"]
    for bad in ("10.0.0.1", "::1", "::ffff:127.0.0.1", "not an address"):
        with pytest.raises(AddressRefused):
            await found(OPEN, ("https", "a.example", 443), "8.8.8.8", bad)


@pytest.mark.anyio
async def test_refusal_keeps_the_address_out_of_its_text() -> None:
    with pytest.raises(AddressRefused) as caught:
        await found(OPEN, ("https", "a.example", 443), "10.9.8.7")
    assert "10.9.8.7" not in str(caught.value)
    assert caught.value.detail == "10.9.8.7"


@pytest.mark.anyio
async def test_name_without_addresses() -> None:
    with pytest.raises(OSError, match="no address"):
        await found(OPEN, ("https", "a.example", 443))


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:7f00:1", "10.0.0.1", "169.254.169.254"])
async def test_literals_are_vetted_without_a_resolver(host: str) -> None:
    resolve = answering("8.8.8.8")
    with pytest.raises(AddressRefused):
        await OPEN.find_addresses(Origin("https", host, 443), resolve)
    assert resolve.asked == []


@pytest.mark.anyio
async def test_trailing_dot_is_not_given_to_the_resolver() -> None:
    resolve = answering("8.8.8.8")
    await OPEN.find_addresses(Origin("https", "a.example.", 443), resolve)
    assert resolve.asked == [("a.example", 443)]


@pytest.mark.anyio
async def test_localhost_names_need_no_resolver_but_a_configured_network() -> None:
    resolve = answering("8.8.8.8")
    origin = Origin("http", "sales.localhost", 8001)
    assert [str(address) for address in await COMPANY.find_addresses(origin, resolve)] == ["127.0.0.1", "::1"]
    only_v4 = AddressPolicy(networks=(ip_network("127.0.0.0/8"),))
    assert [str(address) for address in await only_v4.find_addresses(origin, resolve)] == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        await OPEN.find_addresses(origin, resolve)
    assert resolve.asked == []


@pytest.mark.anyio
async def test_any_port_inside_configured_networks_only() -> None:
    assert await found(COMPANY, ("https", "a.example", 8443), "10.20.0.9") == ["10.20.0.9"]
    for answer in (("8.8.8.8",), ("10.20.0.9", "8.8.8.8")):
        with pytest.raises(AddressRefused):
            await found(COMPANY, ("https", "a.example", 8443), *answer)
    wide = AddressPolicy(ports=frozenset({443, 8443}))
    assert await found(wide, ("https", "a.example", 8443), "8.8.8.8") == ["8.8.8.8"]


@pytest.mark.anyio
async def test_plain_http_needs_the_switch() -> None:
    for policy in (OPEN, COMPANY):
        with pytest.raises(AddressRefused):
            await found(policy, ("http", "a.example", 80), "10.20.0.9")
    insecure = AddressPolicy(insecure_http=True)
    assert await found(insecure, ("http", "a.example", 80), "8.8.8.8") == ["8.8.8.8"]
    with pytest.raises(AddressRefused):
        await found(insecure, ("http", "a.example", 8080), "8.8.8.8")


def test_inside_is_nothing_but_the_configured_networks() -> None:
    inside = AddressPolicy(networks=(ip_network("10.0.0.0/8"),), inside=True)
    assert inside.is_allowed(ip_address("10.1.2.3"))
    assert not inside.is_allowed(ip_address("93.184.216.34"))
    assert not inside.is_allowed(ip_address("192.168.1.1"))
