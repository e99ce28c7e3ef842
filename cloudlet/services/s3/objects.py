"""Objects: put, get, head, delete."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context, Conversation
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3 import acl, bodies, conditions, configs, headers, tagging, targets, versions, worm
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import COMPOSITE, FULL_OBJECT
from cloudlet.services.s3.deleting import delete_current, delete_version
from cloudlet.services.s3.faults import invalid_argument, invalid_request
from cloudlet.services.s3.ranges import Window, window
from cloudlet.services.s3.rows import Bucket, Checksum, ObjectVersion

_OVERRIDES = {
    "ResponseCacheControl": ("CacheControl", "response-cache-control"),
    "ResponseContentDisposition": ("ContentDisposition", "response-content-disposition"),
    "ResponseContentEncoding": ("ContentEncoding", "response-content-encoding"),
    "ResponseContentLanguage": ("ContentLanguage", "response-content-language"),
    "ResponseContentType": ("ContentType", "response-content-type"),
    "ResponseExpires": ("Expires", "response-expires"),
}


async def put_object(conversation: Conversation, req: dict[str, Any]) -> dict[str, Any]:
    """Store a body of at most 5 GiB under a key. Where the bucket keeps versions, what was there becomes an older one.

    The body is checked against every checksum the request promises; without one S3 adds a CRC64NVME of its own. A body that is
    still under way is read only once the request is known to be acceptable, and nothing of a failed one is kept.
    """
    body = req["Body"]
    checked = not body.ended
    if checked:
        await conversation.transact(lambda ctx: _check_put(ctx, req))
    try:
        received = await bodies.receive(conversation, body, bodies.Promises(req))
    except Fault:
        if not checked:  # a request that is wrong in itself is told so first
            await conversation.transact(lambda ctx: _check_put(ctx, req))
        raise
    try:
        return await conversation.transact(lambda ctx: _store(ctx, req, received))
    except Exception:
        received.discard(conversation)
        raise


def get_object(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """An object's bytes and properties: all of them, one range, or one part of a multipart upload."""
    bucket, version, asked = _read(ctx, req, "GetObject")
    headers.check_readable(version)
    out = _shown(req, version, bucket, asked)
    if not req.keys().isdisjoint(_OVERRIDES):
        _override(ctx, req, out)
    body = versions.content(ctx, version.pieces, asked.start, asked.length)
    whole = len(body.pieces) == 1 and isinstance(body.pieces[0], bytes)
    out["Body"] = body.pieces[0] if whole else body  # plain bytes leave with the head, in one write
    return out


def head_object(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """What GetObject answers, without the bytes."""
    bucket, version, asked = _read(ctx, req, "HeadObject")
    out = _shown(req, version, bucket, asked)
    if not req.keys().isdisjoint(_OVERRIDES):
        _override(ctx, req, out)
    return out


def delete_object(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an object, or with versioning lay a delete marker over it; with a VersionId remove that version for good.

    What is not there counts as removed.
    """
    bucket, key, version_id = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner")), req["Key"], req.get("VersionId")
    held = versions.current(ctx, bucket, key) if version_id is None or "IfMatch" in req else None
    conditions.check_delete(req, held)
    if version_id is None:
        return delete_current(ctx, bucket, key, held)
    bypass = bool(req.get("BypassGovernanceRetention"))
    return delete_version(ctx, bucket, key, version_id, bypass=bypass) or {"VersionId": version_id}


def _check_put(ctx: Context, req: dict[str, Any]) -> None:
    """What can be said of a PutObject before its body is there."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    headers.refuse_customer_keys(req, "PutObject")
    targets.check_key(req["Key"])
    if conditions.check_write_headers(req):
        conditions.check_write(req, req["Key"], versions.current(ctx, bucket, req["Key"]))
    headers.storage_class(req)


def _store(ctx: Context, req: dict[str, Any], received: bodies.Received) -> dict[str, Any]:
    bucket, key = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner")), req["Key"]
    headers.refuse_customer_keys(req, "PutObject")
    targets.check_key(key)
    if conditions.check_write_headers(req):
        conditions.check_write(req, key, versions.current(ctx, bucket, key))
    lock = worm.asked(req, bucket, ctx.now)
    if lock and not received.given and req.get("ContentMD5") is None and worm.MODE in req:
        text = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        raise invalid_request(text)
    sse = headers.encryption(ctx, req, bucket)
    sequence, identity = versions.new_ids(ctx, bucket)
    algorithm, value = received.checksum
    asks_acl = acl.asks(req)
    version = ObjectVersion(
        key,
        received.size,
        headers.etag_of(ctx, received.md5, sse),
        ctx.now,
        headers.storage_class(req),
        Checksum(algorithm, FULL_OBJECT, value),
        identity,
        sequence,
        ctx.account,
        pieces=received.keep(ctx, sequence),
        headers=headers.stored_headers(req),
        metadata=headers.stored_metadata(req),
        tags=tagging.from_header(req["Tagging"]) if "Tagging" in req else {},
        sse=sse,
        lock=lock,
        acl=acl.of_new_object(req, bucket, ctx.account, configs.blocks(ctx, bucket, "BlockPublicAcls")) if asks_acl else None,
    )
    versions.put(ctx, bucket, version)
    out = {"ETag": f'"{version.etag}"', f"Checksum{algorithm}": value, "ChecksumType": FULL_OBJECT}
    out.update(headers.shown_encryption(sse))
    if bucket.versioning == "Enabled":
        out["VersionId"] = identity
    return out


def _read(ctx: Context, req: dict[str, Any], operation: str) -> tuple[Bucket, ObjectVersion, Window]:
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    headers.refuse_customer_keys(req, operation)
    version = targets.open_version(ctx, bucket, req["Key"], req.get("VersionId"))
    conditions.check_read(req, version, ctx.now)
    return bucket, version, window(req, version)


def _shown(req: dict[str, Any], version: ObjectVersion, bucket: Bucket, asked: Window) -> dict[str, Any]:
    out = headers.shown(version, bucket)
    out["ContentLength"] = asked.length
    if asked.partial:
        out["StatusCode"] = 206
        out["ContentRange"] = f"bytes {asked.start}-{asked.start + asked.length - 1}/{version.size}"
    if version.parts and "PartNumber" in req:
        out["PartsCount"] = len(version.parts)
    if req.get("ChecksumMode") == "ENABLED" and (checksum := version.checksum):
        if asked.length == version.size and not (asked.part and len(version.parts) > 1):
            out.update(headers.shown_checksum(version))
        elif asked.part and asked.part.checksum and checksum.kind == COMPOSITE:
            out[f"Checksum{checksum.algorithm}"] = asked.part.checksum
            out["ChecksumType"] = COMPOSITE
    return out


def _override(ctx: Context, req: dict[str, Any], out: dict[str, Any]) -> None:
    """The `response-...` parameters: headers of this answer alone, for signed requests."""
    if not ctx.caller.signed:
        raise invalid_request("Request specific response headers cannot be used for anonymous GET requests.")
    for member, (name, parameter) in _OVERRIDES.items():
        text = req.get(member)
        if text is None:
            continue
        try:
            text.encode("latin-1")
        except UnicodeEncodeError:
            raise invalid_argument(parameter, text, "Header value cannot be represented using ISO-8859-1.") from None
        out[name] = text
