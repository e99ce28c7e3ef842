"""Order-preserving keys: tuples of str, bytes, int and None packed into bytes that sort as the tuples do.

The encoding is FoundationDB's tuple layer with one simplification: an int takes eight bytes always
(offset by 2**63), so any Python int in the signed 64-bit range sorts right. `Space` is a packed prefix;
everything of one service, or of one queue, lies under one Space and can be scanned or cleared as a range.
"""

from __future__ import annotations

from typing import Any

Part = str | bytes | int | None

_NULL, _BYTES, _STR, _INT = b"\x00", b"\x01", b"\x02", b"\x15"
_OFFSET = 1 << 63


def pack(parts: tuple[Part, ...]) -> bytes:
    """Bytes for a tuple; `pack(a) < pack(b)` exactly when `a < b`. Raises OverflowError beyond 64 bits."""
    out = b""
    for part in parts:
        if type(part) is str:
            raw = part.encode("utf-8", "surrogatepass")
            out += _STR + (raw.replace(b"\0", b"\0\xff") if b"\0" in raw else raw) + b"\0"
        elif type(part) is int:
            out += _INT + (part + _OFFSET).to_bytes(8, "big")
        elif type(part) is bytes:
            out += _BYTES + part.replace(b"\0", b"\0\xff") + b"\0"
        elif part is None:
            out += _NULL
        else:
            raise TypeError(f"a key holds str, bytes, int and None, not {type(part).__name__}")
    return out


def unpack(data: bytes, start: int = 0) -> tuple[Any, ...]:
    """The tuple that `pack` made `data[start:]` of."""
    out: list[Any] = []
    at, end = start, len(data)
    while at < end:
        kind = data[at]
        at += 1
        if kind == 0x15:
            out.append(int.from_bytes(data[at : at + 8], "big") - _OFFSET)
            at += 8
        elif kind == 0x00:
            out.append(None)
        else:
            raw, at = _terminated(data, at)
            out.append(raw.decode("utf-8", "surrogatepass") if kind == 0x02 else raw)
    return tuple(out)


def _terminated(data: bytes, at: int) -> tuple[bytes, int]:
    """The escaped run that starts at `at`, and where the next part begins."""
    stop = data.index(b"\0", at)
    if data[stop + 1 : stop + 2] != b"\xff":
        return data[at:stop], stop + 1
    while data[stop + 1 : stop + 2] == b"\xff":
        stop = data.index(b"\0", stop + 2)
    return data[at:stop].replace(b"\0\xff", b"\0"), stop + 1


def after(prefix: bytes) -> bytes:
    """The first key that does not begin with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else b"\xff" * 64


class Space:
    """A prefix of keys. `space("a", 1)` is the space below it; `space.key("a", 1)` is one key in it."""

    __slots__ = ("end", "prefix")

    def __init__(self, *parts: Part, prefix: bytes = b""):
        self.prefix = prefix + pack(parts)
        self.end = self.prefix + b"\xff"  # past every part's first byte, before a last part that goes on with NUL

    def __call__(self, *parts: Part) -> Space:
        return Space(*parts, prefix=self.prefix)

    def key(self, *parts: Part) -> bytes:
        return self.prefix + pack(parts)

    def parts(self, key: bytes) -> tuple[Any, ...]:
        """The tuple of a key of this space, below the prefix."""
        return unpack(key, len(self.prefix))

    def holding(self, text: str) -> tuple[bytes, bytes]:
        """The range of keys whose first part is a str that begins with `text`."""
        raw = text.encode("utf-8", "surrogatepass").replace(b"\0", b"\0\xff")
        start = self.prefix + _STR + raw
        return start, after(start)

    def __repr__(self) -> str:
        return f"Space{unpack(self.prefix)!r}"
