"""Event streams out: results that go on, as frames of `application/vnd.amazon.eventstream`.

A frame: total length, headers' length, CRC32 of these eight bytes, headers, payload, CRC32 of all before (big-endian).
Source: Smithy's "Amazon Event Stream Specification".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any
from zlib import crc32

import orjson

from cloudlet.wire import cborbody, jsonbody, xmlbody
from cloudlet.wire.model import Shape

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING, _BYTES, _LONG = 7, 6, 5


def frame(headers: list[tuple[str, Any]], payload: bytes = b"") -> bytes:
    """One message. Header values are str (or bytes, int)."""
    packed = b"".join(_header(name, value) for name, value in headers)
    total = 16 + len(packed) + len(payload)
    prelude = struct.pack("!II", total, len(packed))
    body = prelude + struct.pack("!I", crc32(prelude)) + packed + payload
    return body + struct.pack("!I", crc32(body))


def exception(code: str, message: str) -> bytes:
    """The frame that ends a stream with an error."""
    headers = [(":message-type", "exception"), (":exception-type", code), (":content-type", "application/json")]
    return frame(headers, orjson.dumps({"message": message}))


def event_writer(shape: Shape, protocol: str) -> Callable[[dict[str, Any]], bytes]:
    """A function from one event, `{"Records": {...}}`, to its frame. `shape` is the union of the stream's events."""
    writers = {name: _payload_writer(member, protocol) for name, member in shape.members.items()}

    def write(event: dict[str, Any]) -> bytes:
        ((name, value),) = event.items()
        headers, payload = writers[name](value)
        return frame([(":message-type", "event"), (":event-type", name), *headers], payload)

    return write


def initial_response(shape: Shape, result: dict[str, Any], protocol: str) -> bytes:
    """The first frame of an RPC protocol's stream: the result's other members."""
    headers, payload = _body_writer(shape, protocol)(result)
    return frame([(":message-type", "event"), (":event-type", "initial-response"), *headers], payload)


def _payload_writer(shape: Shape, protocol: str) -> Callable[[dict[str, Any]], tuple[list[tuple[str, Any]], bytes]]:
    in_headers = [name for name, member in shape.members.items() if member.traits.get("eventheader")]
    payload = next((name for name, member in shape.members.items() if member.traits.get("eventpayload")), None)
    if payload is None:
        return _body_writer(shape, protocol)
    member = shape.members[payload]
    body = _body_writer(member, protocol) if member.type == "structure" else None

    def write(value: dict[str, Any]) -> tuple[list[tuple[str, Any]], bytes]:
        headers: list[tuple[str, Any]] = [(name, value[name]) for name in in_headers if name in value]
        if body:
            more, content = body(value.get(payload) or {})
            return headers + more, content
        given = value.get(payload, b"")
        kind = "application/octet-stream" if isinstance(given, bytes) else "text/plain"
        return [*headers, (":content-type", kind)], given if isinstance(given, bytes) else given.encode()

    return write


def _body_writer(shape: Shape, protocol: str) -> Callable[[dict[str, Any]], tuple[list[tuple[str, Any]], bytes]]:
    if protocol == "rest-xml":
        xml = xmlbody.Writers().writer(shape, shape.traits.get("locationName", shape.name))

        def write_xml(value: dict[str, Any]) -> tuple[list[tuple[str, Any]], bytes]:
            out: list[str] = []
            if shape.members:
                xml(value, out.append)
            return [(":content-type", "text/xml")], "".join(out).encode()

        return write_xml
    if protocol == "smithy-rpc-v2-cbor":
        cbor = cborbody.Writers().writer(shape)
        return lambda value: ([(":content-type", "application/cbor")], cborbody.encode(cbor(value)))
    renamed = protocol == "rest-json"
    json = jsonbody.Writers(renamed).writer(shape)
    kind = "application/json" if renamed else "application/x-amz-json-1.1"
    return lambda value: ([(":content-type", kind)], orjson.dumps(json(value) if json else value))


def _header(name: str, value: Any) -> bytes:
    raw_name = name.encode()
    start = bytes([len(raw_name)]) + raw_name
    if isinstance(value, int):
        return start + struct.pack("!Bq", _LONG, value)
    kind, raw = (_BYTES, value) if isinstance(value, bytes) else (_STRING, str(value).encode())
    return start + struct.pack("!BH", kind, len(raw)) + raw
