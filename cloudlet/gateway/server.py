"""The listener. The first bytes of a connection tell what it speaks: TLS, HTTP/2 by prior knowledge, or HTTP/1.1."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from cloudlet.gateway.http1 import Begin, Http1
from cloudlet.gateway.http2 import PREFACE, Http2

_BACKLOG = 2048
_IDLE_SECONDS = 75.0
_PEEKED_BYTES = 16
_TLS_HANDSHAKE = 0x16
_log = logging.getLogger("cloudlet.gateway")


def listen(host: str, port: int) -> list[socket.socket]:
    """Bound and listening sockets for a host (all its addresses). Raises OSError where the port is taken."""
    sockets: list[socket.socket] = []
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(found):
        if sockets and port == 0:
            address = (address[0], sockets[0].getsockname()[1], *address[2:])
        try:
            listening = socket.socket(family, kind, protocol)
        except OSError:
            continue  # this machine has no such family
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRNOTAVAIL and len(found) > 1:
                continue
            for other in sockets:
                other.close()
            raise
        listening.setblocking(False)
        sockets.append(listening)
    return sockets


class Server:
    """Accepts on listening sockets until `close`. tls: makes the context, on the first TLS connection."""

    def __init__(self, begin: Begin, loop: asyncio.AbstractEventLoop, tls: Callable[[], ssl.SSLContext]):
        self._begin = begin
        self._loop = loop
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._sockets: list[socket.socket] = []
        self._connections: set[Any] = set()
        self._names: dict[bytes, str] = {}
        self._peeking: dict[socket.socket, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None

    def start(self, sockets: list[socket.socket]) -> None:
        self._sockets += sockets
        for listening in sockets:
            self._loop.add_reader(listening.fileno(), self._accept, listening)
        if not self._sweep:
            self._sweep = self._loop.call_later(_IDLE_SECONDS / 5, self._close_idle)

    def close(self) -> None:
        if self._sweep:
            self._sweep.cancel()
        for listening in self._sockets:
            self._loop.remove_reader(listening.fileno())
            listening.close()
        for waiting in list(self._peeking):
            self._stop_peeking(waiting)
            waiting.close()
        for connection in list(self._connections):
            connection.close()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(64):
            try:
                accepted, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                _log.warning("a connection could not be accepted: %s", error)
                return
            accepted.setblocking(False)
            with contextlib.suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peeking[accepted] = self._loop.time()
            self._loop.add_reader(accepted.fileno(), self._peek, accepted)

    def _peek(self, accepted: socket.socket) -> None:
        try:
            first = accepted.recv(_PEEKED_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._stop_peeking(accepted)
        if not first:
            accepted.close()
            return
        task = self._loop.create_task(self._adopt(accepted, secure=first[0] == _TLS_HANDSHAKE, first=first))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop_peeking(self, accepted: socket.socket) -> None:
        self._peeking.pop(accepted, None)
        self._loop.remove_reader(accepted.fileno())

    async def _adopt(self, accepted: socket.socket, *, secure: bool, first: bytes) -> None:
        try:
            if secure:
                self._context = self._context or self._tls()
                await self._loop.connect_accepted_socket(self._secure, accepted, ssl=self._context, ssl_handshake_timeout=10)
            else:
                unsure = len(first) < len(PREFACE) and PREFACE.startswith(first)
                version_2 = first[: len(PREFACE)] == PREFACE
                made = self._unsure if unsure else self._http2 if version_2 else self._http1
                await self._loop.connect_accepted_socket(made, accepted)
        except (OSError, ssl.SSLError, ConnectionError) as error:
            _log.debug("a connection failed: %s", error)
            accepted.close()

    def _http1(self, secure: bool = False) -> Http1:
        return Http1(self._begin, self._loop, self._connections, self._names, secure)

    def _http2(self, secure: bool = False) -> Http2:
        return Http2(self._begin, self._loop, self._connections, secure)

    def _secure(self) -> asyncio.Protocol:
        return _ByAlpn(self)

    def _unsure(self) -> asyncio.Protocol:
        return _ByPreface(self)

    def _close_idle(self) -> None:
        before = self._loop.time() - _IDLE_SECONDS
        for connection in list(self._connections):
            if not connection.busy and connection.idle_since < before:
                connection.close()
        for waiting in [waiting for waiting, since in self._peeking.items() if since < before]:
            self._stop_peeking(waiting)
            waiting.close()
        self._sweep = self._loop.call_later(_IDLE_SECONDS / 5, self._close_idle)


class _ByAlpn(asyncio.Protocol):
    """A TLS connection whose handshake tells which version is spoken."""

    def __init__(self, server: Server):
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tls = transport.get_extra_info("ssl_object")
        spoken = tls.selected_alpn_protocol() if tls else None
        protocol = self._server._http2(secure=True) if spoken == "h2" else self._server._http1(secure=True)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


class _ByPreface(asyncio.Protocol):
    """A connection of which too little has come to tell whether it speaks HTTP/2: `P` may begin a POST as well."""

    def __init__(self, server: Server):
        self._server = server
        self._first = b""
        self.busy = False
        self.idle_since = server._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._server._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._first += data
        if len(self._first) < len(PREFACE) and PREFACE.startswith(self._first):
            return
        self._server._connections.discard(self)
        version_2 = self._first.startswith(PREFACE)
        protocol = self._server._http2() if version_2 else self._server._http1()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._first)

    def connection_lost(self, error: Exception | None) -> None:
        self._server._connections.discard(self)

    def close(self) -> None:
        self._transport.close()
