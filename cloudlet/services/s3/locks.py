"""Object lock: a bucket's configuration, and the retention and legal hold of single versions."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3 import versions, worm
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.faults import access_denied, invalid_request, malformed_xml
from cloudlet.services.s3.rows import BUCKETS, Bucket, ObjectVersion
from cloudlet.services.s3.targets import open_version


def put_object_lock_configuration(ctx: Context, req: dict[str, Any]) -> None:
    """Turn object lock on (the bucket must have versioning), with or without a default retention for new objects."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    asked = req.get("ObjectLockConfiguration") or {}
    if asked.get("ObjectLockEnabled") != "Enabled":
        raise malformed_xml()
    retention = _default_retention(asked["Rule"]) if "Rule" in asked else None
    if bucket.versioning != "Enabled":
        raise Fault("InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
    BUCKETS.put(ctx.tx, msgspec.structs.replace(bucket, object_lock=True, retention=retention), was=bucket)


def get_object_lock_configuration(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises ObjectLockConfigurationNotFoundError for a bucket without object lock."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    if not bucket.object_lock:
        text = "Object Lock configuration does not exist for this bucket"
        raise Fault("ObjectLockConfigurationNotFoundError", text, BucketName=bucket.name)
    shown: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if bucket.retention:
        shown["Rule"] = {"DefaultRetention": bucket.retention}
    return {"ObjectLockConfiguration": shown}


def put_object_retention(ctx: Context, req: dict[str, Any]) -> None:
    """Set, prolong or (governance, with leave to bypass it) shorten or end a version's retention."""
    bucket, version = _open_locked(ctx, req, "PUT")
    asked = req.get("Retention") or {}
    mode, until = asked.get("Mode"), asked.get("RetainUntilDate")
    if (mode is None) != (until is None) or (mode is not None and mode not in worm.MODES):
        raise malformed_xml()
    if until is not None:
        worm.check_future(until, ctx.now)
    bypass = bool(req.get("BypassGovernanceRetention"))
    held = version.lock
    weaker = mode is None or until < held.get(worm.UNTIL, 0) or (held.get(worm.MODE) == "COMPLIANCE" and mode != "COMPLIANCE")
    changes_mode = mode != held.get(worm.MODE)
    if worm.is_retained(version, ctx.now, bypass=bypass) and (weaker or (changes_mode and mode != "COMPLIANCE")):
        raise access_denied("Access Denied because object protected by object lock.")
    lock = {name: value for name, value in held.items() if name == worm.HOLD}
    if mode is not None:
        lock |= {worm.MODE: mode, worm.UNTIL: until}
    versions.rewrite(ctx, bucket, msgspec.structs.replace(version, lock=lock))


def get_object_retention(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchObjectLockConfiguration for a version that never had one."""
    _, version = _open_locked(ctx, req, "GET")
    if worm.MODE not in version.lock:
        raise _no_lock()
    return {"Retention": {"Mode": version.lock[worm.MODE], "RetainUntilDate": version.lock[worm.UNTIL]}}


def put_object_legal_hold(ctx: Context, req: dict[str, Any]) -> None:
    """Turn a version's legal hold ON or OFF."""
    bucket, version = _open_locked(ctx, req, "PUT")
    status = (req.get("LegalHold") or {}).get("Status")
    if status not in ("ON", "OFF"):
        raise malformed_xml()
    versions.rewrite(ctx, bucket, msgspec.structs.replace(version, lock={**version.lock, worm.HOLD: status}))


def get_object_legal_hold(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchObjectLockConfiguration for a version that never had one."""
    _, version = _open_locked(ctx, req, "GET")
    if worm.HOLD not in version.lock:
        raise _no_lock()
    return {"LegalHold": {"Status": version.lock[worm.HOLD]}}


def _open_locked(ctx: Context, req: dict[str, Any], method: str) -> tuple[Bucket, ObjectVersion]:
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    if not bucket.object_lock:
        raise invalid_request("Bucket is missing Object Lock Configuration")
    return bucket, open_version(ctx, bucket, req["Key"], req.get("VersionId"), method)


def _default_retention(rule: Any) -> dict[str, Any]:
    found = rule.get("DefaultRetention") if isinstance(rule, dict) else None
    if not isinstance(found, dict) or found.get("Mode") not in worm.MODES or ("Days" in found) == ("Years" in found):
        raise malformed_xml()
    if "DefaultEventHold" in found:
        raise not_implemented("s3's PutObjectLockConfiguration with DefaultEventHold")
    if (found.get("Days") or found.get("Years") or 0) <= 0:
        raise Fault("InvalidArgument", "Default retention period must be a positive integer value.")
    return dict(found)


def _no_lock() -> Fault:
    return Fault("NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
