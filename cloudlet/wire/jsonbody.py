"""JSON bodies: a reader and a writer per shape.

A reader checks types and converts timestamps and blobs in place, so a body without these comes out as the very object
the decoder made. A writer returns a value that the encoder can take; where a shape needs no conversion it is None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cloudlet.wire import scalars
from cloudlet.wire.message import Malformed
from cloudlet.wire.model import Shape

Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]


def decode(body: bytes) -> dict[str, Any]:
    """The object of a body; {} for an empty one. Raises Malformed."""
    if not body:
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("The request body is not valid JSON.") from None
    if type(value) is not dict:
        raise Malformed("Unexpected token: the request body must be a JSON object.")
    return value


class Readers:
    """Makes readers, each shape's once: recursive shapes refer to themselves through the cache."""

    def __init__(self, renamed: bool = False):
        self._made: dict[tuple[str, Any], Reader] = {}
        self._renamed = renamed

    def reader(self, shape: Shape) -> Reader:
        scalar = _SCALARS.get(shape.type)
        if scalar:
            return scalar
        cached = (shape.name, shape.traits.get("document"))
        made = self._made.get(cached)
        if made is None:
            self._made[cached] = lambda value: self._made[cached](value)  # until the shape itself is made
            made = self._made[cached] = getattr(self, "_" + shape.type)(shape)
        return made

    def _structure(self, shape: Shape) -> Reader:
        if shape.traits.get("document"):
            return lambda value: value
        if self._renamed and any(shape.wire_name(member) != member for member in shape.members):
            return self._renaming_structure(shape)
        readers = {name: self.reader(member) for name, member in shape.members.items()}
        find = readers.get

        def read(value: Any) -> Any:
            if type(value) is not dict:
                raise Malformed(_unexpected(value, "structure"))
            absent = False
            for name, given in value.items():
                if given is None:
                    absent = True
                elif reader := find(name):
                    taken = reader(given)
                    if taken is not given:
                        value[name] = taken
            if absent:
                return {name: given for name, given in value.items() if given is not None}
            return value

        return read

    def _renaming_structure(self, shape: Shape) -> Reader:
        readers = {shape.wire_name(name): (name, self.reader(member)) for name, member in shape.members.items()}

        def read(value: Any) -> Any:
            if type(value) is not dict:
                raise Malformed(_unexpected(value, "structure"))
            return {
                readers[given][0]: readers[given][1](item)
                for given, item in value.items()
                if item is not None and given in readers
            }

        return read

    def _list(self, shape: Shape) -> Reader:
        read_element = self.reader(shape.element)

        def read(value: Any) -> Any:
            if type(value) is not list:
                raise Malformed(_unexpected(value, "list"))
            for index, given in enumerate(value):
                if given is not None:
                    taken = read_element(given)
                    if taken is not given:
                        value[index] = taken
            return value

        return read

    def _map(self, shape: Shape) -> Reader:
        read_value = self.reader(shape.value)

        def read(value: Any) -> Any:
            if type(value) is not dict:
                raise Malformed(_unexpected(value, "map"))
            for key, given in value.items():
                if given is not None:
                    taken = read_value(given)
                    if taken is not given:
                        value[key] = taken
            return value

        return read


def _string(value: Any) -> Any:
    if type(value) is not str:
        raise Malformed(_unexpected(value, "String"))
    return value


def _integer(value: Any) -> Any:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Malformed(_unexpected(value, "Integer"))


def _long(value: Any) -> Any:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Malformed(_unexpected(value, "Long"))


def _float(value: Any) -> Any:
    if type(value) is int or type(value) is float:
        return value
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise Malformed(_unexpected(value, "Double"))


def _boolean(value: Any) -> Any:
    if type(value) is not bool:
        raise Malformed(_unexpected(value, "Boolean"))
    return value


_SCALARS: dict[str, Reader] = {
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _long,
    "bigint": _long,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": scalars.parse_timestamp,
    "blob": scalars.parse_blob,
}


def _unexpected(value: Any, wanted: str) -> str:
    """AWS's words for a value of the wrong JSON type."""
    if isinstance(value, dict):
        return "Start of structure or map found where not expected."
    if isinstance(value, list):
        return "Start of list found where not expected"
    if wanted in ("structure", "map", "list"):
        return f"Unexpected value type in payload: expected a {wanted}"
    kind = "TRUE_VALUE" if value is True else "FALSE_VALUE" if value is False else "STRING_VALUE"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        kind = "DECIMAL_VALUE" if isinstance(value, float) else "NUMBER_VALUE"
    return f"{kind} cannot be converted to {wanted}"


class Writers:
    """Makes writers; None stands for "as it is"."""

    def __init__(self, renamed: bool = False):
        self._made: dict[tuple[str, Any], Writer | None] = {}
        self._renamed = renamed

    def writer(self, shape: Shape) -> Writer | None:
        if shape.type == "timestamp":
            return _TIMESTAMPS[shape.traits.get("timestampFormat", "unixTimestamp")]
        if shape.type == "blob":
            return scalars.format_blob
        if shape.type not in ("structure", "list", "map") or shape.traits.get("document"):
            return _finite if shape.type in ("float", "double") else None
        cached = (shape.name, shape.traits.get("eventstream"))
        if cached not in self._made:
            self._made[cached] = lambda value: self._again(cached, value)
            self._made[cached] = getattr(self, "_" + shape.type)(shape)
        return self._made[cached]

    def _again(self, cached: tuple[str, Any], value: Any) -> Any:
        writer = self._made[cached]
        return writer(value) if writer else value

    def _structure(self, shape: Shape) -> Writer | None:
        writers: dict[str, tuple[str, Writer | None]] = {}
        plain = True
        for name, member in shape.members.items():
            wire_name = shape.wire_name(name) if self._renamed else name
            writer = self.writer(member)
            plain = plain and wire_name == name and writer is None
            writers[name] = (wire_name, writer)
        if plain:
            return None

        def write(value: Any) -> Any:
            out = {}
            for name, given in value.items():
                if given is None:
                    continue
                wire_name, writer = writers.get(name, (name, None))
                out[wire_name] = writer(given) if writer else given
            return out

        return write

    def _list(self, shape: Shape) -> Writer | None:
        writer = self.writer(shape.element)
        return (lambda value: [None if given is None else writer(given) for given in value]) if writer else None

    def _map(self, shape: Shape) -> Writer | None:
        writer = self.writer(shape.value)
        return (lambda value: {key: None if given is None else writer(given) for key, given in value.items()}) if writer else None


_TIMESTAMPS: dict[str, Writer] = {
    "unixTimestamp": scalars.epoch,
    "iso8601": scalars.iso8601_short,
    "rfc822": scalars.http_date,
}


def _finite(value: Any) -> Any:
    return value if isinstance(value, int) or value - value == 0 else scalars.format_float(value)
