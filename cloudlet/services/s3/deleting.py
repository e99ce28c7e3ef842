"""Deletes as S3 decides them, for DeleteObject and DeleteObjects alike."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.services.s3 import targets, versions, worm
from cloudlet.services.s3.rows import Bucket, ObjectVersion


def delete_current(ctx: Context, bucket: Bucket, key: str, held: ObjectVersion | None) -> dict[str, Any]:
    """Without a version id: lay a marker over `held`, the current version, or remove it where the bucket keeps none."""
    if bucket.versioning:
        marker = versions.mark_deleted(ctx, bucket, key)
        return {"DeleteMarker": True, "VersionId": marker.version_id}
    if held is not None:
        versions.remove(ctx, bucket, held)
    return {}


def delete_version(ctx: Context, bucket: Bucket, key: str, version_id: str, *, bypass: bool) -> dict[str, Any] | None:
    """Remove one version or marker for good; None where there is none of that id. Raises AccessDenied for a locked one.

    bypass: the request may disregard governance retention.
    """
    targets.check_version_id(version_id)
    found = versions.find(ctx, bucket, key, version_id)
    if found is None:
        return None
    worm.check_deletable(found, ctx.now, bypass=bypass)
    versions.remove(ctx, bucket, found)
    return {"VersionId": version_id, "DeleteMarker": True} if found.marker else {"VersionId": version_id}
