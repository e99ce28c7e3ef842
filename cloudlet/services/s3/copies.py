"""CopyObject: a version's bytes and properties under another key, or under its own with other properties."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, NamedTuple

from cloudlet.kernel.context import Context, Conversation
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3 import acl, conditions, configs, headers, tagging, targets, versions, worm
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import ALGORITHMS, FULL_OBJECT, Digester
from cloudlet.services.s3.faults import invalid_argument, invalid_request
from cloudlet.services.s3.paging import whole_seconds
from cloudlet.services.s3.rows import BODIES, Bucket, Checksum, ObjectVersion, Piece
from cloudlet.services.s3.sources import Source, open_source, version_member

_CHUNK_BYTES = 1024 * 1024
_LARGEST_BYTES = 5 * 1024**3
_DIRECTIVES = ("COPY", "REPLACE")


class _Duplicate(NamedTuple):
    """A body copied from the version `sequence`: its inline pieces' bytes, its blobs' new names, None where it is the other."""

    sequence: int
    inline: list[bytes | None]
    blobs: list[str | None]
    md5: str
    checksum: Checksum


class _Wanted(NamedTuple):
    """What is to be copied before the transaction can be. algorithm: of the copy's checksum."""

    source: ObjectVersion
    inline: list[bytes | None]
    algorithm: str


async def copy_object(conversation: Conversation, req: dict[str, Any]) -> dict[str, Any]:
    """Copy an object of at most 5 GiB. Large bodies are shared, not copied; they are read only where a digest must be made anew.

    Raises InvalidRequest for a copy onto itself that changes nothing.
    """
    duplicate: _Duplicate | None = None
    while True:
        try:
            done = await conversation.transact(lambda ctx, held=duplicate: _copy(ctx, req, held))  # type: ignore[misc]
        except Exception:
            _discard(conversation, duplicate)
            raise
        if isinstance(done, dict):
            return done
        _discard(conversation, duplicate)  # of a source that has been replaced meanwhile
        duplicate = await _duplicated(conversation, done)


def _copy(ctx: Context, req: dict[str, Any], duplicate: _Duplicate | None) -> dict[str, Any] | _Wanted:
    """The copy in one transaction; or what it wants to have copied first, where the source's bytes are in blobs."""
    bucket, key = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner")), req["Key"]
    headers.refuse_customer_keys(req, "CopyObject")
    targets.check_key(key)
    _check_directives(req)
    conditional = conditions.check_write_headers(req)
    source = open_source(ctx, req)
    held = versions.current(ctx, bucket, key)
    if conditional:
        conditions.check_write(req, key, held)
    _check_self(req, bucket, source)
    algorithm = _algorithm(req, source.version)
    if duplicate is None or duplicate.sequence != source.version.sequence or duplicate.checksum.algorithm != algorithm:
        wanted = _Wanted(source.version, _inline(ctx, source.version), algorithm)
        if any(piece.blob for piece in source.version.pieces):
            return wanted
        duplicate = _of_inline(wanted)
    version = _version(ctx, req, bucket, source.version, duplicate)
    versions.put(ctx, bucket, version)
    checksum = version.checksum
    assert checksum
    result = {"ETag": f'"{version.etag}"', "LastModified": whole_seconds(version.modified), "ChecksumType": checksum.kind}
    result[f"Checksum{checksum.algorithm}"] = checksum.value
    out: dict[str, Any] = {"CopyObjectResult": result, **headers.shown_encryption(version.sse), **version_member(source)}
    if bucket.versioning:
        out["VersionId"] = version.version_id
    return out


def _version(ctx: Context, req: dict[str, Any], bucket: Bucket, source: ObjectVersion, copied: _Duplicate) -> ObjectVersion:
    """The new version with its body stored. Neither ACL, storage class, encryption nor redirect come from the source."""
    if req.get("MetadataDirective") == "REPLACE":
        kept, metadata = headers.stored_headers(req), headers.stored_metadata(req)
    else:
        kept, metadata = dict(source.headers), source.metadata
        kept.pop("WebsiteRedirectLocation", None)
        if "WebsiteRedirectLocation" in req:
            kept["WebsiteRedirectLocation"] = headers.stored_headers(req)["WebsiteRedirectLocation"]
    replaces_tags = req.get("TaggingDirective") == "REPLACE"
    sse = headers.encryption(ctx, req, bucket)
    blocked = acl.asks(req) and configs.blocks(ctx, bucket, "BlockPublicAcls")
    sequence, identity = versions.new_ids(ctx, bucket)
    return ObjectVersion(
        req["Key"],
        source.size,
        headers.etag_of(ctx, copied.md5, sse),
        ctx.now,
        headers.storage_class(req),
        copied.checksum,
        identity,
        sequence,
        ctx.account,
        pieces=_kept(ctx, source, copied, sequence),
        headers=kept,
        metadata=metadata,
        tags=tagging.from_header(req.get("Tagging")) if replaces_tags else source.tags,
        sse=sse,
        lock=worm.asked(req, bucket, ctx.now),
        acl=acl.of_new_object(req, bucket, ctx.account, blocked),
    )


