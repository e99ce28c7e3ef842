"""What a service adds to its model where that is silent or wrong. Plain data in the service's package, checked here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudlet.wire.model import Model
from cloudlet.wire.validation import Violation, summary


class Rejected(Exception):
    """A request that breaks the model's constraints, in the service's dialect: an error's code and text."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


Dialect = Callable[[str, list[Violation]], tuple[str, str] | None]


def _standard_dialect(operation: str, violations: list[Violation]) -> tuple[str, str]:
    return "ValidationException", summary(violations)


@dataclass(frozen=True)
class Overlay:
    """Each field is empty where the model says it all.

    errors: error shape, or code -> (code in the query and XML protocols, status). error_prefix: before JSON's `__type`.
    shapes: shape -> changes merged into the model. operations, new_shapes: name -> raw definition, added to the model.
    protocols: further protocols spoken.
    dialect: (operation, violations) -> (code, message), or None to let the operation check. No dialect: the model is not checked.
    roots: operation -> name of its answer's XML root. text_roots: operation -> the member that is the root's own text.
    xml_namespace: of answers. unrouted: operations that no path leads to.
    request_id: the header that carries the request's id. extra_headers: request id -> more headers of every answer.
    path_member: the member that a query request to any path but `/` means by its URL, where the form does not name it.
    body_members: operation -> a member that receives the body's bytes as sent, beside what they are read as.
    malformed_head: the code where a REST request's path, query or headers cannot be read. malformed_body: code and text where its
    body cannot.
    short_request_ids: 16 hex digits instead of a UUID. bare_errors: XML errors are `<Error>` alone, as S3 has them.
    """

    errors: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    error_prefix: str = ""
    shapes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    new_shapes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    protocols: tuple[str, ...] = ()
    dialect: Dialect | None = _standard_dialect
    roots: Mapping[str, str] = field(default_factory=dict)
    text_roots: Mapping[str, str] = field(default_factory=dict)
    xml_namespace: str = ""
    unrouted: frozenset[str] = frozenset()
    request_id: str = "x-amzn-RequestId"
    extra_headers: Callable[[str], list[tuple[str, str]]] = lambda request_id: []
    bare_errors: bool = False
    short_request_ids: bool = False
    path_member: str = ""
    body_members: Mapping[str, str] = field(default_factory=dict)
    malformed_head: str = ""
    malformed_body: tuple[str, str] | None = None

    def apply(self, model: Model) -> None:
        model.add(self.new_shapes, self.operations)
        for shape, changes in self.shapes.items():
            model.patch(shape, changes)
