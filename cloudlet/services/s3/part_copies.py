"""Parts copied from objects. A part that is the whole of one blob shares its bytes by a link; nothing is written again."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from cloudlet.kernel.blobs import Content, FileRange
from cloudlet.kernel.context import Context, Conversation
from cloudlet.services.s3 import bodies, headers, versions
from cloudlet.services.s3.checksums import FULL_OBJECT, Digester
from cloudlet.services.s3.faults import invalid_argument, invalid_request, no_such_key
from cloudlet.services.s3.paging import whole_seconds
from cloudlet.services.s3.parts import _part_number, _upload_of
from cloudlet.services.s3.rows import Part, Piece, Upload
from cloudlet.services.s3.sources import Source, open_source, version_member
from cloudlet.services.s3.unfinished import effective_checksum, put_part

_LARGEST_COPY_BYTES = 5 * 1024**3
_CHUNK_BYTES = 1024 * 1024
_asked_range = re.compile(r"bytes=(\d+)-(\d+)", re.ASCII).fullmatch


class _Plan(NamedTuple):
    """What is to be copied. blob: the one that holds just these bytes (None: they are written). known: MD5 and checksum."""

    upload: Upload
    source: Source
    content: Content
    blob: str | None
    known: tuple[str, str] | None


async def upload_part_copy(conversation: Conversation, req: dict[str, Any]) -> dict[str, Any]:
    """Make a part of an object's bytes, or of a range of them, in at most 5 GiB."""
    number = _part_number(req)
    headers.refuse_customer_keys(req, "UploadPartCopy")
    plan = await conversation.transact(lambda ctx: _plan(ctx, req))
    algorithm, _ = effective_checksum(plan.upload)
    try:
        received = await _received(conversation, plan, algorithm)
    except FileNotFoundError:  # the source was deleted meanwhile
        raise no_such_key(plan.source.version.key) from None

    def store(ctx: Context) -> Part:
        upload = _upload_of(ctx, req)
        etag = headers.etag_of(ctx, received.md5, upload.like.sse)
        pieces = received.keep(ctx, ctx.ids.sequence())
        part = Part(upload.id, number, received.size, etag, ctx.now, pieces, *received.checksum)
        put_part(ctx, part)
        return part

    try:
        part = await conversation.transact(store)
    except Exception:
        received.discard(conversation)
        raise
    result: dict[str, Any] = {"ETag": f'"{part.etag}"', "LastModified": whole_seconds(part.modified)}
    if plan.upload.algorithm:
        result[f"Checksum{part.algorithm}"] = part.checksum
    return {"CopyPartResult": result, **headers.shown_encryption(plan.upload.like.sse), **version_member(plan.source)}


def _plan(ctx: Context, req: dict[str, Any]) -> _Plan:
    """Find upload and source, and check the conditions on it and the range. Raises Fault."""
    upload = _upload_of(ctx, req)
    source = open_source(ctx, req)
    version = source.version
    start, length = _range(req.get("CopySourceRange"), version.size)
    if length > _LARGEST_COPY_BYTES:
        told = f"The specified copy source is larger than the maximum allowable size for a copy source: {_LARGEST_COPY_BYTES}"
        raise invalid_request(told)
    known = None
    if length == version.size and not version.parts and not version.sse and version.checksum:
        algorithm, _ = effective_checksum(upload)
        if (version.checksum.algorithm, version.checksum.kind) == (algorithm, FULL_OBJECT):
            known = (version.etag, version.checksum.value)
    content = versions.content(ctx, version.pieces, start, length)
    return _Plan(upload, source, content, _whole_blob(version.pieces, start, length), known)


def _range(text: str | None, size: int) -> tuple[int, int]:
    """Start and length of the range asked for, all without one. Raises InvalidArgument or InvalidRequest."""
    if text is None:
        return 0, size
    found = _asked_range(text)
    if not found or int(found[1]) > int(found[2]):
        told = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
        raise invalid_argument("x-amz-copy-source-range", text, told)
    first, last = int(found[1]), int(found[2])
    if first >= size:
        raise invalid_request("The specified copy range is invalid for the source object size")
    if last >= size:
        raise invalid_argument("x-amz-copy-source-range", text, f"Range specified is not valid for source object of size: {size}")
    return first, last - first + 1


def _whole_blob(pieces: tuple[Piece, ...], start: int, length: int) -> str | None:
    """The blob whose bytes are exactly that range."""
    at = 0
    for piece in pieces:
        if at == start and piece.size == length:
            return piece.blob
        if at >= start:
            break
        at += piece.size
    return None


async def _received(conversation: Conversation, plan: _Plan, algorithm: str) -> bodies.Received:
    """The part's bytes as if they had been uploaded: linked where one blob holds them, else written anew."""
    if plan.blob is None:
        return await bodies.receive(conversation, _Stored(plan.content), bodies.Promises({}, default=algorithm))
    blob = conversation.blobs.link(plan.blob)
    try:
        md5, checksum = plan.known or await _hashed(plan.content, algorithm)
    except BaseException:
        conversation.blobs.discard(blob)
        raise
    return bodies.Received(None, blob, len(plan.content), md5, (algorithm, checksum), False)


async def _hashed(content: Content, algorithm: str) -> tuple[str, str]:
    md5, digester = hashlib.md5(usedforsecurity=False), Digester(algorithm)
    async for chunk in _Stored(content):
        md5.update(chunk)
        digester.update(chunk)
    return md5.hexdigest(), digester.value()


class _Stored:
    """A stored body, read as if it were being uploaded."""

    trailers: dict[str, str] = {}

    def __init__(self, content: Content):
        self._content = content
        self.decoded_length = len(content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._content.pieces:
            if isinstance(piece, FileRange):
                with open(piece.path, "rb") as file:
                    file.seek(piece.start)
                    left = piece.length
                    while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
                        left -= len(chunk)
                        yield chunk
                        await asyncio.sleep(0)  # other requests get their turn
            else:
                yield piece
