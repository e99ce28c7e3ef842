"""The checksums that S3 knows, computed as a body streams by, and combined for multipart uploads.

CRC32 is ISA-L's, which takes a tenth of zlib's time; CRC32C and CRC64NVME are awscrt's. A full-object checksum of a multipart
upload is combined from its parts' without reading a byte; a composite one is the checksum of the parts' checksums. Source: the
S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from awscrt import checksums as crt
from isal import isal_zlib

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
_CRCS: dict[str, tuple[Callable[[Any, int], int], int, Callable[[int, int, int], int]]] = {
    "CRC32": (isal_zlib.crc32, 4, crt.combine_crc32),
    "CRC32C": (crt.crc32c, 4, crt.combine_crc32c),
    "CRC64NVME": (crt.crc64nvme, 8, crt.combine_crc64nvme),
}
_DIGEST_BYTES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}


class Digester:
    """One checksum in the making."""

    __slots__ = ("_crc", "_hash", "_update", "_width", "algorithm")

    def __init__(self, algorithm: str):
        self.algorithm = algorithm
        self._hash: Any = None
        if algorithm in _CRCS:
            self._update, self._width, _ = _CRCS[algorithm]
            self._crc = 0
        else:
            self._hash = hashlib.new(algorithm, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        if self._hash is not None:
            self._hash.update(data)
        else:
            self._crc = self._update(data, self._crc)

    def value(self) -> str:
        """The checksum in base64."""
        raw = self._hash.digest() if self._hash is not None else self._crc.to_bytes(self._width, "big")
        return base64.b64encode(raw).decode()


def is_valid(algorithm: str, value: str) -> bool:
    """Whether a text is base64 of a checksum of that algorithm."""
    try:
        return len(base64.b64decode(value, validate=True)) == _DIGEST_BYTES[algorithm]
    except ValueError:
        return False


def combined(algorithm: str, parts: list[tuple[str, int]]) -> str:
    """The full-object checksum of parts, each given as (base64, size in bytes). For the CRCs only."""
    _, width, combine = _CRCS[algorithm]
    crc = 0
    for value, size in parts:
        crc = combine(crc, int.from_bytes(base64.b64decode(value), "big"), size)
    return base64.b64encode(crc.to_bytes(width, "big")).decode()


def composite(algorithm: str, values: list[str]) -> str:
    """The checksum of the parts' checksums, with the number of parts after a dash."""
    digester = Digester(algorithm)
    for value in values:
        digester.update(base64.b64decode(value))
    return f"{digester.value()}-{len(values)}"


def default_kind(algorithm: str) -> str:
    """A multipart upload's checksum type where its creator named none."""
    return FULL_OBJECT if algorithm == "CRC64NVME" else COMPOSITE
