"""A service's model, from the JSON files that botocore carries. botocore itself is not imported: only its data is read."""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson


class UnknownService(Exception):
    """No model of that name."""


class Shape:
    """One shape, or one use of it: `traits` joins what the shape says with what the member that refers to it says."""

    def __init__(self, model: Model, name: str, traits: Mapping[str, Any]):
        self.model = model
        self.name = name
        self.traits = traits
        self.type: str = traits["type"]

    @cached_property
    def members(self) -> dict[str, Shape]:
        return {name: self.model.use(ref) for name, ref in self.traits.get("members", {}).items()}

    @property
    def required(self) -> list[str]:
        return self.traits.get("required", [])

    @cached_property
    def element(self) -> Shape:
        """What a list holds."""
        return self.model.use(self.traits["member"])

    @cached_property
    def key(self) -> Shape:
        return self.model.use(self.traits["key"])

    @cached_property
    def value(self) -> Shape:
        return self.model.use(self.traits["value"])

    @property
    def location(self) -> str | None:
        return self.traits.get("location")

    def wire_name(self, member: str) -> str:
        """The name that a member has on the wire."""
        return self.members[member].traits.get("locationName", member)

    @property
    def flattened(self) -> bool:
        return bool(self.traits.get("flattened"))

    @property
    def streaming(self) -> bool:
        return bool(self.traits.get("streaming"))


class Operation:
    """One operation of a model."""

    def __init__(self, model: Model, name: str, raw: Mapping[str, Any]):
        self.model = model
        self.name = name
        self.method: str = raw["http"]["method"]
        self.uri: str = raw["http"]["requestUri"]
        self.status: int = raw["http"].get("responseCode", 200)
        self.checksum: Mapping[str, Any] = raw.get("httpChecksum", {})
        self.input = model.use(raw["input"]) if "input" in raw else None
        self.output = model.use(raw["output"]) if "output" in raw else None
        self.result_wrapper: str | None = raw.get("output", {}).get("resultWrapper")

    @cached_property
    def streams_in(self) -> bool:
        """Its body is read by the operation itself, as it comes."""
        payload = self.input.traits.get("payload") if self.input else None
        return bool(payload and self.input and self.input.members[payload].streaming)


class Model:
    """Shapes, operations and errors of one service. Only what is asked for is made into objects."""

    def __init__(self, name: str, raw: dict[str, Any]):
        self.name = name
        self.metadata: dict[str, Any] = raw["metadata"]
        self._shapes: dict[str, dict[str, Any]] = raw["shapes"]
        self._operations: dict[str, dict[str, Any]] = raw["operations"]
        self._made: dict[str, Operation] = {}

    @property
    def protocol(self) -> str:
        return self.metadata["protocol"]

    @property
    def operation_names(self) -> set[str]:
        return set(self._operations)

    def operation(self, name: str) -> Operation:
        """Raises KeyError for a name the model lacks."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = Operation(self, name, self._operations[name])
        return made

    def use(self, reference: Mapping[str, Any]) -> Shape:
        name = reference["shape"]
        return Shape(self, name, {**self._shapes[name], **reference})

    @cached_property
    def errors(self) -> dict[str, Shape]:
        """Error shapes by their name and by their code."""
        found: dict[str, Shape] = {}
        for name, raw in self._shapes.items():
            if raw.get("exception"):
                shape = Shape(self, name, raw)
                found[name] = shape
                found.setdefault(raw.get("error", {}).get("code", name), shape)
        return found

    def add(self, shapes: Mapping[str, Any], operations: Mapping[str, Any]) -> None:
        """Add shapes and operations that the service has and the model lacks."""
        self._shapes.update({name: dict(raw) for name, raw in shapes.items()})
        self._operations.update({name: dict(raw) for name, raw in operations.items()})

    def patch(self, shape: str, changes: Mapping[str, Any]) -> None:
        """Merge `changes` into a shape: what the model leaves out or has wrong."""
        _merge(self._shapes[shape], changes)


def load(name: str) -> Model:
    """The newest model of a service. Raises UnknownService."""
    folder = _data_folder() / name
    versions = sorted(folder.glob("*/service-2.json*")) if name.replace("-", "").isalnum() else []
    if not versions:
        raise UnknownService(name)
    data = versions[-1].read_bytes()
    raw = orjson.loads(gzip.decompress(data) if versions[-1].suffix == ".gz" else data)
    _drop_documentation(raw)
    return Model(name, raw)


@lru_cache(maxsize=1)
def known_services() -> frozenset[str]:
    """Every service that botocore has a model of."""
    return frozenset(path.name for path in _data_folder().iterdir() if path.is_dir())


@lru_cache(maxsize=1)
def _data_folder() -> Path:
    spec = importlib.util.find_spec("botocore")
    assert spec and spec.origin, "botocore is a dependency of Cloudlet"
    return Path(spec.origin).parent / "data"


def _drop_documentation(raw: dict[str, Any]) -> None:
    """Two thirds of a model are prose, which nothing here reads."""
    for shape in raw["shapes"].values():
        shape.pop("documentation", None)
        for member in shape.get("members", {}).values():
            member.pop("documentation", None)
    for operation in raw["operations"].values():
        operation.pop("documentation", None)


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
