"""HTTP/1.1 on one connection, parsed by llhttp. Requests that come before the last is answered wait their turn."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import httptools

from cloudlet.gateway import sending
from cloudlet.gateway.exchange import Exchange
from cloudlet.kernel.blobs import Content
from cloudlet.wire.message import Request, Response

Begin = Callable[[Exchange], None]
_MAX_HEAD_BYTES = 64 * 1024
_HIGH_WATER_BYTES = 1024 * 1024
_KNOWN_NAMES = 2048
_log = logging.getLogger("cloudlet.gateway")


class Http1(asyncio.Protocol):
    """One connection. `begin` is called with each request's Exchange once its head is read."""

    def __init__(
        self, begin: Begin, loop: asyncio.AbstractEventLoop, connections: set[Any], names: dict[bytes, str], secure: bool
    ):
        self._begin = begin
        self._loop = loop
        self._connections = connections
        self._names = names
        self.secure = secure
        self.idle_since = loop.time()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._expects = False
        self._reading: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._current: Exchange | None = None
        self._drain: asyncio.Future[None] | None = None
        self._writable = True
        self._task: asyncio.Task[None] | None = None

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.idle_since = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "Upgrade is not supported.")
        except httptools.HttpParserError:
            self._refuse(400, "The request is not valid HTTP.")

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self.resume_writing()
        for exchange in (self._current, self._reading, *self._waiting):
            if exchange:
                exchange.lost()
        self._current = self._reading = None
        self._waiting.clear()
        if self._task:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._drain and not self._drain.done():
            self._drain.set_result(None)

    # what the parser calls

    def on_message_begin(self) -> None:
        self._url, self._headers, self._head_bytes, self._expects = b"", {}, 0, False

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        key = self._names.get(name)
        if key is None:
            key = name.decode("latin-1").lower()
            if len(self._names) < _KNOWN_NAMES:
                self._names[name] = key
        text = value.decode("latin-1")
        if key in self._headers:
            text = f"{self._headers[key]},{text}"
        elif key == "expect":
            self._expects = value.lower() == b"100-continue"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        path, query = _target(self._url)
        request = Request(method, path, query, self._headers)
        exchange = Exchange(self, request, expects_continue=self._expects, keep_alive=self._parser.should_keep_alive())
        self._reading = exchange
        if self._current is None:
            self._current = exchange
            self._begin(exchange)
        else:
            self._waiting.append(exchange)

    def on_body(self, data: bytes) -> None:
        if self._reading:
            self._reading.body.feed(data)

    def on_message_complete(self) -> None:
        exchange, self._reading = self._reading, None
        if exchange:
            exchange.body.end()
            if exchange.sent:
                self._finished(exchange)
            elif exchange.whole:
                exchange.whole()

    # what the exchange calls

    def pause_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def send_continue(self, exchange: Exchange) -> None:
        if exchange is self._current:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send(self, exchange: Exchange, response: Response) -> None:
        if self._transport.is_closing():
            return
        if self._reading is exchange:
            if exchange.expects_continue:
                exchange.keep_alive = False  # whether the client still sends its body cannot be known
            exchange.body.discard()
        start = sending.head(response, keep_alive=exchange.keep_alive)
        body = response.body
        if isinstance(body, Content) and (inline := sending.as_bytes(body)) is not None:
            body = inline
        if exchange.request.method == "HEAD" or response.status in (204, 304):
            self._transport.write(start)
        elif isinstance(body, (bytes, bytearray)):
            self._transport.write(start + body if len(body) < 65536 else start)
            if len(body) >= 65536:
                self._transport.write(body)
        else:
            self._task = self._loop.create_task(self._stream(exchange, start, body))
            return
        self._finished(exchange)

    async def _stream(self, exchange: Exchange, start: bytes, body: Any) -> None:
        try:
            if isinstance(body, Content) and not self.secure and not self._transport.get_write_buffer_size():
                await sending.DirectSender(self._loop, self._transport.get_extra_info("socket").fileno()).send(start, body)
                self._task = None
                self._finished(exchange)
                return
            self._transport.write(start)
            if isinstance(body, Content):
                await sending.stream_content(body, self._transport.write, self._drained)
            else:
                await sending.stream_chunked(body, self._transport.write, self._drained)
        except (ConnectionError, asyncio.CancelledError):
            self._transport.abort()  # the client has left
            return
        except Exception:
            _log.exception("a response broke off")
            self._transport.abort()
            return
        self._task = None
        self._finished(exchange)

    async def _drained(self) -> None:
        if not self._writable:
            self._drain = self._loop.create_future()
            await self._drain
        if self._transport.is_closing():
            raise ConnectionResetError

    def _finished(self, exchange: Exchange) -> None:
        """The response is out; the next request's turn comes once the rest of this one is in, too."""
        exchange.sent = True
        self.idle_since = self._loop.time()
        if self._reading is exchange and exchange.keep_alive:
            return
        if not exchange.keep_alive:
            self._transport.close()
            return
        self._current = None
        if self._waiting:
            self._current = self._waiting.popleft()
            self._begin(self._current)

    @property
    def busy(self) -> bool:
        """A request is being worked on; what is idle or sends a request too slowly is closed after a while."""
        return self._current is not None and self._reading is None

    def close(self) -> None:
        self._transport.close()

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > _MAX_HEAD_BYTES:
            raise ValueError("head too long")

    def _refuse(self, status: int, text: str) -> None:
        if not self._transport.is_closing():
            body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>BadRequest</Code><Message>{text}</Message></Error>'
            response = Response(status, [("Content-Type", "application/xml")], body.encode())
            self._transport.write(sending.head(response, keep_alive=False) + response.body)
            self._transport.close()


def _target(url: bytes) -> tuple[str, str]:
    """Raw path and raw query of a request line's target, whichever of its forms it has."""
    target = url.decode("latin-1")
    if not target.startswith("/"):
        _, marker, rest = target.partition("://")
        slash = rest.find("/")
        target = rest[slash:] if marker and slash >= 0 else "/"
    path, _, query = target.partition("?")
    return path, query.partition("#")[0]
