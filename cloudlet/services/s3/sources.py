"""The source of a copy: `x-amz-copy-source` read and opened, for CopyObject and UploadPartCopy alike."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import unquote

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3 import conditions, headers
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.faults import invalid_argument, invalid_request
from cloudlet.services.s3.rows import Bucket, ObjectVersion
from cloudlet.services.s3.targets import open_version


class Source(NamedTuple):
    """named: the request names the version, instead of taking the current one."""

    bucket: Bucket
    version: ObjectVersion
    named: bool


def open_source(ctx: Context, req: dict[str, Any]) -> Source:
    """The version to copy from, its conditions met. Raises Fault."""
    name, key, version_id = _parsed(req["CopySource"])
    bucket = _open_bucket(ctx, name, req.get("ExpectedSourceBucketOwner"))
    try:
        version = open_version(ctx, bucket, key, version_id)
    except Fault as fault:
        if fault.code == "MethodNotAllowed":
            raise invalid_request(
                "The source of a copy request may not specifically refer to a delete marker by version id."
            ) from None
        raise
    headers.check_readable(version)
    conditions.check_source(req, version, ctx.now)
    return Source(bucket, version, version_id is not None)


def version_member(source: Source) -> dict[str, str]:
    """CopySourceVersionId, for a version that has an id of its own."""
    return {"CopySourceVersionId": source.version.version_id} if source.version.version_id != "null" else {}


def _parsed(text: str) -> tuple[str, str, str | None]:
    """Bucket, key and version id of `[/]bucket/key[?versionId=id]`, percent-encoded."""
    path, found, version_id = text.rpartition("?versionId=")
    if not found:
        path = text
    if path.startswith("arn:"):
        raise not_implemented("s3's copies from an access point")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        told = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise invalid_argument("x-amz-copy-source", text, told)
    return bucket, key, version_id if found else None
