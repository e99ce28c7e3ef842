"""Conditions on reads, writes, deletes and copy sources: If-Match and its kin, in the order that S3 looks at them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.faults import no_such_key, not_modified
from cloudlet.services.s3.rows import ObjectVersion

_ON_READ = ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
_ON_SOURCE = ("CopySourceIfMatch", "CopySourceIfNoneMatch", "CopySourceIfModifiedSince", "CopySourceIfUnmodifiedSince")


def check_read(req: dict[str, Any], version: ObjectVersion, now: int) -> None:
    """GET and HEAD: raises PreconditionFailed, or NotModified (304) where the client's copy is still good."""
    if req.keys().isdisjoint(_ON_READ):
        return
    failed = _failed(req, _ON_READ, version, now)
    if failed is None:
        return
    if failed in ("IfMatch", "IfUnmodifiedSince"):
        raise precondition_failed("If-Match" if failed == "IfMatch" else "If-Unmodified-Since")
    raise not_modified(version)


def check_source(req: dict[str, Any], source: ObjectVersion, now: int) -> None:
    """The `x-amz-copy-source-if-...` headers of CopyObject and UploadPartCopy; raises PreconditionFailed."""
    failed = _failed(req, _ON_SOURCE, source, now)
    if failed is not None:
        raise precondition_failed("x-amz-copy-source-" + _HEADERS[failed.removeprefix("CopySource")])


def check_write_headers(req: dict[str, Any]) -> bool:
    """Whether a write has a condition. Raises NotImplemented (501) for those that S3 does not take, whatever the object is."""
    match, none_match = req.get("IfMatch"), req.get("IfNoneMatch")
    if match is None and none_match is None:
        return False
    if match is not None and none_match is not None:
        raise _not_accepted("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
    if none_match is not None and none_match != "*":
        raise _not_accepted("If-None-Match", "We don't accept the provided value of If-None-Match header for this API")
    if match == "*":
        raise _not_accepted("If-Match", "We don't accept the provided value of If-Match header for this API")
    return True


def check_write(req: dict[str, Any], key: str, held: ObjectVersion | None) -> None:
    """PutObject, CopyObject's target and CompleteMultipartUpload. held: the current version of the key, None under a marker."""
    match = req.get("IfMatch")
    if match is not None:
        if held is None:
            raise no_such_key(key)
        if not _matches(match, held.etag):
            raise precondition_failed("If-Match")
    elif req.get("IfNoneMatch") is not None and held is not None:
        raise precondition_failed("If-None-Match")


def check_delete(req: dict[str, Any], held: ObjectVersion | None) -> None:
    """DeleteObject. Only directory buckets know conditions on time and size; those raise NotImplemented (501)."""
    for member, header in (
        ("IfMatchLastModifiedTime", "x-amz-if-match-last-modified-time"),
        ("IfMatchSize", "x-amz-if-match-size"),
    ):
        if member in req:
            raise _not_accepted(header, None)
    match = req.get("IfMatch")
    if match is not None and (held is None or not _matches(match, held.etag)):
        raise precondition_failed("If-Match")


def precondition_failed(condition: str) -> Fault:
    text = "At least one of the pre-conditions you specified did not hold"
    return Fault("PreconditionFailed", text, Condition=condition)


_HEADERS = {
    "IfMatch": "If-Match",
    "IfNoneMatch": "If-None-Match",
    "IfModifiedSince": "If-Modified-Since",
    "IfUnmodifiedSince": "If-Unmodified-Since",
}


def _failed(req: dict[str, Any], names: tuple[str, str, str, str], version: ObjectVersion, now: int) -> str | None:
    """The first condition that does not hold. An entity tag's condition that is decided silences the one on time.

    Times have whole seconds, as the Last-Modified header has; a time in the future says nothing.
    """
    match, none_match = req.get(names[0]), req.get(names[1])
    modified_since, unmodified_since = _instant(req.get(names[2])), _instant(req.get(names[3]))
    modified = version.modified - version.modified % 1000
    if match is not None:
        if not _matches(match, version.etag):
            return names[0]
    elif unmodified_since is not None and modified > unmodified_since:
        return names[3]
    if none_match is not None:
        if _matches(none_match, version.etag):
            return names[1]
    elif modified_since is not None and modified <= modified_since <= now:
        return names[2]
    return None


def _instant(text: str | None) -> int | None:
    """Milliseconds; None also for what is no date, which S3 does not look at."""
    if text is None:
        return None
    try:
        date = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


def _matches(given: str, etag: str) -> bool:
    """Entity tags come with quotes or without, weak or not, and several of them parted by commas."""
    return given == etag or any(_bare(one) in (etag, "*") for one in given.split(","))


def _bare(tag: str) -> str:
    return tag.strip().removeprefix("W/").strip('"')


def _not_accepted(header: str, more: str | None) -> Fault:
    text = "A header you provided implies functionality that is not implemented"
    return Fault("NotImplemented", text, Header=header, additionalMessage=more)