def _kept(ctx: Context, source: ObjectVersion, copied: _Duplicate, sequence: int) -> tuple[Piece, ...]:
    pieces = []
    for number, piece in enumerate(source.pieces):
        data, blob = copied.inline[number], copied.blobs[number]
        if blob is not None:
            ctx.blobs.keep(ctx.tx, blob)
            pieces.append(Piece(piece.size, blob))
        else:
            ctx.tx.put(BODIES.key(sequence, number), data or b"")
            pieces.append(Piece(piece.size, None, sequence, number))
    return tuple(pieces)


def _inline(ctx: Context, source: ObjectVersion) -> list[bytes | None]:
    return [ctx.tx.get(BODIES.key(piece.sequence, piece.number)) if piece.blob is None else None for piece in source.pieces]


def _of_inline(wanted: _Wanted) -> _Duplicate:
    source, inline = wanted.source, wanted.inline
    digests = _Digests(wanted)
    if digests.needed:
        for data in inline:
            digests.update(data or b"")
    return _Duplicate(source.sequence, inline, [None] * len(inline), *digests.values())


async def _duplicated(conversation: Conversation, wanted: _Wanted) -> _Duplicate:
    """New names for the blobs, and the digests; the bytes are read a little at a time, so that other requests get their turn."""
    source = wanted.source
    blobs = [conversation.blobs.link(piece.blob) if piece.blob else None for piece in source.pieces]
    digests = _Digests(wanted)
    try:
        for blob, data in zip(blobs, wanted.inline, strict=True):
            if not digests.needed:
                break
            if blob is None:
                digests.update(data or b"")
                continue
            with conversation.blobs.path(blob).open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digests.update(chunk)
                    await asyncio.sleep(0)
    except BaseException:
        conversation.blobs.discard(*(blob for blob in blobs if blob))
        raise
    return _Duplicate(source.sequence, wanted.inline, blobs, *digests.values())


class _Digests:
    """The copy's MD5 and checksum: the source's, where they are those of its whole body, else made of its bytes."""

    def __init__(self, wanted: _Wanted):
        source, self._algorithm = wanted.source, wanted.algorithm
        checksum = source.checksum
        same = checksum is not None and checksum.algorithm == wanted.algorithm and checksum.kind == FULL_OBJECT
        self._checksum = checksum if same else None
        self._etag = "" if source.parts or source.sse else source.etag
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._digester = Digester(wanted.algorithm)
        self.needed = not self._etag or self._checksum is None

    def update(self, data: bytes) -> None:
        if not self._etag:
            self._md5.update(data)
        if self._checksum is None:
            self._digester.update(data)

    def values(self) -> tuple[str, Checksum]:
        checksum = self._checksum or Checksum(self._algorithm, FULL_OBJECT, self._digester.value())
        return self._etag or self._md5.hexdigest(), checksum


def _discard(conversation: Conversation, duplicate: _Duplicate | None) -> None:
    if duplicate:
        conversation.blobs.discard(*(blob for blob in duplicate.blobs if blob))


def _algorithm(req: dict[str, Any], source: ObjectVersion) -> str:
    asked = req.get("ChecksumAlgorithm")
    if asked is None:
        return source.checksum.algorithm if source.checksum else "CRC64NVME"
    if asked.upper() not in ALGORITHMS:
        text = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        raise invalid_request(text + "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    return str(asked.upper())


def _check_directives(req: dict[str, Any]) -> None:
    for member, header, kind in (
        ("MetadataDirective", "x-amz-metadata-directive", "metadata"),
        ("TaggingDirective", "x-amz-tagging-directive", "tagging"),
    ):
        if req.get(member, "COPY") not in _DIRECTIVES:
            raise invalid_argument(header, req[member], f"Unknown {kind} directive.")


def _check_self(req: dict[str, Any], bucket: Bucket, source: Source) -> None:
    """A copy onto itself must change something, unless the request names the version or the bucket's versioning is suspended."""
    if source.version.size > _LARGEST_BYTES:
        text = "The specified copy source is larger than the maximum allowable size for a copy source: "
        raise Fault("InvalidRequest", text + str(_LARGEST_BYTES))
    if source.bucket.id != bucket.id or source.version.key != req["Key"] or source.named or bucket.versioning == "Suspended":
        return
    changes = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId")
    if req.get("MetadataDirective") != "REPLACE" and bucket.encryption is None and not any(name in req for name in changes):
        raise invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
            "metadata, storage class, website redirect location or encryption attributes."
        )
