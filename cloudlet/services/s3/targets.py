"""Which object a request means: its key checked, its version found."""

from __future__ import annotations

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3 import versions
from cloudlet.services.s3.faults import invalid_argument, marker_not_allowed, no_such_key, no_such_version
from cloudlet.services.s3.rows import NULL, Bucket, ObjectVersion, sequence_of

_LONGEST_KEY_BYTES = 1024


def check_key(key: str) -> None:
    """Raises KeyTooLongError for a new object's key."""
    if len(key) * 4 > _LONGEST_KEY_BYTES and (size := len(key.encode("utf-8", "surrogatepass"))) > _LONGEST_KEY_BYTES:
        raise Fault("KeyTooLongError", "Your key is too long", Size=size, MaxSizeAllowed=_LONGEST_KEY_BYTES)


def check_version_id(version_id: str) -> None:
    """Raises InvalidArgument for a text that is no version's id."""
    if not version_id:
        raise invalid_argument("versionId", "", "Version id cannot be the empty string")
    if version_id != NULL and sequence_of(version_id) is None:
        raise invalid_argument("versionId", version_id, "Invalid version id specified")


def open_version(ctx: Context, bucket: Bucket, key: str, version_id: str | None, method: str = "GET") -> ObjectVersion:
    """The version asked for; without an id the current one. Raises NoSuchKey, NoSuchVersion, or for a marker MethodNotAllowed."""
    if version_id is None:
        found = versions.current(ctx, bucket, key)
        if found is not None:
            return found
        marker = versions.newest(ctx, bucket, key) if bucket.versioning else None
        if method != "GET" and marker is not None:
            raise marker_not_allowed(method, marker)
        raise no_such_key(key, marker)
    check_version_id(version_id)
    found = versions.find(ctx, bucket, key, version_id)
    if found is None:
        raise no_such_version(key, version_id)
    if found.marker:
        raise marker_not_allowed(method, found)
    return found
