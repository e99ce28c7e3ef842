"""What REST protocols carry outside of the body: members in the path, the query, headers and the status."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from cloudlet.wire import scalars
from cloudlet.wire.message import Malformed, Request
from cloudlet.wire.model import Shape
from cloudlet.wire.uris import group_name
from cloudlet.wire.xmlbody import TEXT_READERS, TIMESTAMPS

_is_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*").fullmatch  # what a header's name may be made of
Placer = Callable[[Request, dict[str, str], dict[str, Any]], None]
HeaderWriter = Callable[[dict[str, Any], list[tuple[str, str]]], None]


def reader(shape: Shape) -> Callable[[Request, dict[str, str], dict[str, Any]], None]:
    """A function (request, path labels, out) that puts the members found outside of the body into `out`."""
    placers = [placer for name, member in shape.members.items() if (placer := _placer(shape, name, member))]

    def read(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
        for place in placers:
            place(request, labels, out)

    return read


def _placer(shape: Shape, name: str, member: Shape) -> Placer | None:
    wire_name = shape.wire_name(name)
    if member.location == "uri":
        return _label(name, wire_name, member)
    if member.location == "querystring":
        return _query(name, wire_name, member)
    if member.location == "header":
        return _header(name, wire_name.lower(), member)
    if member.location == "headers":
        return _prefixed_headers(name, wire_name.lower())
    return None


def _label(name: str, wire_name: str, member: Shape) -> Placer:
    parse, group = TEXT_READERS[member.type], group_name(wire_name)

    def place(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
        raw = labels.get(group)
        if raw is not None:
            try:
                out[name] = parse(unquote(raw, errors="strict") if "%" in raw else raw)
            except UnicodeDecodeError:
                raise Malformed("Couldn't parse the specified URI.", "InvalidURI") from None

    return place


def _query(name: str, wire_name: str, member: Shape) -> Placer:
    if member.type == "list":
        parse_element = TEXT_READERS[member.element.type]

        def place_list(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
            if wire_name in request.query:
                out[name] = [parse_element(text) for key, text in request.pairs if key == wire_name]

        return place_list
    if member.type == "map":
        many = member.value.type == "list"

        def place_map(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
            known = {m.traits.get("locationName") for m in member.model.use({"shape": member.name}).members.values()}
            found: dict[str, Any] = {}
            for key, text in request.pairs:
                if key not in known:
                    if many:
                        found.setdefault(key, []).append(text)
                    else:
                        found[key] = text
            if found:
                out[name] = found

        return place_map
    parse = TEXT_READERS[member.type]

    def place(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
        text = request.query.get(wire_name)
        if text is not None:
            out[name] = parse(text)

    return place


def _header(name: str, wire_name: str, member: Shape) -> Placer:
    if member.traits.get("jsonvalue"):
        parse: Callable[[str], Any] = _json_text
    elif member.type == "list":
        parse_element = TEXT_READERS[member.element.type]
        dates = member.element.type == "timestamp"
        parse = lambda text: [parse_element(part) for part in _split(text, dates)]  # noqa: E731
    else:
        parse = TEXT_READERS[member.type]

    def place(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
        text = request.headers.get(wire_name)
        if text is not None:
            out[name] = parse(text)

    return place


def _json_text(text: str) -> str:
    try:
        return scalars.parse_blob(text).decode()
    except UnicodeDecodeError:
        raise Malformed("Invalid base64 text") from None


def _prefixed_headers(name: str, prefix: str) -> Placer:
    length = len(prefix)

    def place(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
        found = {key[length:]: text for key, text in request.headers.items() if key.startswith(prefix)}
        if found:
            out[name] = found

    return place


def _split(text: str, dates: bool) -> list[str]:
    """A header's list: commas part it, except within quotes and after a date's day."""
    if dates:
        words = [word.strip() for word in text.split(",")]
        return [", ".join(words[i : i + 2]) for i in range(0, len(words), 2)]
    parts, current, quoted = [], "", False
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif letter == "," and not quoted:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [*parts, current.strip()] if text.strip() else []


def header_writer(shape: Shape) -> HeaderWriter:
    """A function (result, headers) that appends the members that travel as headers."""
    single: dict[str, tuple[str, Callable[[Any], str]]] = {}
    prefixed: list[tuple[str, str]] = []
    for name, member in shape.members.items():
        if member.location == "header":
            single[name] = shape.wire_name(name), _header_text(member)
        elif member.location == "headers":
            prefixed.append((name, shape.wire_name(name)))

    def write(result: dict[str, Any], headers: list[tuple[str, str]]) -> None:
        for name, value in result.items():
            if value is not None and name in single:
                wire_name, text = single[name]
                headers.append((wire_name, text(value)))
        for name, prefix in prefixed:
            headers.extend((prefix + key, value) for key, value in (result.get(name) or {}).items() if _is_token(key))

    return write


def _header_text(member: Shape) -> Callable[[Any], str]:
    if member.type == "timestamp":
        return TIMESTAMPS[member.traits.get("timestampFormat", "rfc822")]
    if member.type == "list":
        element = _header_text(member.element)
        return lambda value: ",".join(_quoted(element(part)) for part in value)
    if member.traits.get("jsonvalue"):
        return lambda value: scalars.format_blob(value.encode())
    return _HEADER_TEXT.get(member.type, str)


_HEADER_TEXT: dict[str, Callable[[Any], str]] = {
    "boolean": scalars.format_boolean,
    "blob": scalars.format_blob,
    "float": scalars.format_float,
    "double": scalars.format_float,
}


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text and text[3:5] != ", " else text
