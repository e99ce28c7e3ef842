"""Object lock: what a request asks to lock, and whether a version may be deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloudlet.services.s3.faults import access_denied, invalid_argument, invalid_request
from cloudlet.services.s3.rows import Bucket, ObjectVersion

MODES = ("GOVERNANCE", "COMPLIANCE")
MODE, UNTIL, HOLD = "ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus"
_DAY_MS = 24 * 3600 * 1000


def asked(req: dict[str, Any], bucket: Bucket, now: int) -> dict[str, Any]:
    """The lock a new version gets: the request's, else the bucket's default; {} where neither locks it. Raises Fault."""
    mode, until, hold = req.get(MODE), req.get(UNTIL), req.get(HOLD)
    if mode is None and until is None and hold is None:
        return _default(bucket, now) if bucket.retention else {}
    if mode is None or until is None:
        if mode is not None or until is not None:
            text = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
            missing = "mode" if mode is None else "retain-until-date"
            raise invalid_argument(f"x-amz-object-lock-{missing}", None, text)
    elif mode not in MODES:
        raise invalid_argument("x-amz-object-lock-mode", mode, "Unknown wormMode directive.")
    if hold is not None and hold not in ("ON", "OFF"):
        raise invalid_argument("x-amz-object-lock-legal-hold", hold, "Legal Hold must be either of 'ON' or 'OFF'")
    if not bucket.object_lock:
        raise invalid_request("Bucket is missing Object Lock Configuration")
    found: dict[str, Any] = _default(bucket, now) if mode is None and bucket.retention else {}
    if mode is not None:
        assert until is not None
        check_future(until, now)
        found |= {MODE: mode, UNTIL: until}
    if hold is not None:
        found[HOLD] = hold
    return found


def check_future(until: int, now: int) -> None:
    if until <= now:
        shown = datetime.fromtimestamp(until / 1000, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
        raise invalid_argument("RetainUntilDate", shown, "The retain until date must be in the future!")


def check_deletable(version: ObjectVersion, now: int, *, bypass: bool) -> None:
    """Raises AccessDenied for a version under legal hold or retention. bypass: governance does not count."""
    if version.lock and (version.lock.get(HOLD) == "ON" or is_retained(version, now, bypass=bypass)):
        raise access_denied("Access Denied because object protected by object lock.")


def is_retained(version: ObjectVersion, now: int, *, bypass: bool) -> bool:
    """Whether its retention has not ended, by the clock of the cloud."""
    mode = version.lock.get(MODE)
    return mode is not None and version.lock[UNTIL] > now and not (mode == "GOVERNANCE" and bypass)


def _default(bucket: Bucket, now: int) -> dict[str, Any]:
    rule = bucket.retention or {}
    days = rule.get("Days") or 0
    if not days:
        start = datetime.fromtimestamp(now / 1000, UTC)
        years = start.year + rule["Years"]
        leap = start.month == 2 and start.day == 29
        days = (start.replace(year=years, day=28 if leap else start.day) - start).days
    return {MODE: rule["Mode"], UNTIL: now + days * _DAY_MS}
