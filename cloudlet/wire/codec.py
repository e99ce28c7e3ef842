"""The protocols put together: for one operation and one protocol, `parse` makes the dict and `serialise` the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cloudlet.wire import cborbody, eventstream, jsonbody, querybody, rest, scalars, xmlbody
from cloudlet.wire.message import Malformed, Request, Response
from cloudlet.wire.model import Model, Operation, Shape
from cloudlet.wire.overlay import Overlay, Rejected
from cloudlet.wire.validation import Checkers, Violation

Labels = dict[str, str]
Parse = Callable[[Request, Labels], dict[str, Any]]
Serialise = Callable[[dict[str, Any], str], Response]
_JSON_TYPES = {
    "json-1.0": "application/x-amz-json-1.0",
    "json": "application/x-amz-json-1.1",
    "amz-cbor-1.1": "application/x-amz-cbor-1.1",
}


class Codec:
    """parse(request, labels) -> dict, raising Malformed or Rejected; serialise(result, request_id) -> Response."""

    def __init__(self, model: Model, overlay: Overlay, operation: Operation, protocol: str):
        self.operation = operation
        self.protocol = protocol
        self._read = _parser(operation, protocol, overlay)
        self._dialect = overlay.dialect
        self._check = Checkers().checker(operation.input) if operation.input and overlay.dialect else None
        self.serialise = _serialiser(model, overlay, operation, protocol)

    def parse(self, request: Request, labels: Labels) -> dict[str, Any]:
        violations: list[Violation] = []
        try:
            req = self._read(request, labels)
            if self._check:
                self._check(req, "", violations)
        except RecursionError:
            raise Malformed("The request body is nested too deep.") from None
        if violations and self._dialect and (told := self._dialect(self.operation.name, violations)):
            raise Rejected(*told)
        return req


def _parser(operation: Operation, protocol: str, overlay: Overlay) -> Parse:
    shape, path_member = operation.input, overlay.path_member
    if shape is None:
        return lambda request, labels: {}
    if protocol in ("query", "ec2"):
        read_form = querybody.Readers(ec2=protocol == "ec2").reader(shape)

        def parse_form(request: Request, labels: Labels) -> dict[str, Any]:
            fields = querybody.decode(request.body) if request.body else dict(request.pairs)
            req = read_form(querybody.tree(fields))
            if path_member in shape.members and path_member not in req and request.path != "/":
                req[path_member] = f"http://{request.headers.get('host', 'localhost')}{request.path}"
            return req

        return parse_form
    if protocol in ("smithy-rpc-v2-cbor", "amz-cbor-1.1"):
        read_cbor = cborbody.Readers().reader(shape)
        return lambda request, labels: read_cbor(cborbody.decode(request.body))
    if protocol.startswith("rest-"):
        return _rest_parser(shape, protocol, overlay, overlay.body_members.get(operation.name))
    read_json = jsonbody.Readers().reader(shape)
    return lambda request, labels: read_json(jsonbody.decode(request.body))


def _rest_parser(shape: Shape, protocol: str, overlay: Overlay, body_member: str | None) -> Parse:
    place = rest.reader(shape)
    read_body = _rest_body(shape, protocol)

    def parse(request: Request, labels: Labels) -> dict[str, Any]:
        out: dict[str, Any] = {}
        try:
            place(request, labels, out)
        except Malformed as error:
            raise error.called(overlay.malformed_head) from None
        try:
            read_body(request, out)
        except Malformed as error:
            raise (Malformed(overlay.malformed_body[1], overlay.malformed_body[0]) if overlay.malformed_body else error) from None
        if body_member:
            out[body_member] = request.body
        return out

    return parse


def _rest_body(shape: Shape, protocol: str) -> Callable[[Request, dict[str, Any]], None]:
    payload = shape.traits.get("payload")
    if payload:
        member = shape.members[payload]
        if member.type not in ("structure", "list", "map"):
            return lambda request, out: _raw_payload(payload, member, request, out)
        if protocol == "rest-json":
            read_json = jsonbody.Readers(renamed=True).reader(member)
            return lambda request, out: _put(out, payload, read_json(jsonbody.decode(request.body)) if request.body else None)
        read_xml = xmlbody.Readers().reader(member)
        return lambda request, out: _put(out, payload, read_xml(xmlbody.decode(request.body)) if request.body else None)
    if all(member.location for member in shape.members.values()):
        return lambda request, out: None
    if protocol == "rest-json":
        read_body = jsonbody.Readers(renamed=True).reader(shape)
        return lambda request, out: out.update(_without_located(shape, read_body(jsonbody.decode(request.body))))
    read_root = xmlbody.Readers().reader(shape)
    return lambda request, out: (
        out.update(_without_located(shape, read_root(xmlbody.decode(request.body)))) if request.body else None
    )


def _raw_payload(name: str, member: Shape, request: Request, out: dict[str, Any]) -> None:
    if member.streaming:
        out[name] = request.body
    elif request.body:
        out[name] = request.body.decode("utf-8", "replace") if member.type == "string" else request.body


def _put(out: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        out[name] = value


def _without_located(shape: Shape, found: dict[str, Any]) -> dict[str, Any]:
    """A body cannot set what belongs into the path, the query or a header."""
    members = shape.members
    return {name: value for name, value in found.items() if name in members and not members[name].location}


def _serialiser(model: Model, overlay: Overlay, operation: Operation, protocol: str) -> Serialise:
    stream = _event_member(operation.output)
    if stream:
        return _stream_serialiser(overlay, operation, protocol, stream)
    if protocol in ("query", "ec2"):
        return _form_serialiser(model, overlay, operation, protocol)
    if protocol == "smithy-rpc-v2-cbor":
        return _cbor_serialiser(overlay, operation)
    if protocol.startswith("rest-"):
        return _rest_serialiser(model, overlay, operation, protocol)
    return _json_serialiser(overlay, operation, protocol)


def _json_serialiser(overlay: Overlay, operation: Operation, protocol: str) -> Serialise:
    binary = protocol == "amz-cbor-1.1"
    kind = ("Content-Type", _JSON_TYPES[protocol])
    writer: Callable[[Any], Any] | None = None
    if operation.output:
        writer = cborbody.Writers().writer(operation.output) if binary else jsonbody.Writers().writer(operation.output)
    encode = cborbody.encode if binary else orjson.dumps

    def serialise(result: dict[str, Any], request_id: str) -> Response:
        body = encode(writer(result) if writer else result)
        return Response(200, [(overlay.request_id, request_id), kind], body)

    def without_body(result: dict[str, Any], request_id: str) -> Response:
        return Response(200, [(overlay.request_id, request_id), kind], b"")

    return serialise if operation.output else without_body


def _cbor_serialiser(overlay: Overlay, operation: Operation) -> Serialise:
    writer = cborbody.Writers().writer(operation.output) if operation.output else None
    fixed = [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")]

    def serialise(result: dict[str, Any], request_id: str) -> Response:
        body = cborbody.encode(writer(result or {})) if writer else b""
        return Response(200, [(overlay.request_id, request_id), *fixed], body)

    return serialise


def _form_serialiser(model: Model, overlay: Overlay, operation: Operation, protocol: str) -> Serialise:
    ec2 = protocol == "ec2"
    writers = xmlbody.Writers(scalars.iso8601 if ec2 else scalars.iso8601_short, ec2=ec2)
    content = writers.content(operation.output) if operation.output else None
    namespace = overlay.xml_namespace or model.metadata.get("xmlNamespace") or f"http://{model.name}.amazonaws.com/doc/"
    opening = f'{xmlbody.DECLARATION}<{operation.name}Response xmlns="{namespace}">'
    wrapper = operation.result_wrapper or (f"{operation.name}Result" if operation.output and not ec2 else None)

    def serialise(result: dict[str, Any], request_id: str) -> Response:
        out = [opening]
        if ec2:
            out.append(f"<requestId>{request_id}</requestId>")
        if wrapper:
            out.append(f"<{wrapper}>")
        if content:
            content(result or {}, out.append)
        if wrapper:
            out.append(f"</{wrapper}>")
        if not ec2:
            out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
        out.append(f"</{operation.name}Response>")
        headers = [(overlay.request_id, request_id), ("Content-Type", "text/xml")]
        return Response(200, headers, "".join(out).encode())

    return serialise


def _rest_serialiser(model: Model, overlay: Overlay, operation: Operation, protocol: str) -> Serialise:
    shape = operation.output
    write_headers = rest.header_writer(shape) if shape else None
    body_writer, kind = _rest_body_writer(model, overlay, operation, protocol)
    status_member = next((n for n, m in shape.members.items() if m.location == "statusCode"), None) if shape else None

    def serialise(result: dict[str, Any] | None, request_id: str) -> Response:
        result = result or {}
        headers = [(overlay.request_id, request_id), *overlay.extra_headers(request_id)]
        if write_headers:
            write_headers(result, headers)
        body = body_writer(result) if body_writer else b""
        if kind and len(body) and all(name.lower() != "content-type" for name, _ in headers):
            headers.append(("Content-Type", kind))
        status = result.get(status_member, operation.status) if status_member else operation.status
        return Response(status, headers, body)

    return serialise


def _rest_body_writer(
    model: Model, overlay: Overlay, operation: Operation, protocol: str
) -> tuple[Callable[[dict[str, Any]], Any] | None, str | None]:
    """How the body is made of a result, and its content type; a streaming body is passed on as the operation gave it."""
    shape = operation.output
    if shape is None:
        return None, None
    payload = shape.traits.get("payload")
    if payload and shape.members[payload].type not in ("structure", "list", "map"):
        member = shape.members[payload]
        text = member.type == "string"
        if member.streaming:
            return (lambda result: _sized(result.get(payload))), None
        return (lambda result: (result.get(payload) or "").encode() if text else result.get(payload) or b""), None
    if not payload and all(member.location for member in shape.members.values()):
        return ((lambda result: b"{}"), "application/json") if protocol == "rest-json" else (None, None)
    if protocol == "rest-json":
        return _json_body_writer(shape, payload), "application/json"
    return _xml_body_writer(model, overlay, operation, shape, payload), "application/xml"


def _sized(body: Any) -> Any:
    return b"" if body is None else body


def _json_body_writer(shape: Shape, payload: str | None) -> Callable[[dict[str, Any]], bytes]:
    target = shape.members[payload] if payload else shape
    writer = jsonbody.Writers(renamed=True).writer(target)
    located = frozenset(name for name, member in shape.members.items() if member.location)

    def write(result: dict[str, Any]) -> bytes:
        value = result.get(payload) if payload else {k: v for k, v in result.items() if k not in located}
        if value is None:
            return b""
        return orjson.dumps(writer(value) if writer else value)

    return write


def _xml_body_writer(
    model: Model, overlay: Overlay, operation: Operation, shape: Shape, payload: str | None
) -> Callable[[dict[str, Any]], bytes]:
    target = shape.members[payload] if payload else shape
    root = overlay.roots.get(operation.name) or target.traits.get("locationName") or target.name
    namespace = overlay.xml_namespace or target.traits.get("xmlNamespace", {}).get("uri", "")
    opening = f'{xmlbody.DECLARATION}<{root} xmlns="{namespace}">' if namespace else f"{xmlbody.DECLARATION}<{root}>"
    content = xmlbody.Writers().content(target)
    text_member = overlay.text_roots.get(operation.name)
    closing = f"</{root}>"

    def write(result: dict[str, Any]) -> bytes:
        value = result.get(payload) if payload else result
        if value is None:
            return b""
        out = [opening]
        if text_member:
            out.append(xmlbody.escape(value.get(text_member) or ""))
        else:
            content(value, out.append)
        out.append(closing)
        return "".join(out).encode("utf-8", "xmlcharrefreplace")

    return write


def _event_member(shape: Shape | None) -> tuple[str, Shape] | None:
    for name, member in shape.members.items() if shape else ():
        if member.traits.get("eventstream"):
            return name, member
    return None


def _stream_serialiser(overlay: Overlay, operation: Operation, protocol: str, stream: tuple[str, Shape]) -> Serialise:
    name, shape = stream
    assert operation.output
    output = operation.output
    write_event = eventstream.event_writer(shape, protocol)
    write_headers = rest.header_writer(output)
    rpc = not protocol.startswith("rest-")

    async def frames(result: dict[str, Any]) -> Any:
        if rpc:
            others = {key: value for key, value in result.items() if key != name}
            yield eventstream.initial_response(output, others, protocol)
        async for event in result[name]:
            yield write_event(event)

    def serialise(result: dict[str, Any], request_id: str) -> Response:
        headers = [(overlay.request_id, request_id), *overlay.extra_headers(request_id)]
        headers.append(("Content-Type", eventstream.CONTENT_TYPE))
        write_headers(result, headers)
        return Response(operation.status, headers, frames(result))

    return serialise


__all__ = ["Codec", "Malformed", "Rejected"]
