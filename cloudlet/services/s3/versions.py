"""The verbs of objects and their versions: find, put, remove, mark as deleted. No request names here.

Callers have checked what may be done; these keep the spaces of `rows` consistent, and drop bodies that nothing names any more.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cloudlet.kernel.blobs import Content, FileRange
from cloudlet.kernel.context import Context
from cloudlet.services.s3.rows import (
    BODIES,
    NULL,
    NULLS,
    OBJECTS,
    VERSIONS,
    Bucket,
    ObjectVersion,
    Piece,
    decode_version,
    encode,
    sequence_of,
    version_id,
)

_SALT_BYTES = 12


def current(ctx: Context, bucket: Bucket, key: str) -> ObjectVersion | None:
    """The version that a read without a version id gets; None where there is none or a delete marker hides it."""
    raw = ctx.tx.get(OBJECTS.key(bucket.id, key))
    return decode_version(raw) if raw is not None else None


def newest(ctx: Context, bucket: Bucket, key: str) -> ObjectVersion | None:
    """The newest version, be it a delete marker."""
    return current(ctx, bucket, key) or _newest_hidden(ctx, bucket, key)


def find(ctx: Context, bucket: Bucket, key: str, wanted: str) -> ObjectVersion | None:
    """The version of that id (or "null"), be it a delete marker."""
    found = current(ctx, bucket, key)
    if found and found.version_id == wanted:
        return found
    sequence = _null_sequence(ctx, bucket, key) if wanted == NULL else sequence_of(wanted)
    if sequence is None:
        return None
    raw = ctx.tx.get(VERSIONS.key(bucket.id, key, -sequence))
    hidden = decode_version(raw) if raw is not None else None
    return hidden if hidden and hidden.version_id == wanted else None


def new_ids(ctx: Context, bucket: Bucket) -> tuple[int, str]:
    """Sequence and version id of a version about to be made."""
    sequence = ctx.ids.sequence()
    if bucket.versioning == "Enabled":
        return sequence, version_id(bucket, sequence, ctx.ids.random_bytes(_SALT_BYTES))
    return sequence, NULL


def put(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    """Make `version` the current one. What it replaces is kept as a version, or dropped where versioning does not keep it."""
    _make_room(ctx, bucket, version)
    ctx.tx.put(OBJECTS.key(bucket.id, version.key), encode(version))


def rewrite(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    """Store a version's changed properties (tags, ACL, lock) where the version lies."""
    held = current(ctx, bucket, version.key)
    if held and held.sequence == version.sequence:
        ctx.tx.put(OBJECTS.key(bucket.id, version.key), encode(version))
    else:
        ctx.tx.put(VERSIONS.key(bucket.id, version.key, -version.sequence), encode(version))


def mark_deleted(ctx: Context, bucket: Bucket, key: str) -> ObjectVersion:
    """Put a delete marker on a key of a bucket that has, or had, versioning; the marker."""
    sequence, identity = new_ids(ctx, bucket)
    marker = ObjectVersion(key, 0, "", ctx.now, "", None, identity, sequence, ctx.account, marker=True)
    _make_room(ctx, bucket, marker)
    ctx.tx.delete(OBJECTS.key(bucket.id, key))
    _store_hidden(ctx, bucket, marker)
    return marker


def remove(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    """Delete one version for good. Where it was the current one, the newest of the others takes its place."""
    held = current(ctx, bucket, version.key)
    was_current = held is not None and held.sequence == version.sequence
    if was_current:
        ctx.tx.delete(OBJECTS.key(bucket.id, version.key))
    else:
        _delete_hidden(ctx, bucket, version)
    drop_body(ctx, version.pieces)
    if bucket.versioning and (was_current or held is None):
        _promote(ctx, bucket, version.key)


def is_empty(ctx: Context, bucket: Bucket) -> tuple[bool, bool]:
    """Whether a bucket holds no object, and whether it holds no version either."""
    objects, versions = OBJECTS(bucket.id), VERSIONS(bucket.id)
    no_object = not ctx.tx.scan(objects.prefix, objects.end, 1)
    return no_object, no_object and not ctx.tx.scan(versions.prefix, versions.end, 1)


def content(ctx: Context, pieces: Iterable[Piece], start: int, length: int) -> Content:
    """`length` bytes of a body from `start` on, to be sent."""
    out: list[bytes | FileRange] = []
    for piece in pieces:
        if length <= 0:
            break
        if start >= piece.size:
            start -= piece.size
            continue
        take = min(piece.size - start, length)
        if piece.blob is None:
            raw = ctx.tx.get(BODIES.key(piece.sequence, piece.number)) or b""
            out.append(raw if take == len(raw) else raw[start : start + take])
        else:
            out.append(FileRange(ctx.blobs.path(piece.blob), start, take))
        start, length = 0, length - take
    return Content(out)


def drop_body(ctx: Context, pieces: Iterable[Piece]) -> None:
    """Give up a body's bytes."""
    for piece in pieces:
        if piece.blob is None:
            ctx.tx.delete(BODIES.key(piece.sequence, piece.number))
        else:
            ctx.blobs.drop(ctx.tx, piece.blob)


def _make_room(ctx: Context, bucket: Bucket, coming: ObjectVersion) -> None:
    """Before a new version becomes the newest: the current one steps back, the null one that it replaces goes."""
    held = current(ctx, bucket, coming.key)
    if not bucket.versioning:
        if held:
            drop_body(ctx, held.pieces)
        return
    if held and held.version_id == NULL == coming.version_id:
        drop_body(ctx, held.pieces)
    else:
        if coming.version_id == NULL:
            _drop_hidden_null(ctx, bucket, coming.key)
        if held:
            _store_hidden(ctx, bucket, held)


def _store_hidden(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    ctx.tx.put(VERSIONS.key(bucket.id, version.key, -version.sequence), encode(version))
    if version.version_id == NULL:
        ctx.tx.put(NULLS.key(bucket.id, version.key), msgspec.msgpack.encode(version.sequence))


def _delete_hidden(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    ctx.tx.delete(VERSIONS.key(bucket.id, version.key, -version.sequence))
    if version.version_id == NULL:
        ctx.tx.delete(NULLS.key(bucket.id, version.key))


def _drop_hidden_null(ctx: Context, bucket: Bucket, key: str) -> None:
    hidden = find(ctx, bucket, key, NULL)
    if hidden:
        _delete_hidden(ctx, bucket, hidden)
        drop_body(ctx, hidden.pieces)


def _null_sequence(ctx: Context, bucket: Bucket, key: str) -> int | None:
    raw = ctx.tx.get(NULLS.key(bucket.id, key))
    return msgspec.msgpack.decode(raw, type=int) if raw is not None else None


def _newest_hidden(ctx: Context, bucket: Bucket, key: str) -> ObjectVersion | None:
    below = VERSIONS(bucket.id, key)
    end = below.prefix + b"\xff"  # a NUL within a key is packed as 00 ff: the rows of "key\0..." begin here
    rows = ctx.tx.scan(below.prefix, end, 1)
    return decode_version(rows[0][1]) if rows else None


def _promote(ctx: Context, bucket: Bucket, key: str) -> None:
    """Make the newest hidden version current, unless it is a delete marker."""
    heir = _newest_hidden(ctx, bucket, key)
    if heir and not heir.marker:
        _delete_hidden(ctx, bucket, heir)
        ctx.tx.put(OBJECTS.key(bucket.id, key), encode(heir))
