"""Form bodies of the query and EC2 protocols: `Attribute.1.Name=...&Attribute.1.Value=...` read into dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from cloudlet.wire.message import Malformed
from cloudlet.wire.model import Shape
from cloudlet.wire.xmlbody import TEXT_READERS

Reader = Callable[[Any], Any]
_MAX_FIELDS = 50_000
_MAX_DEPTH = 50


def decode(body: bytes | str) -> dict[str, str]:
    """The fields of a form. Raises Malformed."""
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"))
    except ValueError:
        raise Malformed("The request is not a well-formed form.", "MalformedQueryString") from None


def tree(fields: dict[str, str]) -> dict[str, Any]:
    """Dotted names as nested dicts; a text that also has children lies under the empty name."""
    root: dict[str, Any] = {}
    for name, text in fields.items():
        node, parts = root, name.split(".")
        if len(parts) > _MAX_DEPTH:
            raise Malformed(f"The parameter name is nested too deep: {name[:100]}", "MalformedQueryString")
        for part in parts[:-1]:
            below = node.setdefault(part, {})
            if not isinstance(below, dict):
                below = node[part] = {"": below}
            node = below
        last = parts[-1]
        if isinstance(node.get(last), dict):
            node[last][""] = text
        else:
            node[last] = text
    return root


class Readers:
    """Makes readers of nodes, each shape's once. `ec2`: names and lists as the EC2 protocol has them."""

    def __init__(self, *, ec2: bool = False):
        self._made: dict[tuple[str, bool], Reader] = {}
        self._ec2 = ec2

    def reader(self, shape: Shape) -> Reader:
        if shape.type not in ("structure", "list", "map"):
            parse = TEXT_READERS[shape.type]
            return lambda node: parse(_text(node))
        cached = (shape.name, shape.flattened)
        made = self._made.get(cached)
        if made is None:
            self._made[cached] = lambda node: self._made[cached](node)
            made = self._made[cached] = getattr(self, "_" + shape.type)(shape)
        return made

    def _name(self, shape: Shape, name: str) -> str:
        member = shape.members[name]
        if self._ec2:
            if "queryName" in member.traits:
                return member.traits["queryName"]
            wire_name = shape.wire_name(name)
            return wire_name[:1].upper() + wire_name[1:]
        if member.type == "list" and member.flattened:
            return member.element.traits.get("locationName", shape.wire_name(name))
        return shape.wire_name(name)

    def _structure(self, shape: Shape) -> Reader:
        members = [(name, self._name(shape, name), self.reader(member)) for name, member in shape.members.items()]

        def read(node: Any) -> dict[str, Any]:
            if not isinstance(node, dict):
                return {}
            return {name: reader(node[wire_name]) for name, wire_name, reader in members if wire_name in node}

        return read

    def _list(self, shape: Shape) -> Reader:
        reader = self.reader(shape.element)
        between = None if shape.flattened or self._ec2 else shape.element.traits.get("locationName", "member")

        def read(node: Any) -> list[Any]:
            if isinstance(node, dict) and between is not None:
                node = node.get(between, node)
            return [reader(child) for child in _numbered(node)]

        return read

    def _map(self, shape: Shape) -> Reader:
        key_name = shape.key.traits.get("locationName", "key")
        value_name = shape.value.traits.get("locationName", "value")
        read_key, read_value = self.reader(shape.key), self.reader(shape.value)
        between = None if shape.flattened or self._ec2 else "entry"

        def read(node: Any) -> dict[str, Any]:
            if isinstance(node, dict) and between is not None:
                node = node.get(between, node)
            out = {}
            for entry in _numbered(node):
                if not isinstance(entry, dict) or key_name not in entry:
                    raise Malformed(f"A map's entry lacks its {key_name}.", "MalformedInput")
                out[read_key(entry[key_name])] = read_value(entry.get(value_name, ""))
            return out

        return read


def _text(node: Any) -> str:
    """A scalar's text, whatever else was given under its name."""
    while isinstance(node, dict):
        node = node.get("", "")
    return node


def _numbered(node: Any) -> list[Any]:
    """The children `1`, `2`, ... in order. An empty text stands for an empty list."""
    if not isinstance(node, dict):
        return []
    numbers = [(int(name), child) for name, child in node.items() if name.isascii() and name.isdigit() and len(name) < 10]
    return [child for _, child in sorted(numbers, key=lambda pair: pair[0])]
