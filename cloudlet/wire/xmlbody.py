"""XML bodies: readers from elements to dicts, and writers that append text to a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from cloudlet.wire import scalars
from cloudlet.wire.message import Malformed
from cloudlet.wire.model import Shape

Append = Callable[[str], Any]
Writer = Callable[[Any, Append], None]
Reader = Callable[[Any], Any]
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def decode(body: bytes) -> ElementTree.Element:
    """The root element, its namespaces dropped. Raises Malformed; a document type is refused, as entities are no data.

    So is a zero byte, which UTF-8 has no use for and in which UTF-16 and UTF-32 would hide the declaration.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or b"\0" in body:
        raise Malformed("A document type declaration is not allowed.", "MalformedXML")
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        raise Malformed(text, "MalformedXML") from None


def local_name(tag: str) -> str:
    return tag[tag.index("}") + 1 :] if tag[:1] == "{" else tag


def escape(text: str) -> str:
    """Text for an element. A carriage return is written as a reference, else parsers would make it a line feed."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if "\r" in text:
        text = text.replace("\r", "&#13;")
    return text


def element_name(shape: Shape, name: str) -> str:
    """What a member's element is called; a flattened list's own name gives way to its elements'."""
    member = shape.members[name]
    if member.type == "list" and member.flattened:
        return member.element.traits.get("locationName", shape.wire_name(name))
    return shape.wire_name(name)


