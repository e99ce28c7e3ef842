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
from cloudlet.gateway.flow import Flow
from cloudlet.kernel.blobs import Content
from cloudlet.wire.message import Request, Response

Begin = Callable[[Exchange], None]
_MAX_HEAD_BYTES = 64 * 1024
_HIGH_WATER_BYTES = 1024 * 1024
_KNOWN_NAMES, _LONGEST_KNOWN_NAME = 2048, 64
_MOST_WAITING = 64
_LINGER_SECONDS = 2.0
_log = logging.getLogger("cloudlet.gateway")


class Http1(Flow):
    """One connection. `begin` is called with each request's Exchange once its head is read."""

    def __init__(
        self, begin: Begin, loop: asyncio.AbstractEventLoop, connections: set[Any], names: dict[bytes, str], secure: bool
    ):
        super().__init__(loop)
        self._begin = begin
        self._connections = connections
        self._names = names
        self.secure = secure
        self.idle_since = loop.time()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = self._unread_bytes = 0
        self._in_head = False
        self._expects = False
        self._reading: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._current: Exchange | None = None
        self._crowded = False
        self._refusal: Response | None = None
        self._deaf = False
        self._task: asyncio.Task[None] | None = None

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.idle_since = self._loop.time()
        if self._deaf:
            return
        if self._in_head:  # the parser tells of a field only once it has come whole
            self._unread_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._pass_over_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse("The request is not valid HTTP.")
        else:
            if self._in_head and self._unread_bytes > _MAX_HEAD_BYTES:
                self._refuse("The request's head is too long.")

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

    # what the parser calls

    def on_message_begin(self) -> None:
        self._url, self._headers, self._expects = b"", {}, False
        self._head_bytes = self._unread_bytes = 0
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer, which must not change a head that was already acted on
        self._count(len(name) + len(value))
        key = self._names.get(name)
        if key is None:
            key = name.decode("latin-1").lower()
            if len(self._names) < _KNOWN_NAMES and len(name) <= _LONGEST_KNOWN_NAME:
                self._names[name] = key
        text = value.decode("latin-1")
        if key in self._headers:
            text = f"{self._headers[key]},{text}"
        elif key == "expect":
            self._expects = value.lower() == b"100-continue"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        self._in_head = False
        method = self._parser.get_method().decode("latin-1")
        path, query = split_target(self._url.decode("latin-1"))
        request = Request(method, path, query, self._headers)
        keep_alive = self._parser.should_keep_alive() and self._parser.get_http_version() != "1.0" and method != "CONNECT"
        exchange = Exchange(self, request, expects_continue=self._expects, keep_alive=keep_alive)
        self._reading = exchange
        if self._current is None:
            self._current = exchange
            self._begin(exchange)
        else:
            self._waiting.append(exchange)
            if len(self._waiting) >= _MOST_WAITING and not self._crowded:
                self._crowded = True
                self.pause_reading()

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

    def send_continue(self, exchange: Exchange) -> None:
        if exchange is self._current:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send(self, exchange: Exchange, response: Response) -> None:
        if self._transport.is_closing():
            return
        if self._reading is exchange and exchange.expects_continue:
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
                await sending.stream_content(body, self._transport.write, self.drained)
            else:
                await sending.stream_chunked(body, self._transport.write, self.drained)
        except (ConnectionError, asyncio.CancelledError):
            self._transport.abort()  # the client has left
            return
        except Exception:
            _log.exception("a response broke off")
            self._transport.abort()
            return
        self._task = None
        self._finished(exchange)

    def _finished(self, exchange: Exchange) -> None:
        """The response is out; the next request's turn comes once the rest of this one is in, too."""
        exchange.sent = True
        self.idle_since = self._loop.time()
        if self._reading is exchange:
            if exchange.expects_continue:
                self._hang_up()
            return
        if not exchange.keep_alive:
            self._hang_up()
            return
        self._current = None
        if self._waiting:
            self._current = self._waiting.popleft()
            if self._crowded and len(self._waiting) < _MOST_WAITING // 2:
                self._crowded = False
                self.resume_reading()
            self._begin(self._current)
        elif self._refusal:
            self._send_refusal(self._refusal)

    @property
    def busy(self) -> bool:
        """A request is being worked on; what is idle or sends a request too slowly is closed after a while."""
        return self._current is not None and self._reading is not self._current

    def close(self) -> None:
        self._transport.close()

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > _MAX_HEAD_BYTES:
            raise ValueError("head too long")

    def _pass_over_upgrade(self, rest: bytes) -> None:
        """No other protocol is spoken here, so what follows is HTTP/1.1 still; behind a CONNECT nothing follows."""
        if self._current is not None and self._current.request.method == "CONNECT":
            self._deaf = True
            return
        self._parser = httptools.HttpRequestParser(self)
        if rest:
            self.data_received(rest)

    def _refuse(self, text: str) -> None:
        """What is no HTTP ends the connection, once the requests before it are answered."""
        self._deaf = True
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>BadRequest</Code><Message>{text}</Message></Error>'
        self._refusal = Response(400, [("Content-Type", "application/xml")], body.encode())
        broken, self._reading = self._reading, None
        if broken is not None and broken is self._current:
            if broken.answered:
                broken.keep_alive = False
                if broken.sent:
                    self._hang_up()
                return
            self._current = None
        elif broken is not None:
            self._waiting.remove(broken)
        if broken is not None:
            broken.lost()
        if self._current is None:
            self._send_refusal(self._refusal)

    def _send_refusal(self, refusal: Response) -> None:
        if not self._transport.is_closing():
            self._transport.write(sending.head(refusal, keep_alive=False) + refusal.body)
            self._hang_up()

    def _hang_up(self) -> None:
        """Close, but let what was written arrive: closing while the client still sends would take it back with a reset."""
        self._deaf = True
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self._loop.call_later(_LINGER_SECONDS, self._transport.close)
        else:
            self._transport.close()


def split_target(target: str) -> tuple[str, str]:
    """Raw path and raw query of a request line's target, whichever of its forms it has."""
    if not target.startswith("/"):
        _, marker, rest = target.partition("://")
        slash = rest.find("/")
        target = rest[slash:] if marker and slash >= 0 else "/"
    path, _, query = target.partition("?")
    return path, query.partition("#")[0]
