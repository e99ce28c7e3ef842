"""A request's body as it comes: read in chunks with back-pressure, decoded where it is `aws-chunked`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from cloudlet.kernel.fault import Fault

if TYPE_CHECKING:
    from cloudlet.gateway.exchange import Exchange

_HIGH_WATER_BYTES = 512 * 1024
_WORTH_WAKING_BYTES = 128 * 1024  # the reader is woken for a good piece at a time, and at the end
_LARGEST_WHOLE_BYTES = 256 * 1024 * 1024
_LONGEST_CHUNK_LINE_BYTES = 1024
_LONGEST_TRAILER_BYTES = 16 * 1024


class Body:
    """The gateway feeds it; an operation iterates over it, once. Trailers are there when the iteration has ended.

    decoded_length: the size that `x-amz-decoded-content-length` or `content-length` announces, where one does.
    """

    def __init__(self, exchange: Exchange):
        self._exchange = exchange
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._discarded = False
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._decoder: AwsChunked | None = None
        self.ended = False
        self.decoded_length: int | None = None

    @property
    def trailers(self) -> dict[str, str]:
        return self._decoder.trailers if self._decoder else {}

    @property
    def chunked(self) -> bool:
        return self._decoder is not None

    def decode_chunks(self) -> AwsChunked:
        """Take the body as `aws-chunked` from here on."""
        self._decoder = AwsChunked()
        return self._decoder

    def discard(self) -> None:
        """Nobody will read it: what still comes is dropped."""
        self._discarded = True
        self._chunks.clear()
        self.release()

    def release(self) -> None:
        """Let it come however much is held."""
        if self._paused:
            self._paused = False
            self._exchange.connection.resume_reading()

    def feed(self, data: bytes) -> None:
        if self._discarded:
            return
        if self._decoder:
            try:
                pieces = self._decoder.feed(data)
            except Fault as error:
                self.fail(error)
                return
        else:
            pieces = [data]
        for piece in pieces:
            self._chunks.append(piece)
            self._held += len(piece)
        if self._held > _LARGEST_WHOLE_BYTES:
            self.fail(Fault("RequestEntityTooLargeException", "The request body is too large.", status=413))
            self.discard()
        elif self._held > _HIGH_WATER_BYTES and not self._paused and self._exchange.whole is None:
            self._paused = True
            self._exchange.connection.pause_reading()
        if self._held >= _WORTH_WAKING_BYTES:
            self._wake()

    def end(self) -> None:
        if self._decoder:
            self._decoder.finish()
        if self._decoder and not self._decoder.ended and not self._discarded and self._error is None:
            self._error = Fault("IncompleteBody", "The request body terminated unexpectedly")
        self.ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        if not self.ended and self._error is None:
            self._error = error
            self._wake()

    @property
    def held(self) -> int:
        return self._held

    def taken(self) -> bytes:
        """All that has come so far, as one piece. Raises Fault for a body that broke its form."""
        if self._error:
            raise self._error
        data = b"".join(self._chunks) if len(self._chunks) != 1 else self._chunks[0]
        self._chunks.clear()
        self._held = 0
        return data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._exchange.let_continue()
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._held -= len(chunk)
                if self._held < _HIGH_WATER_BYTES // 2:
                    self.release()
                yield chunk
            if self._error:
                raise self._error
            if self.ended:
                return
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


class AwsChunked:
    """Decodes `aws-chunked`: `size[;chunk-signature=...]CRLF data CRLF`, ..., `0[;...]CRLF`, trailers, CRLF.

    verify: where set, is given each chunk's signature and SHA-256 (hexadecimal), and the trailers at the end.
    Source: the S3 API reference, "Signature calculations: transferring payload in multiple chunks".
    """

    def __init__(self) -> None:
        self.trailers: dict[str, str] = {}
        self.ended = False
        self.verify: Verifier | None = None
        self._buffer = b""
        self._left = 0
        self._state = "size"
        self._signature = ""
        self._digest = hashlib.sha256()

    def feed(self, data: bytes) -> list[bytes]:
        """The decoded pieces that `data` completes. Raises Fault."""
        out: list[bytes] = []
        buffer = self._buffer + data if self._buffer else data
        at = 0
        while at < len(buffer) and not self.ended:
            if self._state == "data":
                at = self._take_data(buffer, at, out)
                continue
            stop = buffer.find(b"\r\n", at)
            if stop < 0:
                limit = _LONGEST_TRAILER_BYTES if self._state == "trailer" else _LONGEST_CHUNK_LINE_BYTES
                if len(buffer) - at > limit:
                    raise _malformed()
                break
            self._line(buffer[at:stop])
            at = stop + 2
        self._buffer = buffer[at:] if at < len(buffer) and not self.ended else b""
        return out

    def _take_data(self, buffer: bytes, at: int, out: list[bytes]) -> int:
        piece = buffer[at : at + self._left] if at or len(buffer) > self._left else buffer
        self._left -= len(piece)
        out.append(piece)
        if self.verify:
            self._digest.update(piece)
        if not self._left:
            self._state = "data-end"
        return at + len(piece)

    def _line(self, line: bytes) -> None:
        if self._state == "size":
            size, _, extension = line.partition(b";")
            self._left = _hex(size)
            self._signature = extension.partition(b"=")[2].decode("latin-1").strip()
            self._state = "data" if self._left else "trailer"
            if not self._left and self.verify:
                self.verify.chunk(self._signature, hashlib.sha256().hexdigest())
        elif self._state == "data-end":
            if line:
                raise _malformed()
            self._state = "size"
            if self.verify:
                self.verify.chunk(self._signature, self._digest.hexdigest())
                self._digest = hashlib.sha256()
        elif line:
            name, _, value = line.partition(b":")
            self.trailers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
        else:
            self.ended = True
            if self.verify:
                self.verify.trailer(self.trailers)

    def finish(self) -> None:
        """Some clients leave out the last empty line."""
        if self._state == "trailer" and not self._buffer.strip():
            self.ended = True


class Verifier:
    """What checks chunk signatures; `signatures.ChunkVerifier` is one."""

    def chunk(self, signature: str, digest: str) -> None:
        raise NotImplementedError

    def trailer(self, trailers: dict[str, str]) -> None:
        raise NotImplementedError


def _hex(text: bytes) -> int:
    with contextlib.suppress(ValueError):
        size = int(text.strip() or b"x", 16)
        if size >= 0:
            return size
    raise _malformed()


def _malformed() -> Fault:
    return Fault("IncompleteBody", "The request body terminated unexpectedly")
