"""`multipart/form-data` as it comes: the fields before the file at once, the file as a stream. What follows it is not read.

Source: RFC 7578. Names and values are UTF-8, as browsers send them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from cloudlet.kernel.fault import Fault

_LARGEST_FIELDS_BYTES = 20 * 1024
_LONGEST_BOUNDARY = 70
_boundary = re.compile(r'boundary=(?:"([^"]+)"|([^\s;,"]+))', re.IGNORECASE).search
_parameter = re.compile(r';\s*(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
_FILE = "file"


class Form:
    """A form whose file has begun. fields: by their names as sent, in order. file: None where the form has none."""

    def __init__(self, fields: dict[str, str], filename: str, file: FormFile | None):
        self.fields = fields
        self.filename = filename
        self.file = file


class FormFile:
    """The file of a form, read as if it were a request's body: its length is not known before its end."""

    decoded_length: int | None = None
    trailers: dict[str, str] = {}

    def __init__(self, buffer: bytes, chunks: AsyncIterator[bytes], end: bytes):
        self._buffer = buffer
        self._chunks = chunks
        self._end = end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        buffer, end = self._buffer, self._end
        while (stop := buffer.find(end)) < 0:
            keep = len(end) - 1  # the delimiter may have begun
            if len(buffer) > keep:
                yield buffer[: len(buffer) - keep]
                buffer = buffer[len(buffer) - keep :]
            chunk = await anext(self._chunks, None)
            if chunk is None:
                raise _malformed("The body of your POST request is not well-formed multipart/form-data.")
            buffer += chunk
        if stop:
            yield buffer[:stop]


async def read_form(body: Any, content_type: str) -> Form:
    """Read a form up to its file. Raises PreconditionFailed, MalformedPOSTRequest or MaxPostPreDataLengthExceeded."""
    found = _boundary(content_type)
    if not found or not content_type.lower().lstrip().startswith("multipart/form-data"):
        text = "At least one of the pre-conditions you specified did not hold"
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise Fault("PreconditionFailed", text, Condition=condition)
    boundary = b"--" + (found[1] or found[2])[:_LONGEST_BOUNDARY].encode("latin-1", "replace")
    chunks = aiter(body)
    buffer = _Buffer(chunks)
    await buffer.until(boundary)
    fields: dict[str, str] = {}
    while await _another_part(buffer):
        name, filename = _disposition(await buffer.until(b"\r\n\r\n"))
        if name == _FILE:
            return Form(fields, filename, FormFile(buffer.rest(), chunks, b"\r\n" + boundary))
        fields[name] = (await buffer.until(b"\r\n" + boundary)).decode("utf-8", "replace")
    return Form(fields, "", None)


class _Buffer:
    """Bytes read ahead, up to as many as a form's fields may have."""

    def __init__(self, chunks: AsyncIterator[bytes]):
        self._chunks = chunks
        self._held = b""
        self._taken = 0

    async def until(self, mark: bytes) -> bytes:
        """What comes before `mark`; both are taken. Raises Fault where it does not come."""
        start = 0
        while (at := self._held.find(mark, start)) < 0:
            start = max(0, len(self._held) - len(mark) + 1)
            await self._more()
        return self._take(at, len(mark))

    async def exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            await self._more()
        return self._take(count, 0)

    def rest(self) -> bytes:
        return self._held

    def _take(self, size: int, mark: int) -> bytes:
        taken, self._held = self._held[:size], self._held[size + mark :]
        self._taken += size + mark
        if self._taken > _LARGEST_FIELDS_BYTES:
            raise _too_long()
        return taken

    async def _more(self) -> None:
        if self._taken + len(self._held) > _LARGEST_FIELDS_BYTES:
            raise _too_long()
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise _malformed("The body of your POST request is not well-formed multipart/form-data.")
        self._held += chunk


async def _another_part(buffer: _Buffer) -> bool:
    """Whether a part follows the boundary that was read, or the form ends."""
    after = await buffer.exactly(2)
    if after not in (b"\r\n", b"--"):
        raise _malformed("The body of your POST request is not well-formed multipart/form-data.")
    return after == b"\r\n"


def _disposition(head: bytes) -> tuple[str, str]:
    """A part's name, and its file's name without folders."""
    for line in head.decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            found = {match[1].lower(): match[2] if match[2] is not None else match[3] for match in _parameter.finditer(value)}
            if "name" in found:
                filename = _unquoted(found.get("filename", ""))
                return _unquoted(found["name"]), re.split(r"[/\\]", filename)[-1]
    raise _malformed("The body of your POST request is not well-formed multipart/form-data.")


def _unquoted(text: str) -> str:
    """Browsers write a quote in a name as %22; others put a backslash before it."""
    return text.strip().replace('\\"', '"').replace("%22", '"')


def _malformed(text: str) -> Fault:
    return Fault("MalformedPOSTRequest", text)


def _too_long() -> Fault:
    return Fault("MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.")
