"""HTTP/2 on one connection, by prior knowledge or ALPN; the protocol itself is h2's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RemoteSettingsChanged, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from cloudlet.gateway import sending
from cloudlet.gateway.exchange import Exchange
from cloudlet.gateway.flow import Flow
from cloudlet.gateway.http1 import Begin, split_target
from cloudlet.kernel.blobs import Content
from cloudlet.wire.message import Request, Response

_WINDOW_BYTES = 1024 * 1024
PREFACE = b"PRI * HTTP/2.0"
_log = logging.getLogger("cloudlet.gateway")


class Http2(Flow):
    """One connection with its streams; each stream carries one Exchange."""

    def __init__(self, begin: Begin, loop: asyncio.AbstractEventLoop, connections: set[Any], secure: bool):
        super().__init__(loop)
        self._begin = begin
        self._connections = connections
        self.secure = secure
        self.idle_since = loop.time()
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        self._h2.local_settings = Settings(client=False, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW_BYTES})
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._exchanges: dict[int, Exchange] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._window = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._connections.add(self)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW_BYTES)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self.idle_since = self._loop.time()
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._flush()
            self._transport.close()
            return
        for event in events:
            if isinstance(event, RequestReceived):
                self._request(event)
            elif isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if exchange := self._exchanges.get(event.stream_id):
                    exchange.body.feed(event.data)
            elif isinstance(event, StreamEnded):
                if exchange := self._exchanges.get(event.stream_id):
                    exchange.body.end()
                    if exchange.whole:
                        exchange.whole()
            elif isinstance(event, StreamReset):
                self._forget(event.stream_id)
            elif isinstance(event, (WindowUpdated, RemoteSettingsChanged)):
                self._window.set()
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self.resume_writing()
        for stream_id in list(self._exchanges):
            self._forget(stream_id)

    @property
    def busy(self) -> bool:
        return bool(self._exchanges)

    def close(self) -> None:
        with contextlib.suppress(ProtocolError):
            self._h2.close_connection()
        self._flush()
        self._transport.close()

    # what the exchange calls

    def send_continue(self, exchange: Exchange) -> None:
        with contextlib.suppress(ProtocolError):
            self._h2.send_headers(exchange.stream_id, [(":status", "100")])
            self._flush()

    def send(self, exchange: Exchange, response: Response) -> None:
        stream_id = exchange.stream_id
        exchange.body.discard()
        headers = [(b":status", b"%d" % response.status)]
        headers += [
            (name.lower().encode("latin-1", "replace"), value.strip().encode("latin-1", "replace"))
            for name, value in sending.complete_headers(response)
        ]
        empty = exchange.request.method == "HEAD" or response.status in (204, 304)
        empty = empty or (isinstance(response.body, bytes) and not response.body)
        try:
            self._h2.send_headers(stream_id, headers, end_stream=empty)
        except ProtocolError as error:
            _log.debug("a response cannot be sent: %s", error)
            with contextlib.suppress(ProtocolError):
                self._h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
            self._flush()
            self._forget(stream_id)
            return
        self._flush()
        if empty:
            self._exchanges.pop(stream_id, None)
        else:
            self._tasks[stream_id] = self._loop.create_task(self._stream(stream_id, response.body))

    def _request(self, event: RequestReceived) -> None:
        fields: dict[str, str] = {}
        for name, value in event.headers or []:
            key, text = str(name), str(value)
            fields[key] = f"{fields[key]},{text}" if key in fields else text
        path, query = split_target(fields.pop(":path", "/"))
        method = fields.pop(":method", "GET")
        if authority := fields.pop(":authority", None):
            fields.setdefault("host", authority)
        fields.pop(":scheme", None)
        assert event.stream_id is not None
        exchange = Exchange(
            self, Request(method, path, query, fields), expects_continue=False, keep_alive=True, stream_id=event.stream_id
        )
        self._exchanges[event.stream_id] = exchange
        self._begin(exchange)

    async def _stream(self, stream_id: int, body: Any) -> None:
        try:
            if isinstance(body, (bytes, bytearray)):
                await self._send_data(stream_id, bytes(body))
            elif isinstance(body, Content):
                parts: list[bytes] = []

                async def flush() -> None:
                    await self._send_data(stream_id, b"".join(parts))
                    parts.clear()

                await sending.stream_content(body, parts.append, flush)
                await flush()
            else:
                async for piece in body:
                    await self._send_data(stream_id, piece)
            self._h2.end_stream(stream_id)
            self._flush()
        except (ProtocolError, ConnectionResetError):
            pass  # the client has left
        except Exception:
            _log.exception("a response broke off")
            with contextlib.suppress(ProtocolError):
                self._h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
                self._flush()
        self._tasks.pop(stream_id, None)
        self._exchanges.pop(stream_id, None)

    async def _send_data(self, stream_id: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            if room <= 0:
                self._window.clear()
                await self._window.wait()
                continue
            self._h2.send_data(stream_id, bytes(view[:room]))
            view = view[room:]
            self._flush()
            await self.drained()

    def _forget(self, stream_id: int) -> None:
        if task := self._tasks.pop(stream_id, None):
            task.cancel()
        if exchange := self._exchanges.pop(stream_id, None):
            exchange.lost()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)
