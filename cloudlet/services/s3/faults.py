"""The errors that several operations answer with, in S3's own words."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.rows import ObjectVersion

MALFORMED_XML = "The XML you provided was not well-formed or did not validate against our published schema"


def no_such_key(key: str, marker: ObjectVersion | None = None) -> Fault:
    """marker: the delete marker that hides the key's versions, which the headers of the answer name."""
    return Fault("NoSuchKey", "The specified key does not exist.", headers=_of_marker(marker) if marker else (), Key=key)


def no_such_version(key: str, version_id: str) -> Fault:
    return Fault("NoSuchVersion", "The specified version does not exist.", Key=key, VersionId=version_id)


def marker_not_allowed(method: str, marker: ObjectVersion) -> Fault:
    """A delete marker has neither body nor properties; it can only be deleted. method: HTTP's."""
    text = "The specified method is not allowed against this resource."
    headers = (*_of_marker(marker), ("Allow", "DELETE"), ("Last-Modified", http_date(marker.modified)))
    return Fault("MethodNotAllowed", text, headers=headers, Method=method, ResourceType="DeleteMarker")


def not_modified(version: ObjectVersion) -> Fault:
    """The client's copy is still good; what it can be told by is in the headers."""
    headers = (("ETag", f'"{version.etag}"'), ("Last-Modified", http_date(version.modified)))
    return Fault("NotModified", "Not Modified", headers=headers)


def malformed_xml() -> Fault:
    return Fault("MalformedXML", MALFORMED_XML)


def invalid_argument(name: str, value: Any, message: str | None) -> Fault:
    """value: None where S3 does not repeat it."""
    return Fault("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def invalid_request(message: str) -> Fault:
    return Fault("InvalidRequest", message)


def access_denied(message: str = "Access Denied") -> Fault:
    return Fault("AccessDenied", message)


def http_date(instant: int) -> str:
    """An instant as headers have it: in whole seconds, GMT."""
    return formatdate(instant // 1000, usegmt=True)


def _of_marker(marker: ObjectVersion) -> tuple[tuple[str, str], ...]:
    return (("x-amz-delete-marker", "true"), ("x-amz-version-id", marker.version_id))
