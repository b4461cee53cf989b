"""httpx's transport interface over our own connections: vets, connects, reuses, limits; never follows a redirect.

The peer is always reached at an address that this process resolved and vetted itself, with the name kept for TLS (SNI
and certificate) and for Host. Proxies of the environment are not used. No threads of its own.
"""

import asyncio
import functools
import ssl
from dataclasses import dataclass, replace

import httpx

from fedcorp.net.addresses import Address, AddressPolicy, Network, Origin, Resolve, resolve_with_system
from fedcorp.net.failures import ConnectDeadlineExceeded, DeadlineExceeded, NoResponse
from fedcorp.net.http1 import Connection, Reply, serialise_request
from fedcorp.net.pool import Pool

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MOST_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every exchange. Times in seconds, sizes in bytes, the rest in connections.

    `connect` covers resolving, connecting and the TLS handshake; `total` the whole exchange including the body.
    `max_body` holds for the body as sent and for the body after decompression.
    """

    connect: float = 5.0
    total: float = 20.0
    max_body: int = 1024 * 1024
    idle_per_origin: int = 8
    idle_total: int = 512
    idle_seconds: float = 30.0
    exchanges: int = 1024


@functools.cache
def default_tls() -> ssl.SSLContext:
    """The process-wide TLS client context: system trust store, or the file that SSL_CERT_FILE names."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Transport(httpx.AsyncBaseTransport):
    """Sends httpx requests to vetted addresses only.

    `networks` are the only non-global addresses that may be reached; towards them, and for names under `.localhost`,
    any port is allowed, elsewhere only `ports` (and 80 with `insecure_http`). `resolve` replaces the system resolver.
    `request.extensions["max_body"]` overrides `limits.max_body` for one request; with `request.extensions["inside"]` it
    goes to `networks` or nowhere. httpx's own timeouts are not used.
    One transport belongs to one event loop.
    """

    def __init__(
        self,
        *,
        networks: tuple[Network, ...] = (),
        ports: frozenset[int] = frozenset({443}),
        insecure_http: bool = False,
        verify: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        resolve: Resolve = resolve_with_system,
    ) -> None:
        self._policy = AddressPolicy(tuple(networks), ports, insecure_http)
        self._inside = replace(self._policy, inside=True)
        self._limits = limits or Limits()
        self._tls = verify or default_tls()
        self._resolve = resolve
        self._pool = Pool(self._limits.idle_per_origin, self._limits.idle_total, self._limits.idle_seconds)
        self._slots = asyncio.Semaphore(self._limits.exchanges)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange; the response is complete and its body decoded.

        Raises AddressRefused, DeadlineExceeded, ResponseTooLarge, BadResponse, httpx.ConnectError (no address, no
        connection, or TLS refused), httpx.UnsupportedProtocol, httpx.LocalProtocolError: all httpx.TransportError.
        """
        if self._closed:
            raise RuntimeError("the transport is closed")
        try:
            async with asyncio.timeout(self._limits.total), self._slots:
                reply = await self._exchange(request)
        except TimeoutError as error:
            text = f"no complete response from {request.url.host} in time"
            raise DeadlineExceeded(text, request=request) from error
        except httpx.TransportError as error:
            error.request = request
            raise
        return httpx.Response(
            reply.status,
            headers=reply.headers,
            content=reply.body,
            request=request,
            extensions={"http_version": reply.version},
        )

    async def aclose(self) -> None:
        """Ends all exchanges and closes all connections."""
        self._closed = True
        await self._pool.aclose()

    async def _exchange(self, request: httpx.Request) -> Reply:
        origin = _origin(request.url)
        max_body = int(request.extensions.get("max_body", self._limits.max_body))
        payload = serialise_request(request, await request.aread())
        is_inside = bool(request.extensions.get("inside"))
        connection = None if is_inside else self._pool.find(origin)  # those were vetted for less
        if connection is not None:
            try:
                return await self._send(connection, payload, request.method, max_body)
            except NoResponse:
                # The peer closed an idle connection while our request was under way. Not one byte came back, so the
                # request is sent once more, on a connection that cannot have gone stale.
                if self._closed:
                    raise
        policy = self._inside if is_inside else self._policy
        return await self._send(await self._connect(origin, policy), payload, request.method, max_body)

    async def _send(self, connection: Connection, payload: bytes, method: str, max_body: int) -> Reply:
        try:
            return await connection.exchange(payload, method, max_body)
        finally:
            self._pool.give_back(connection)

    async def _connect(self, origin: Origin, policy: AddressPolicy) -> Connection:
        try:
            async with asyncio.timeout(self._limits.connect) as budget:
                addresses = await policy.find_addresses(origin, self._resolve)
                return await self._dial(origin, addresses[:_MOST_ATTEMPTS], budget)
        except TimeoutError as error:
            raise ConnectDeadlineExceeded(f"no connection to {origin.host} in time") from error
        except OSError as error:
            raise httpx.ConnectError(f"no connection to {origin.host} ({type(error).__name__})") from error

    async def _dial(self, origin: Origin, addresses: tuple[Address, ...], budget: asyncio.Timeout) -> Connection:
        # Each address gets an equal share of what time is left, so that one that swallows packets costs not all of it.
        # When all fail, the first failure tells most: the others are often a second protocol that nobody serves.
        loop = asyncio.get_running_loop()
        until = budget.when() or loop.time()
        failures: list[OSError] = []
        for tried, address in enumerate(addresses):
            try:
                async with asyncio.timeout((until - loop.time()) / (len(addresses) - tried)):
                    return await self._open(origin, address)
            except OSError as error:
                failures.append(error)
        raise failures[0]

    async def _open(self, origin: Origin, address: Address) -> Connection:
        secure = origin.scheme == "https"
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(origin, self._pool.add, self._pool.remove),
            str(address),
            origin.port,
            ssl=self._tls if secure else None,
            server_hostname=origin.host.removesuffix(".") if secure else None,
        )
        return connection


def _origin(url: httpx.URL) -> Origin:
    scheme = url.scheme
    if scheme not in _DEFAULT_PORTS or not url.raw_host:
        raise httpx.UnsupportedProtocol("only http and https addresses with a host can be requested")
    port = _DEFAULT_PORTS[scheme] if url.port is None else url.port
    return Origin(scheme, url.raw_host.decode("ascii").lower(), port)
