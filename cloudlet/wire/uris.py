"""Which operation a REST request means: by method, path, query and, where the model needs them, headers."""

from __future__ import annotations

import re
from typing import Any

from cloudlet.wire.message import Request
from cloudlet.wire.model import Model, Operation

_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")


class _Route:
    """One operation under a path: the query items its URI names, and what it requires besides."""

    def __init__(self, name: str, literals: dict[str, str | None], queries: list[str], headers: list[str]):
        self.name = name
        self.literals = literals
        self.queries = queries
        self.headers = headers
        self.rank = (-len(literals), -len(queries) - len(headers))

    def fits(self, request: Request, *, strictly: bool) -> bool:
        for item, text in self.literals.items():
            if item not in request.query or (text is not None and request.query[item] != text):
                return False
        if not strictly:
            return True
        return all(q in request.query for q in self.queries) and all(h in request.headers for h in self.headers)


class Router:
    """Finds (operation name, path labels) of a request. A path's routes are tried from the most to the least specific."""

    def __init__(self, model: Model, unrouted: frozenset[str] = frozenset()):
        grouped: dict[str, dict[str, tuple[Any, list[_Route]]]] = {}
        for name in sorted(model.operation_names - unrouted):
            operation = model.operation(name)
            path, _, query = operation.uri.partition("?")
            pattern, specificity = _pattern(path)
            _, routes = grouped.setdefault(operation.method, {}).setdefault(pattern, (specificity, []))
            routes.append(_route(operation, query))
        self._paths: dict[str, list[tuple[re.Pattern[str], list[_Route]]]] = {}
        for method, patterns in grouped.items():
            ordered = sorted(patterns.items(), key=lambda entry: entry[1][0])
            self._paths[method] = [(re.compile(p), sorted(r, key=lambda route: route.rank)) for p, (_, r) in ordered]

    def find(self, request: Request) -> tuple[str, dict[str, str]] | None:
        for pattern, routes in self._paths.get(request.method, ()):
            found = pattern.fullmatch(request.path)
            if not found:
                continue
            plain = not request.query and "x-amz-copy-source" not in request.headers
            for route in routes[-1:] if plain else routes:
                if route.fits(request, strictly=True):
                    return route.name, found.groupdict()
            for route in reversed(routes):
                if route.fits(request, strictly=False):
                    return route.name, found.groupdict()
        return None


def _pattern(path: str) -> tuple[str, tuple[int, ...]]:
    """A regular expression for a path template, and how it ranks: literal segments before labels, labels before greedy ones."""
    pattern, rank = "", []
    segments = path.strip("/").split("/")
    for segment in segments:
        greedy = False
        out, at = "", 0
        for label in _LABEL.finditer(segment):
            out += re.escape(segment[at : label.start()])
            greedy = greedy or bool(label[2])
            out += f"(?P<{group_name(label[1])}>{'.+' if label[2] else '[^/]+'})"
            at = label.end()
        out += re.escape(segment[at:])
        pattern += "/" + out
        rank.append(2 if greedy else 1 if at else 0)
    if not rank or rank[-1] != 2:
        pattern = pattern.rstrip("/") + "/?"
        rank.append(-1)  # ends here: before a greedy label that would take the rest
    return f"(?s:{pattern})", tuple(rank)


def group_name(label: str) -> str:
    """A label as a group's name, which allows fewer letters. Labels in models are words, some with dashes."""
    return label.replace("-", "_").replace(".", "_")


def _route(operation: Operation, query: str) -> _Route:
    literals: dict[str, str | None] = {}
    for item in filter(None, query.split("&")):
        key, equals, text = item.partition("=")
        if key != "x-id":
            literals[key] = text if equals else None
    queries, headers = [], []
    shape = operation.input
    for name in shape.required if shape else []:
        assert shape
        location = shape.members[name].location
        if location == "querystring" and shape.wire_name(name) not in literals:
            queries.append(shape.wire_name(name))
        elif location == "header":
            headers.append(shape.wire_name(name).lower())
    return _Route(operation.name, literals, queries, headers)
