"""A response on its way out over HTTP/1.1: its head, and a body of bytes, of file pieces or of an async iterator."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from cloudlet.kernel.blobs import Content, FileRange
from cloudlet.wire.message import Response
from cloudlet.wire.scalars import http_date

_FILE_CHUNK_BYTES = 256 * 1024
_NO_BODY = frozenset((204, 304))
_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127), " ")  # none may stand in a header; a tab may


@lru_cache(maxsize=128)
def _status_line(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n"


class DateHeader:
    """The Date header's text, made anew once a second."""

    def __init__(self) -> None:
        self._second, self._text = -1, ""

    def text(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._text = second, http_date(second * 1000)
        return self._text


_date = DateHeader()


def body_length(body: Any) -> int | None:
    """How long a body is; None for one that only its end will tell."""
    return len(body) if isinstance(body, (bytes, bytearray, Content)) else None


def complete_headers(response: Response) -> list[tuple[str, str]]:
    """The response's headers with those that every response has: Date, Server and a length where it is known."""
    headers = [
        ("Date", _date.text()),
        ("Server", "Cloudlet"),
        *((n, v if v.isprintable() else v.translate(_CONTROLS)) for n, v in response.headers),
    ]
    length = body_length(response.body)
    if (
        response.status not in _NO_BODY
        and length is not None
        and not any(n.lower() == "content-length" for n, _ in response.headers)
    ):
        headers.append(("Content-Length", str(length)))
    return headers


def head(response: Response, *, keep_alive: bool) -> bytes:
    """Status line and headers, up to the empty line."""
    out = [_status_line(response.status), "Date: ", _date.text(), "\r\nServer: Cloudlet\r\n"]
    sized = response.status in _NO_BODY
    for name, value in response.headers:
        if not value.isprintable():
            value = value.translate(_CONTROLS)
        out.append(f"{name}: {value}\r\n")
        if name in ("Content-Length", "content-length"):
            sized = True
    if not sized:
        length = body_length(response.body)
        out.append("Transfer-Encoding: chunked\r\n" if length is None else f"Content-Length: {length}\r\n")
    if not keep_alive:
        out.append("Connection: close\r\n")
    out.append("\r\n")
    return "".join(out).encode("latin-1", "replace")


async def stream_chunked(body: AsyncIterator[bytes], write: Callable[[bytes], None], drained: Callable[[], Any]) -> None:
    """An iterator's pieces in chunked transfer encoding."""
    async for piece in body:
        if piece:
            write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await drained()
    write(b"0\r\n\r\n")


def as_bytes(content: Content) -> bytes | None:
    """A body without files in one piece; None for one with files."""
    if any(isinstance(piece, FileRange) for piece in content.pieces):
        return None
    return b"".join(content.pieces)  # type: ignore[arg-type]


class DirectSender:
    """Sends files from the page cache to a plain socket without passing them through this process (sendfile).

    It writes beside the transport, so the transport's own buffer must be empty.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int):
        self._loop = loop
        self._socket = os.dup(descriptor)  # the transport has the other one registered with the loop

    async def send(self, start: bytes, content: Content) -> None:
        """Send a response's head and body. Raises OSError when the client leaves."""
        try:
            await self._write(start)
            for piece in content.pieces:
                if isinstance(piece, bytes):
                    await self._write(piece)
                else:
                    await self._send_file(piece)
        finally:
            os.close(self._socket)

    async def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._socket, view) :]
            except BlockingIOError:
                await self._writable()

    async def _send_file(self, piece: FileRange) -> None:
        handle = os.open(piece.path, os.O_RDONLY)
        try:
            at, end = piece.start, piece.start + piece.length
            while at < end:
                try:
                    sent = os.sendfile(self._socket, handle, at, end - at)
                except BlockingIOError:
                    await self._writable()
                    continue
                if not sent:
                    raise OSError(f"{piece.path} is shorter than its record says")
                at += sent
        finally:
            os.close(handle)

    async def _writable(self) -> None:
        ready = self._loop.create_future()
        self._loop.add_writer(self._socket, ready.set_result, None)
        try:
            await ready
        finally:
            self._loop.remove_writer(self._socket)


async def stream_content(content: Content, write: Callable[[bytes], None], drained: Callable[[], Any]) -> None:
    """A body's pieces, files read a chunk at a time as fast as the client takes them."""
    for piece in content.pieces:
        if isinstance(piece, bytes):
            write(piece)
            continue
        handle = os.open(piece.path, os.O_RDONLY)
        try:
            at, end = piece.start, piece.start + piece.length
            while at < end:
                data = os.pread(handle, min(_FILE_CHUNK_BYTES, end - at), at)
                if not data:
                    raise OSError(f"{piece.path} is shorter than its record says")
                at += len(data)
                write(data)
                await drained()
        finally:
            os.close(handle)
