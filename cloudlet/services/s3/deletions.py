"""DeleteObjects: many keys or versions in one request."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3 import bodies, conditions, versions
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import ALGORITHMS
from cloudlet.services.s3.deleting import delete_current, delete_version
from cloudlet.services.s3.faults import invalid_request, malformed_xml, no_such_version
from cloudlet.services.s3.rows import NULL, Bucket, given_by

_MOST = 1000
_DIGESTS = frozenset(
    ("ContentMD5", *(f"Checksum{name}" for name in (*ALGORITHMS, "MD5", "SHA512", "XXHASH3", "XXHASH64", "XXHASH128")))
)


def delete_objects(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Delete up to 1,000 keys or versions, each as DeleteObject does. What is not there counts as deleted.

    One that cannot be deleted has its own error in the answer; with Quiet those alone are answered.
    """
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    if _DIGESTS.isdisjoint(req):
        raise invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
    bodies.check_held(bodies.Promises(req), req["RawBody"])
    asked = req.get("Delete") or {}
    entries: list[dict[str, Any]] = asked.get("Objects") or []
    if not 1 <= len(entries) <= _MOST or any(not entry.get("Key") for entry in entries):
        raise malformed_xml()
    if any("LastModifiedTime" in entry or "Size" in entry for entry in entries):
        raise not_implemented("s3's DeleteObjects with LastModifiedTime or Size, which only directory buckets have")
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for entry in entries:
        try:
            deleted.append(_delete(ctx, bucket, req, entry))
        except Fault as fault:
            named = {"Key": entry["Key"], "VersionId": entry.get("VersionId") or None}
            errors.append({**named, "Code": fault.code, "Message": fault.message})
    return {"Deleted": [] if asked.get("Quiet") else deleted, "Errors": errors}


def _delete(ctx: Context, bucket: Bucket, req: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Delete one entry; what the answer says of it. Raises Fault, before anything is written."""
    key, version_id, etag = entry["Key"], entry.get("VersionId") or None, entry.get("ETag")
    held = versions.current(ctx, bucket, key) if version_id is None or etag is not None else None
    if etag is not None:
        conditions.check_delete({"IfMatch": etag}, held)
    if version_id is None:
        done = delete_current(ctx, bucket, key, held)
        marker = done.get("VersionId")
        return {"Key": key, "DeleteMarker": True, "DeleteMarkerVersionId": marker} if marker else {"Key": key}
    found = delete_version(ctx, bucket, key, version_id, bypass=bool(req.get("BypassGovernanceRetention")))
    if found is None and version_id != NULL and not given_by(bucket, version_id):
        raise no_such_version(key, version_id)
    shown = {"Key": key, "VersionId": version_id}  # also of a version that is gone already
    marker = found is not None and found.get("DeleteMarker")
    return {**shown, "DeleteMarker": True, "DeleteMarkerVersionId": version_id} if marker else shown
