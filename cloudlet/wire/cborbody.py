"""CBOR bodies: Smithy's RPC v2 CBOR protocol, and the older `application/x-amz-cbor-1.1` of Kinesis clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cbor2

from cloudlet.wire import scalars
from cloudlet.wire.message import Malformed
from cloudlet.wire.model import Shape

Reader = Callable[[Any], Any]


def decode(body: bytes) -> dict[str, Any]:
    """The map of a body; {} for an empty one. Raises Malformed."""
    if not body:
        return {}
    try:
        value = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, RecursionError, TypeError):
        raise Malformed("The request body is not valid CBOR.") from None
    if not isinstance(value, dict):
        raise Malformed("The request body must be a CBOR map.")
    return value


def encode(value: Any) -> bytes:
    return cbor2.dumps(value)


class Readers:
    """Makes readers that check types; each shape's once."""

    def __init__(self) -> None:
        self._made: dict[str, Reader] = {}

    def reader(self, shape: Shape) -> Reader:
        scalar = _SCALARS.get(shape.type)
        if scalar:
            return scalar
        made = self._made.get(shape.name)
        if made is None:
            self._made[shape.name] = lambda value: self._made[shape.name](value)
            made = self._made[shape.name] = getattr(self, "_" + shape.type)(shape)
        return made

    def _structure(self, shape: Shape) -> Reader:
        readers = {name: self.reader(member) for name, member in shape.members.items()}

        def read(value: Any) -> Any:
            given = _expect(value, dict)
            return {name: readers[name](item) for name, item in given.items() if item is not None and name in readers}

        return read

    def _list(self, shape: Shape) -> Reader:
        reader = self.reader(shape.element)
        return lambda value: [None if item is None else reader(item) for item in _expect(value, list)]

    def _map(self, shape: Shape) -> Reader:
        reader = self.reader(shape.value)
        return lambda value: {
            _expect(key, str): None if item is None else reader(item) for key, item in _expect(value, dict).items()
        }


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise Malformed(f"Unexpected value of type {type(value).__name__} in the request body.")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"Expected an integer, not {type(value).__name__}.")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed(f"Expected a number, not {type(value).__name__}.")
    return value


_SCALARS: dict[str, Reader] = {
    "string": lambda value: _expect(value, str),
    "character": lambda value: _expect(value, str),
    "integer": _integer,
    "long": _integer,
    "bigint": _integer,
    "float": _number,
    "double": _number,
    "boolean": lambda value: _expect(value, bool),
    "timestamp": scalars.parse_timestamp,
    "blob": lambda value: _expect(value, bytes),
}


class Writers:
    """Makes functions that turn a result into what the encoder takes; timestamps get CBOR's tag 1."""

    def __init__(self) -> None:
        self._made: dict[str, Reader] = {}

    def writer(self, shape: Shape) -> Reader:
        if shape.type == "timestamp":
            return lambda value: cbor2.CBORTag(1, value / 1000)
        if shape.type in ("float", "double"):
            return float
        if shape.type not in ("structure", "list", "map"):
            return lambda value: value
        made = self._made.get(shape.name)
        if made is None:
            self._made[shape.name] = lambda value: self._made[shape.name](value)
            made = self._made[shape.name] = getattr(self, "_" + shape.type)(shape)
        return made

    def _structure(self, shape: Shape) -> Reader:
        writers = {name: self.writer(member) for name, member in shape.members.items()}
        return lambda value: {
            name: writers[name](item) if name in writers else item for name, item in value.items() if item is not None
        }

    def _list(self, shape: Shape) -> Reader:
        writer = self.writer(shape.element)
        return lambda value: [None if item is None else writer(item) for item in value]

    def _map(self, shape: Shape) -> Reader:
        writer = self.writer(shape.value)
        return lambda value: {key: None if item is None else writer(item) for key, item in value.items()}
