"""Reaching a peer: TLS with a company's own authority, pinned addresses, rebinding names, refused connections."""

import asyncio
import contextlib
import datetime
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedcorp.net import AddressRefused, DeadlineExceeded, Limits, default_tls, resolve_with_system
from tests.net.sink import OK, Line, get, keep_alive, opened, replies, serve

pytestmark = pytest.mark.anyio
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=3650))
        .not_valid_after(NOW + datetime.timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


class Authority:
    """A company's certificate authority and one server certificate of it."""

    def __init__(self, folder: Path) -> None:
        key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = certificate("Company CA", "Company CA", key, key, ())
        names = (
            x509.DNSName("sales.corp.example"),
            x509.DNSName("sink.localhost"),
            x509.IPAddress(ip_address("127.0.0.1")),
        )
        server = certificate("server", "Company CA", server_key, key, names)
        chain = folder / "server.pem"
        chain.write_bytes(
            server_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + server.public_bytes(serialization.Encoding.PEM)
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        self.client = ssl.create_default_context(cafile=str(self.file))
        self.asked: list[str | None] = []
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(chain)
        self.server.sni_callback = lambda _socket, name, _context: self.asked.append(name)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


class Resolver:
    """Answers each question with the next list of addresses, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_private_authority_sni_and_host(authority: Authority) -> None:
    resolve = Resolver(["127.0.0.1"])
    async with (
        serve(keep_alive, authority.server) as sink,
        opened(verify=authority.client, resolve=resolve) as transport,
    ):
        url = sink.url("/inbox", host="sales.corp.example", scheme="https")
        for _ in range(3):
            assert (await get(transport, url)).content == b"ok"
        assert authority.asked[-1] == "sales.corp.example"
        assert f"\r\nHost: sales.corp.example:{sink.port}\r\n".encode() in sink.requests[0]
        assert (sink.connections, resolve.asked) == (1, ["sales.corp.example"])


async def test_default_trust_follows_ssl_cert_file(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    default_tls.cache_clear()
    try:
        async with serve(keep_alive, authority.server) as sink, opened() as transport:
            assert (await get(transport, sink.url(scheme="https"))).content == b"ok"
            assert (await get(transport, sink.url(scheme="https", host="127.0.0.1"))).content == b"ok"
    finally:
        default_tls.cache_clear()


@pytest.mark.parametrize("host", ["other.localhost", "[::ffff:127.0.0.1]"])
async def test_certificate_must_be_for_the_name(authority: Authority, host: str) -> None:
    async with serve(keep_alive, authority.server) as sink, opened(verify=authority.client) as transport:
        with pytest.raises(httpx.ConnectError):
            await get(transport, sink.url(host=host, scheme="https"))
        assert sink.requests == []


async def test_unknown_authority_is_refused(authority: Authority) -> None:
    async with serve(keep_alive, authority.server) as sink, opened() as transport:
        with pytest.raises(httpx.ConnectError):
            await get(transport, sink.url(scheme="https"))
        assert sink.requests == []


async def test_dead_reused_tls_connection_is_replaced(authority: Authority) -> None:
    async def script(line: Line) -> None:
        await line.request()
        await line.send(OK)
        if line.number == 1:
            await line.request()

    async with serve(script, authority.server) as sink, opened(verify=authority.client) as transport:
        for _ in range(2):
            assert (await get(transport, sink.url(scheme="https"))).content == b"ok"
        assert (sink.connections, len(sink.requests)) == (2, 3)


async def test_tls_handshake_that_never_ends() -> None:
    async def script(line: Line) -> None:
        await line.reader.read()
        line.sink.left.set()

    async with serve(script) as sink, opened(limits=Limits(connect=0.2)) as transport:
        with pytest.raises(DeadlineExceeded):
            await get(transport, sink.url(scheme="https"))
        assert sink.connections == 1
        await asyncio.wait_for(sink.left.wait(), 5)


async def test_slow_resolver_meets_the_connect_deadline() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with opened(limits=Limits(connect=0.1), resolve=resolve) as transport:
        with pytest.raises(DeadlineExceeded):
            await get(transport, "https://slow.example/")


async def test_unknown_name() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    async with opened(resolve=resolve) as transport:
        with pytest.raises(httpx.ConnectError):
            await get(transport, "https://unknown.example/")


async def test_connection_refused() -> None:
    async with serve(keep_alive) as sink:
        url = sink.url()
    async with opened() as transport:
        with pytest.raises(httpx.ConnectError) as caught:
            await get(transport, url)
        assert not isinstance(caught.value, AddressRefused)
        assert caught.value.request.url == url


async def test_next_address_is_tried() -> None:
    resolve = Resolver(["127.9.9.9", "127.0.0.1"])
    async with serve(keep_alive) as sink, opened(resolve=resolve, insecure_http=True) as transport:
        assert (await get(transport, sink.url(host="two.example"))).content == b"ok"
        assert sink.connections == 1


async def test_one_bad_address_refuses_the_name() -> None:
    resolve = Resolver(["127.0.0.1", "10.0.0.1"])
    async with serve(keep_alive) as sink, opened(resolve=resolve, insecure_http=True) as transport:
        with pytest.raises(AddressRefused):
            await get(transport, sink.url(host="mixed.example"))
        assert sink.connections == 0


async def test_rebinding_name_stays_pinned_and_is_vetted_anew() -> None:
    resolve = Resolver(["127.0.0.1"], ["10.0.0.1"])
    async with (
        serve(replies(OK, OK)) as sink,
        opened(resolve=resolve, insecure_http=True, networks=(ip_network("127.0.0.1"),)) as transport,
    ):
        url = sink.url(host="rebind.example")
        for _ in range(2):
            assert (await get(transport, url)).content == b"ok"
        assert resolve.asked == ["rebind.example"]
        with pytest.raises(AddressRefused):
            await get(transport, url)
        assert (resolve.asked, sink.connections) == (["rebind.example"] * 2, 1)


async def test_what_must_stay_inside_does() -> None:
    resolve = Resolver(["8.8.8.8"])
    async with opened(resolve=resolve) as transport:
        request = httpx.Request("GET", "https://translate.example/", extensions={"inside": True})
        with pytest.raises(AddressRefused):
            await transport.handle_async_request(request)


async def test_localhost_with_port_needs_no_resolver() -> None:
    resolve = Resolver(["10.0.0.1"])
    async with serve(keep_alive) as sink, opened(resolve=resolve) as transport:
        for host in ("sales.localhost", "a.b.localhost", "SALES.localhost", "localhost"):
            assert (await get(transport, sink.url(host=host))).content == b"ok"
        assert f"Host: sales.localhost:{sink.port}".encode() in sink.requests[0]
        assert resolve.asked == []


@pytest.mark.parametrize("host", ["sink.localhost", "localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1"])
async def test_loopback_is_closed_unless_configured(host: str) -> None:
    async with serve(keep_alive) as sink, opened(networks=(), insecure_http=True) as transport:
        with pytest.raises(AddressRefused):
            await get(transport, sink.url(host=host))
        assert sink.connections == 0


async def test_system_resolver() -> None:
    assert await resolve_with_system("127.0.0.1", 443) == ["127.0.0.1"]
    assert await resolve_with_system("::1", 443) == ["::1"]


async def test_address_that_swallows_packets_leaves_time_for_the_next() -> None:
    # A listening socket whose queue is full answers no further connection attempts.
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.2", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.2", port))
        server = await asyncio.start_server(answer_ok, "127.0.0.1", port)
        resolve = Resolver(["127.0.0.2", "127.0.0.1"])
        async with server, opened(resolve=resolve, insecure_http=True, limits=Limits(connect=1)) as transport:
            assert (await get(transport, f"http://two.example:{port}/")).content == b"ok"


async def answer_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    writer.close()


@pytest.mark.parametrize("url", ["ftp://a.example/", "file:///etc/passwd", "/relative", "https:///path"])
async def test_other_schemes(url: str) -> None:
    async with opened() as transport:
        with pytest.raises(httpx.UnsupportedProtocol):
            await get(transport, url)
