"""What all listings share: how many entries, how keys are encoded, and continuation tokens."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from cloudlet.services.s3.faults import invalid_argument

PAGE = 1000
_LARGEST_INTEGER = 2**31 - 1
_CHECK_BYTES = 4
_unreserved = re.compile(r"[A-Za-z0-9._*/-]*").fullmatch


def integer(req: dict[str, Any], member: str, name: str, default: int) -> int:
    """A query parameter's value, `default` where it is missing or empty. Raises InvalidArgument."""
    text = str(req.get(member, ""))
    if not text:
        return default
    digits = text.removeprefix("-")
    if not (text.isascii() and digits.isdigit()) or int(digits) > _LARGEST_INTEGER:
        raise invalid_argument(name, text, f"Provided {name} not an integer or within integer range")
    if text[0] == "-":
        raise invalid_argument(name, text, f"Argument {name} must be an integer between 0 and {_LARGEST_INTEGER}")
    return int(text)


def page_size(req: dict[str, Any], member: str, name: str) -> int:
    """How many entries are asked for; more than a page holds is taken as a page."""
    return min(integer(req, member, name, PAGE), PAGE)


def key_encoder(req: dict[str, Any]) -> Callable[[str], str] | None:
    """How keys are written in the answer: None as they are. Raises InvalidArgument for an unknown encoding-type."""
    kind = req.get("EncodingType")
    if not kind:
        return None
    if kind != "url":
        raise invalid_argument("encoding-type", kind, "Invalid Encoding Method specified in Request")
    return _url_encoded


def encode_members(result: dict[str, Any], encode: Callable[[str], str] | None, *members: str) -> None:
    """Write those members of an answer, and its common prefixes, in the encoding that was asked for."""
    if encode is None:
        return
    for member in members:
        if result.get(member):
            result[member] = encode(result[member])
    for folder in result.get("CommonPrefixes", ()):
        folder["Prefix"] = encode(folder["Prefix"])


def token(last: str) -> str:
    """A continuation token that says where a listing goes on."""
    raw = last.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(zlib.crc32(raw).to_bytes(_CHECK_BYTES, "big") + raw).decode().rstrip("=")


def last_of(text: str) -> str:
    """The key or prefix that a token was made of. Raises InvalidArgument for what is no token."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        check, raw = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if raw and check == zlib.crc32(raw).to_bytes(_CHECK_BYTES, "big"):
            return raw.decode("utf-8", "surrogatepass")
    except ValueError:
        pass
    raise invalid_argument("continuation-token", None, "The continuation token provided is incorrect")


def whole_seconds(instant: int) -> int:
    """An instant as bodies of answers show it: with the precision that headers have."""
    return instant - instant % 1000


def _url_encoded(key: str) -> str:
    """As a form's field is, except that `/` and `*` stand for themselves and `~` does not."""
    if _unreserved(key):
        return key
    return quote_plus(key, safe="/*", errors="surrogatepass").replace("~", "%7E")