class Readers:
    """Makes readers of elements, each shape's once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], Reader] = {}

    def reader(self, shape: Shape) -> Reader:
        if shape.type not in ("structure", "list", "map"):
            parse = TEXT_READERS[shape.type]
            return lambda element: parse(element.text or "")
        cached = (shape.name, shape.flattened)
        made = self._made.get(cached)
        if made is None:
            self._made[cached] = lambda element: self._made[cached](element)
            made = self._made[cached] = getattr(self, "_" + shape.type)(shape)
        return made

    def _structure(self, shape: Shape) -> Reader:
        elements: dict[str, tuple[str, Reader, bool]] = {}
        attributes: dict[str, tuple[str, str]] = {}
        for name, member in shape.members.items():
            wire_name = shape.wire_name(name)
            if member.traits.get("xmlAttribute"):
                attributes[wire_name.split(":")[-1]] = (name, wire_name)
                continue
            repeated = member.flattened and member.type in ("list", "map")
            if repeated and member.type == "list":
                elements[wire_name] = (name, self.reader(member.element), True)
                elements.setdefault(element_name(shape, name), elements[wire_name])
            else:
                elements[wire_name] = (name, self.reader(member), repeated)

        def read(element: ElementTree.Element) -> dict[str, Any]:
            out: dict[str, Any] = {}
            for attribute, text in element.attrib.items():
                if found := attributes.get(local_name(attribute)):
                    out[found[0]] = text
            for child in element:
                known = elements.get(local_name(child.tag))
                if known is None:
                    continue
                name, reader, repeated = known
                if repeated:
                    _extend(out, name, reader(child))
                else:
                    out[name] = reader(child)
            return out

        return read

    def _list(self, shape: Shape) -> Reader:
        reader = self.reader(shape.element)
        return lambda element: [reader(child) for child in element]

    def _map(self, shape: Shape) -> Reader:
        key_name = shape.key.traits.get("locationName", "key")
        value_name = shape.value.traits.get("locationName", "value")
        read_value = self.reader(shape.value)

        def entry(element: ElementTree.Element) -> tuple[str, Any]:
            parts = {local_name(child.tag): child for child in element}
            if key_name not in parts or value_name not in parts:
                raise Malformed("A map's entry lacks its key or value.", "MalformedXML")
            return parts[key_name].text or "", read_value(parts[value_name])

        if shape.flattened:
            return lambda element: dict([entry(element)])
        return lambda element: dict(entry(child) for child in element)


def _extend(out: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, dict) and isinstance(out.get(name), dict):
        out[name].update(value)
    elif isinstance(out.get(name), list):
        out[name].append(value)
    else:
        out[name] = [value]


TEXT_READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "character": str,
    "integer": scalars.parse_integer,
    "long": scalars.parse_integer,
    "bigint": scalars.parse_integer,
    "float": scalars.parse_float,
    "double": scalars.parse_float,
    "boolean": scalars.parse_boolean,
    "timestamp": scalars.parse_timestamp,
    "blob": scalars.parse_blob,
}


class Writers:
    """Makes writers, each shape's once for each name it is written under.

    timestamp: how timestamps without a format of their own are written. ec2: lists are named as the EC2 protocol has it.
    """

    def __init__(self, timestamp: Callable[[int], str] = scalars.iso8601, *, ec2: bool = False):
        self._made: dict[tuple[str, str, bool], Writer] = {}
        self._timestamp = timestamp
        self._ec2 = ec2

    def writer(self, shape: Shape, name: str) -> Writer:
        """A writer of `shape` as an element called `name` (flattened: as many of them)."""
        if shape.type not in ("structure", "list", "map"):
            return self._scalar(shape, name)
        cached = (shape.name, name, shape.flattened)
        made = self._made.get(cached)
        if made is None:
            self._made[cached] = lambda value, append: self._made[cached](value, append)
            made = self._made[cached] = getattr(self, "_" + shape.type)(shape, name)
        return made

    def content(self, shape: Shape) -> Writer:
        """A writer of a structure's members alone, without an element around them.

        It is generated as source, a line or two a member, as a listing's thousand entries spend their time here.
        """
        lines = ["def write(value, append):", "    get = value.get"]
        names: dict[str, Any] = {}
        for number, (name, member) in enumerate(shape.members.items()):
            if member.location or member.traits.get("xmlAttribute"):
                continue
            lines += [f"    v = get({name!r})", "    if v is not None:"]
            element = element_name(shape, name)
            opening, closing = f"<{element}>", f"</{element}>"
            if member.type in ("structure", "list", "map"):
                names[f"write_{number}"] = self.writer(member, element)
                lines.append(f"        write_{number}(v, append)")
            else:
                names[f"text_{number}"] = self.text(member)
                whole = f"{opening!r} + text_{number}(v) + {closing!r}"
                if member.type == "string" and member.traits.get("enum"):
                    names[f"known_{number}"] = {v: opening + escape(v) + closing for v in member.traits["enum"]}
                    whole = f"known_{number}.get(v) or {whole}"
                lines.append(f"        append({whole})")
        exec("\n".join(lines), names)  # the text is made of the model's names alone, each as a literal
        write: Writer = names["write"]
        return write

    def text(self, shape: Shape) -> Callable[[Any], str]:
        """How a scalar reads as an element's text."""
        if shape.type == "timestamp":
            return TIMESTAMPS.get(shape.traits.get("timestampFormat", ""), self._timestamp)
        return _TEXT.get(shape.type, str)

    def _scalar(self, shape: Shape, name: str) -> Writer:
        opening, closing, text = f"<{name}>", f"</{name}>", self.text(shape)
        return lambda value, append: append(opening + text(value) + closing)

    def _structure(self, shape: Shape, name: str) -> Writer:
        content, closing = self.content(shape), f"</{name}>"
        attributes = [(n, shape.wire_name(n)) for n, m in shape.members.items() if m.traits.get("xmlAttribute")]
        plain = f"<{name}>"

        def write(value: Any, append: Append) -> None:
            if attributes:
                pairs = [(wire_name, value[n]) for n, wire_name in attributes if value.get(n) is not None]
                declared = f' xmlns:xsi="{_XSI}"' if any(w.startswith("xsi:") for w, _ in pairs) else ""
                append(f"<{name}{declared}" + "".join(f' {w}="{escape(v)}"' for w, v in pairs) + ">")
            else:
                append(plain)
            content(value, append)
            append(closing)

        return write

    def _list(self, shape: Shape, name: str) -> Writer:
        flattened = shape.flattened
        item = name if flattened else shape.element.traits.get("locationName", "item" if self._ec2 else "member")
        element = self.writer(shape.element, item)

        def write_flat(value: Any, append: Append) -> None:
            for given in value:
                element(given, append)

        def write(value: Any, append: Append) -> None:
            append(f"<{name}>")
            write_flat(value, append)
            append(f"</{name}>")

        return write_flat if flattened else write

    def _map(self, shape: Shape, name: str) -> Writer:
        key = self.writer(shape.key, shape.key.traits.get("locationName", "key"))
        item = self.writer(shape.value, shape.value.traits.get("locationName", "value"))
        entry = name if shape.flattened else "entry"

        def write_flat(value: Any, append: Append) -> None:
            for k, v in value.items():
                append(f"<{entry}>")
                key(k, append)
                item(v, append)
                append(f"</{entry}>")

        def write(value: Any, append: Append) -> None:
            append(f"<{name}>")
            write_flat(value, append)
            append(f"</{name}>")

        return write_flat if shape.flattened else write


TIMESTAMPS: dict[str, Callable[[int], str]] = {
    "iso8601": scalars.iso8601,
    "rfc822": scalars.http_date,
    "unixTimestamp": lambda instant: str(scalars.epoch(instant)),
}
_TEXT: dict[str, Callable[[Any], str]] = {
    "string": escape,
    "character": escape,
    "float": scalars.format_float,
    "double": scalars.format_float,
    "boolean": scalars.format_boolean,
    "blob": scalars.format_blob,
}
