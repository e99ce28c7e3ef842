"""The errors that several operations answer with, in S3's own words."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.fault import Fault


def no_such_key(key: str) -> Fault:
    return Fault("NoSuchKey", "The specified key does not exist.", Key=key)


def no_such_version(key: str, version_id: str) -> Fault:
    return Fault("NoSuchVersion", "The specified version does not exist.", Key=key, VersionId=version_id)


def marker_not_allowed(method: str) -> Fault:
    """A delete marker has neither body nor properties; it can only be deleted. method: HTTP's."""
    text = "The specified method is not allowed against this resource."
    return Fault("MethodNotAllowed", text, Method=method, ResourceType="DeleteMarker")


def malformed_xml() -> Fault:
    return Fault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")


def invalid_argument(name: str, value: Any, message: str | None) -> Fault:
    """value: None where S3 does not repeat it."""
    return Fault("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def invalid_request(message: str) -> Fault:
    return Fault("InvalidRequest", message)


def access_denied(message: str = "Access Denied") -> Fault:
    return Fault("AccessDenied", message)
