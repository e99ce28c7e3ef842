"""The model's constraints, compiled per shape: required members, lengths, ranges, patterns, enumerations.

A checker appends a Violation for each broken constraint, in the order in which AWS names them: a structure's missing members
first, then its members as the model lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from cloudlet.wire.model import Shape

Checker = Callable[[Any, str, list["Violation"]], None]


class Violation(NamedTuple):
    """path: `entries.1.member.id`, in AWS's spelling. kind: required, length, range, pattern or enum. member: its name."""

    value: Any
    path: str
    kind: str
    constraint: str
    member: str


def summary(violations: Iterable[Violation]) -> str:
    """AWS's text for broken constraints."""
    texts = []
    for v in violations:
        shown = "null" if v.kind == "required" else f"'{_shown(v.value)}'"
        texts.append(f"Value {shown} at '{v.path}' failed to satisfy constraint: {v.constraint}")
    count = len(texts)
    return f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(texts)}"


class Checkers:
    """Makes checkers, each shape's once; None for a shape without constraints."""

    def __init__(self) -> None:
        self._made: dict[str, Checker | None] = {}

    def checker(self, shape: Shape) -> Checker | None:
        if shape.type not in ("structure", "list", "map"):
            return _scalar(shape)
        if shape.name not in self._made:
            self._made[shape.name] = lambda value, path, out: self._again(shape.name, value, path, out)
            self._made[shape.name] = getattr(self, "_" + shape.type)(shape)
        return self._made[shape.name]

    def _again(self, name: str, value: Any, path: str, out: list[Violation]) -> None:
        if checker := self._made[name]:
            checker(value, path, out)

    def _structure(self, shape: Shape) -> Checker | None:
        required = shape.required
        checkers = {name: checker for name, member in shape.members.items() if (checker := self.checker(member))}
        if not required and not checkers:
            return None

        def check(value: Any, path: str, out: list[Violation]) -> None:
            for name in required:
                if name not in value:
                    out.append(Violation(None, _below(path, name), "required", "Member must not be null", name))
            for name, checker in checkers.items():
                given = value.get(name)
                if given is not None:
                    checker(given, _below(path, name), out)

        return check

    def _list(self, shape: Shape) -> Checker | None:
        size, element = _length(shape), self.checker(shape.element)
        if not size and not element:
            return None

        def check(value: Any, path: str, out: list[Violation]) -> None:
            if size:
                size(value, path, out)
            if element:
                for number, given in enumerate(value, 1):
                    if given is not None:
                        element(given, f"{path}.{number}.member", out)

        return check

    def _map(self, shape: Shape) -> Checker | None:
        size, key, item = _length(shape), self.checker(shape.key), self.checker(shape.value)
        if not (size or key or item):
            return None

        def check(value: Any, path: str, out: list[Violation]) -> None:
            if size:
                size(value, path, out)
            for name, given in value.items():
                if key:
                    key(name, path, out)
                if item and given is not None:
                    item(given, f"{path}.{name}.member", out)

        return check


def _below(path: str, name: str) -> str:
    spelled = name[:1].lower() + name[1:]
    return f"{path}.{spelled}" if path else spelled


def _member(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    if isinstance(value, (list, dict)):
        return "[]" if not value else str(value)
    return str(value)


def _scalar(shape: Shape) -> Checker | None:
    checks = [check for check in (_length(shape), _range(shape), _pattern(shape), _enum(shape)) if check]
    if not checks or shape.streaming:
        return None
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, path: str, out: list[Violation]) -> None:
        for one in checks:
            one(value, path, out)

    return check


def _length(shape: Shape) -> Checker | None:
    if shape.type not in ("string", "blob", "list", "map"):
        return None
    least, most = shape.traits.get("min"), shape.traits.get("max")
    if not least and most is None:
        return None

    def check(value: Any, path: str, out: list[Violation]) -> None:
        if most is not None and len(value) > most:
            text = f"Member must have length less than or equal to {most}"
            out.append(Violation(value, path, "length", text, _member(path)))
        elif least and len(value) < least:
            text = f"Member must have length greater than or equal to {least}"
            out.append(Violation(value, path, "length", text, _member(path)))

    return check


def _range(shape: Shape) -> Checker | None:
    if shape.type not in ("integer", "long", "float", "double"):
        return None
    least, most = shape.traits.get("min"), shape.traits.get("max")
    if least is None and most is None:
        return None

    def check(value: Any, path: str, out: list[Violation]) -> None:
        if most is not None and value > most:
            text = f"Member must have value less than or equal to {most}"
            out.append(Violation(value, path, "range", text, _member(path)))
        elif least is not None and value < least:
            text = f"Member must have value greater than or equal to {least}"
            out.append(Violation(value, path, "range", text, _member(path)))

    return check


def _pattern(shape: Shape) -> Checker | None:
    pattern = shape.traits.get("pattern")
    if pattern is None or shape.type != "string":
        return None
    try:
        match = re.compile(_python_pattern(pattern)).fullmatch
    except re.error:
        return None  # Java's dialect has classes that Python's lacks

    def check(value: Any, path: str, out: list[Violation]) -> None:
        if not match(value):
            text = f"Member must satisfy regular expression pattern: {pattern}"
            out.append(Violation(value, path, "pattern", text, _member(path)))

    return check


def _python_pattern(pattern: str) -> str:
    for java, python in (
        ("\\p{Alnum}", "a-zA-Z0-9"),
        ("\\p{Alpha}", "a-zA-Z"),
        ("\\p{Digit}", "0-9"),
        ("\\p{ASCII}", "\\x00-\\x7F"),
    ):
        pattern = pattern.replace(java, python)
    return pattern


def _enum(shape: Shape) -> Checker | None:
    values = shape.traits.get("enum")
    if not values or shape.type != "string":
        return None
    allowed, text = frozenset(values), f"Member must satisfy enum value set: [{', '.join(values)}]"

    def check(value: Any, path: str, out: list[Violation]) -> None:
        if value not in allowed:
            out.append(Violation(value, path, "enum", text, _member(path)))

    return check
