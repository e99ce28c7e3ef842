"""Tags as requests bring them: the `x-amz-tagging` header and the TagSet of a body, both checked."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_plus

from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.faults import invalid_argument, malformed_xml

_MOST_OF_OBJECT, _MOST_OF_BUCKET = 10, 50
_KEY_LENGTH, _VALUE_LENGTH = 128, 256
_fits = re.compile(r"[\w\s+\-=.:/@]*").fullmatch


def from_header(text: str | None) -> dict[str, str]:
    """The tags of an `x-amz-tagging` header, a URL's query. Raises InvalidArgument, InvalidTag or BadRequest."""
    tags: dict[str, str] = {}
    for pair in (text or "").split("&"):
        if not pair:
            continue
        key, _, value = pair.partition("=")
        key = unquote_plus(key)
        if "=" in value or key in tags:
            told = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
            told += "without tag name duplicates."
            raise invalid_argument("x-amz-tagging", text, told)
        tags[key] = unquote_plus(value)
    for key, value in tags.items():
        _check(key, value, "Your TagKey cannot be prefixed with aws:")
    _count(tags)
    return tags


def of_object(body: Any) -> dict[str, str]:
    """The tags of PutObjectTagging's body. Raises MalformedXML, InvalidTag or BadRequest."""
    tags = _read(body, "Your TagKey cannot be prefixed with aws:")
    _count(tags)
    return tags


def of_bucket(body: Any) -> dict[str, str]:
    """The tags of PutBucketTagging's body. Raises MalformedXML, InvalidTag or BadRequest."""
    tags = _read(body, "System tags cannot be added/updated by requester")
    if len(tags) > _MOST_OF_BUCKET:
        raise Fault("BadRequest", f"Bucket tag count cannot be greater than {_MOST_OF_BUCKET}")
    return tags


def of_new_bucket(tag_set: list[Any] | None) -> dict[str, str]:
    """The tags in CreateBucket's configuration. A repeated key is an InternalError of S3's own."""
    told = 'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. '
    told += 'Remove "aws:" from your tag keys and try again.'
    tags: dict[str, str] = {}
    for tag in tag_set or []:
        key, value = _parts(tag)
        if key.lower().startswith("aws:"):
            raise Fault("InvalidTag", told)
        if key in tags:
            raise Fault("InternalError", "We encountered an internal error. Please try again.")
        _check(key, value, told)
        tags[key] = value
    return tags


def shown(tags: dict[str, str]) -> list[dict[str, str]]:
    """An answer's TagSet."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def _read(body: Any, reserved: str) -> dict[str, str]:
    if not isinstance(body, dict) or not isinstance(body.get("TagSet", []), list):
        raise malformed_xml()
    tags: dict[str, str] = {}
    for tag in body.get("TagSet", []):
        key, value = _parts(tag)
        if key in tags:
            raise Fault("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        _check(key, value, reserved)
        tags[key] = value
    return tags


def _parts(tag: Any) -> tuple[str, str]:
    if not isinstance(tag, dict) or tag.get("Key") is None or tag.get("Value") is None:
        raise malformed_xml()
    return tag["Key"], tag["Value"]


def _check(key: str, value: str, reserved: str) -> None:
    if key.lower().startswith("aws:"):
        raise Fault("InvalidTag", reserved, TagKey=key)
    if not key or len(key) > _KEY_LENGTH or not _fits(key):
        raise Fault("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
    if len(value) > _VALUE_LENGTH or not _fits(value):
        raise Fault("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)


def _count(tags: dict[str, str]) -> None:
    if len(tags) > _MOST_OF_OBJECT:
        raise Fault("BadRequest", f"Object tags cannot be greater than {_MOST_OF_OBJECT}")
