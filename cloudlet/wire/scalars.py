"""Scalars as text: timestamps (milliseconds in our dicts), numbers, booleans."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cloudlet.wire.message import Malformed

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MILLISECONDS = tuple(f".{number:03d}Z" for number in range(1000))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?$", re.I)
_EARLIEST_MS, _LATEST_MS = -62_135_596_800_000, 253_402_300_799_999  # the years 1 to 9999
_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d+)?$")


def iso8601(instant: int) -> str:
    """`2026-03-01T12:00:00.000Z`, always with milliseconds."""
    return _second(instant // 1000) + _MILLISECONDS[instant % 1000]


def iso8601_short(instant: int) -> str:
    """`2026-03-01T12:00:00Z`; the milliseconds only where there are some."""
    return iso8601(instant) if instant % 1000 else f"{_utc(instant // 1000):%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(maxsize=4096)
def http_date(instant: int) -> str:
    """`Sun, 01 Mar 2026 12:00:00 GMT` (RFC 7231)."""
    t = _utc(instant // 1000)
    return f"{_DAYS[t.weekday()]}, {t.day:02d} {_MONTHS[t.month - 1]} {t:%Y %H:%M:%S} GMT"


def epoch(instant: int) -> int | float:
    """Seconds since 1970 as JSON has them: whole where they are whole."""
    return instant // 1000 if instant % 1000 == 0 else instant / 1000


def parse_timestamp(value: Any) -> int:
    """Any form in which AWS accepts a timestamp, as milliseconds. Raises Malformed, also for what no calendar has."""
    try:
        instant = _instant(value)
    except OverflowError:
        instant = _LATEST_MS + 1
    if not _EARLIEST_MS <= instant <= _LATEST_MS:
        raise Malformed("timestamp is out of range")
    return instant


def _instant(value: Any) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value:
            raise Malformed("timestamp must be finite")
        return round(value * 1000)
    if isinstance(value, datetime):
        return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
    if not isinstance(value, str):
        raise Malformed("timestamp must be a number or a text")
    text = value.strip()
    if _NUMBER.match(text):
        return round(float(text) * 1000)
    try:
        return _parse_iso(text) if text[:1].isdigit() else _parse_http_date(text)
    except ValueError:
        raise Malformed(f"Invalid timestamp: {value}") from None


def parse_blob(text: Any) -> bytes:
    if not isinstance(text, str):
        raise Malformed("blob must be a base64 text")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("Invalid base64 text") from None


def whole_number(text: str | None) -> int | None:
    """The number that ASCII digits make, below 10**18; None for anything else."""
    return int(text) if text and len(text) <= 18 and text.isascii() and text.isdigit() else None


def parse_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Malformed(f"'{text}' is not an integer", "MalformedInput") from None


def parse_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Malformed(f"'{text}' is not a number", "MalformedInput") from None


def parse_boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise Malformed(f"'{text}' must be true or false", "MalformedInput")
    return lowered == "true"


def format_float(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "NaN" if math.isnan(value) else repr(value)


def format_boolean(value: bool) -> str:
    return "true" if value else "false"


def format_blob(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return f"{_utc(seconds):%Y-%m-%dT%H:%M:%S}"


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _parse_iso(text: str) -> int:
    found = _ISO.match(text)
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
    milliseconds = int((fraction or "0").ljust(3, "0")[:3])
    offset = 0
    if zone and zone.upper() != "Z":
        sign = -1 if zone[0] == "-" else 1
        offset = sign * (int(zone[1:3]) * 60 + int(zone[-2:])) * 60_000
    delta = moment - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1000 + milliseconds - offset


def _parse_http_date(text: str) -> int:
    for pattern in (
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %d %H:%M:%S %Y",
        "%a, %d %b %Y %H:%M:%S +0000",
    ):
        try:
            return int(datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp()) * 1000
        except ValueError:
            continue
    raise ValueError(text)
