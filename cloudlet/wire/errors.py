"""Faults as each protocol shows them."""

from __future__ import annotations

from typing import Any

import orjson

from cloudlet.wire import cborbody
from cloudlet.wire.message import Response
from cloudlet.wire.model import Model
from cloudlet.wire.overlay import Overlay
from cloudlet.wire.xmlbody import DECLARATION, escape

# what XML 1.0 has no way to write, be it as a reference
_UNWRITABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")


class Rendering:
    """One fault in AWS's terms: what the model and the overlay know of its code.

    shape: the error shape's name. code: the code of query and XML protocols. status: HTTP's. sender: the client is to blame.
    """

    __slots__ = ("code", "members", "message", "sender", "shape", "status")

    def __init__(
        self, model: Model | None, overlay: Overlay, code: str, message: str | None, status: int | None, members: dict[str, Any]
    ):
        shape = model.errors.get(code) if model else None
        self.shape = shape.name if shape else code
        self.code, default_status = code, 400
        if shape:
            error = shape.traits.get("error", {})
            self.code = error.get("code", shape.name)
            default_status = error.get("httpStatusCode", 500 if shape.traits.get("fault") else 400)
        if self.shape in overlay.errors:
            self.code, default_status = overlay.errors[self.shape]
        self.status = status or default_status
        self.sender = self.status < 500
        self.message = message
        self.members = {name: value for name, value in members.items() if value is not None}


def render(overlay: Overlay, protocol: str, fault: Rendering, request_id: str, *, query_compatible: bool = False) -> Response:
    """The response that tells a fault to the client."""
    headers = [(overlay.request_id, request_id), *overlay.extra_headers(request_id)]
    if protocol in ("query", "ec2", "rest-xml"):
        headers.append(("Content-Type", "application/xml" if protocol == "rest-xml" else "text/xml"))
        return Response(fault.status, headers, _xml(overlay, protocol, fault, request_id).encode("utf-8", "xmlcharrefreplace"))
    body: dict[str, Any] = dict(fault.members)
    if fault.message is not None:
        body["message"] = fault.message
    if query_compatible:
        headers.append(("x-amzn-query-error", f"{fault.code};{'Sender' if fault.sender else 'Receiver'}"))
    if protocol == "rest-json":
        headers += [("x-amzn-ErrorType", fault.shape), ("Content-Type", "application/json")]
        return Response(fault.status, headers, orjson.dumps(body))
    body = {"__type": overlay.error_prefix + fault.shape, **body}
    if protocol == "smithy-rpc-v2-cbor":
        headers += [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")]
        return Response(fault.status, headers, cborbody.encode(body))
    if protocol == "amz-cbor-1.1":
        headers.append(("Content-Type", "application/x-amz-cbor-1.1"))
        return Response(fault.status, headers, cborbody.encode(body))
    headers.append(("Content-Type", "application/x-amz-json-1.0" if protocol == "json-1.0" else "application/x-amz-json-1.1"))
    return Response(fault.status, headers, orjson.dumps(body))


def _xml(overlay: Overlay, protocol: str, fault: Rendering, request_id: str) -> str:
    members = "".join(f"<{name}>{_escape(str(value))}</{name}>" for name, value in fault.members.items())
    code = f"<Code>{escape(fault.code)}</Code>"
    message = f"<Message>{_escape(fault.message or '')}</Message>"
    if protocol == "ec2":
        inner = f"<Errors><Error>{code}{message}{members}</Error></Errors>"
        return f"{DECLARATION}<Response>{inner}<RequestID>{request_id}</RequestID></Response>"
    if overlay.bare_errors:
        hosts = dict(overlay.extra_headers(request_id))
        host = f"<HostId>{escape(next(iter(hosts.values())))}</HostId>" if hosts else ""
        message = message if fault.message is not None else ""
        return f"{DECLARATION}<Error>{code}{message}{members}<RequestId>{request_id}</RequestId>{host}</Error>"
    namespace = f' xmlns="{overlay.xml_namespace}"' if overlay.xml_namespace else ""
    kind = f"<Type>{'Sender' if fault.sender else 'Receiver'}</Type>"
    inner = f"<Error>{kind}{code}{message}<Detail/>{members}</Error><RequestId>{request_id}</RequestId>"
    return f"{DECLARATION}<ErrorResponse{namespace}>{inner}</ErrorResponse>"


def _escape(text: str) -> str:
    """Faults show what the client sent, which may be anything."""
    return escape(text.translate(_UNWRITABLE))
