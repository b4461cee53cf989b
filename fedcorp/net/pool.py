"""Keeps idle connections for reuse: a few per origin, bounded in number and in age, without ever scanning them all.

The newest connection of an origin is reused first, so the oldest of an origin is always the next of it to expire. One
timer serves the whole pool. This room never connects and never sends.
"""

import asyncio
from collections import OrderedDict, deque

from fedcorp.net.addresses import Origin
from fedcorp.net.http1 import Connection


class Pool:
    """Idle connections by origin, and the set of all open ones so that they can be closed.

    `per_origin` and `total` count idle connections; `seconds` is how long one may stay idle.
    """

    def __init__(self, per_origin: int, total: int, seconds: float) -> None:
        self._per_origin = per_origin
        self._total = total
        self._seconds = seconds
        self._idle: dict[Origin, deque[Connection]] = {}
        self._expiry: OrderedDict[Connection, float] = OrderedDict()
        self._open: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None

    def add(self, connection: Connection) -> None:
        """Notes that a connection has opened; once the pool is closed, drops it."""
        self._open.add(connection)
        if self._drained is not None:
            connection.abort()

    def remove(self, connection: Connection) -> None:
        """Forgets a connection that is gone."""
        self._open.discard(connection)
        if connection in self._expiry:
            self._take_out(connection)
        if not self._open and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def find(self, origin: Origin) -> Connection | None:
        """The idle connection of an origin that was used last, now the caller's, or None."""
        while stack := self._idle.get(origin):
            connection = stack.pop()
            del self._expiry[connection]
            if not stack:
                del self._idle[origin]
            if connection.reusable:
                return connection
            connection.abort()
        return None

    def give_back(self, connection: Connection) -> None:
        """Keeps a connection for reuse, or drops it when it cannot be reused; makes room by closing the oldest."""
        if not connection.reusable or self._drained is not None:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        stack = self._idle.setdefault(connection.origin, deque())
        stack.append(connection)
        self._expiry[connection] = loop.time() + self._seconds
        if len(stack) > self._per_origin:
            self._close(stack[0])
        elif len(self._expiry) > self._total:
            self._close(next(iter(self._expiry)))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._expire)

    async def aclose(self) -> None:
        """Drops every connection, idle or in use, and returns when all sockets are closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._drained is None:
            self._drained = asyncio.get_running_loop().create_future()
        for connection in tuple(self._open):
            connection.abort()
        if self._open:
            await self._drained

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._expiry:
            connection, at = next(iter(self._expiry.items()))
            if at > loop.time():
                self._timer = loop.call_at(at, self._expire)
                return
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._take_out(connection)
        connection.close()

    def _take_out(self, connection: Connection) -> None:
        del self._expiry[connection]
        stack = self._idle[connection.origin]
        stack.remove(connection)
        if not stack:
            del self._idle[connection.origin]
