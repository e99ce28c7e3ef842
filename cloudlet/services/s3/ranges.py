"""Which bytes of a body a GET or HEAD asks for: a range, or one part of a multipart object."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.faults import invalid_argument, invalid_request
from cloudlet.services.s3.rows import ObjectVersion, StoredPart

_one_range = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII).fullmatch
_LAST_PART = 10_000


class Window(NamedTuple):
    """`length` bytes from `start` on. part: the multipart object's part that it is, where one was asked for."""

    start: int
    length: int
    partial: bool
    part: StoredPart | None = None


def window(req: dict[str, Any], version: ObjectVersion) -> Window:
    """What the Range or PartNumber of a request selects. Raises InvalidRange or InvalidPartNumber (416)."""
    asked, number = req.get("Range"), req.get("PartNumber")
    if number is not None:
        if asked is not None:
            raise invalid_request("Cannot specify both Range header and partNumber query parameter")
        return _part(number, version)
    bounds = _bounds(asked, version.size) if asked is not None else None
    if bounds is None:
        return Window(0, version.size, False)
    return Window(bounds[0], bounds[1] - bounds[0] + 1, True)


def _bounds(text: str, size: int) -> tuple[int, int] | None:
    """First and last byte; None for what S3 ignores: several ranges, other units, a range that ends before it starts."""
    found = _one_range(text.strip())
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = int(found[2])
        if length == 0 or size == 0:
            raise _invalid(text, size)
        return max(0, size - length), size - 1
    start = int(found[1])
    end = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < start:
        return None
    if start >= size:
        raise _invalid(text, size)
    return start, end


def _part(number: int, version: ObjectVersion) -> Window:
    if not 1 <= number <= _LAST_PART:
        text = f"Part number must be an integer between 1 and {_LAST_PART}, inclusive"
        raise invalid_argument("partNumber", number, text)
    parts = version.parts
    if number > max(1, len(parts)):
        text = "The requested partnumber is not satisfiable"
        raise Fault("InvalidPartNumber", text, ActualPartCount=max(1, len(parts)), PartNumberRequested=number)
    if not parts:
        return Window(0, version.size, version.size > 0)
    return Window(sum(part.size for part in parts[: number - 1]), parts[number - 1].size, True, parts[number - 1])


def _invalid(text: str, size: int) -> Fault:
    told, headers = "The requested range is not satisfiable", (("Content-Range", f"bytes */{size}"),)
    return Fault("InvalidRange", told, headers=headers, RangeRequested=text, ActualObjectSize=size)
