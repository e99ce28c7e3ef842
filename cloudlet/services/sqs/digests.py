"""MD5 of bodies and of attributes, as AWS documents it for clients that check them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5
from struct import Struct
from typing import Any

_LENGTH = Struct(">I").pack
_TEXT, _BINARY = b"\x01", b"\x02"


def of_body(body: str) -> str:
    return md5(body.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """For each attribute in the order of names: name, type and value, each after its length in four bytes; before the value
    a byte that says whether it is text or binary."""
    digest = md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        kind = attribute["DataType"]
        binary = kind.startswith("Binary")
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        for piece in (name.encode(), kind.encode()):
            digest.update(_LENGTH(len(piece)) + piece)
        digest.update((_BINARY if binary else _TEXT) + _LENGTH(len(value)) + value)
    return digest.hexdigest()
