"""What a service declares, and the operations found in its modules."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

Sink = Callable[..., Any]
JobHandler = Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    """One AWS operation: its function, and whether it is a conversation (`async def`) or a transaction (`def`)."""

    service: str
    name: str
    function: Callable[..., Any]
    conversation: bool


@dataclass(frozen=True)
class Service:
    """A service package's declaration.

    name: the model's folder in botocore's data (`sqs`). modules: the noun files; each public function is an operation.
    wire: what the model leaves out or has wrong, as `cloudlet.wire.overlay.Overlay` takes it.
    sinks: what the service accepts from others: a function (ctx, arn, event), `def` or `async def`.
    jobs: kind -> function (ctx, payload) for the background work it schedules.
    pages: path -> function (ctx, request) -> dict for its own pages, at that path and below it.
    """

    name: str
    modules: tuple[ModuleType, ...]
    wire: Mapping[str, Any] = field(default_factory=dict)
    sink: Sink | None = None
    jobs: Mapping[str, JobHandler] = field(default_factory=dict)
    pages: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def operations(self, known: set[str]) -> dict[str, Operation]:
        """The operations by name. Raises ValueError for a public function that the model (`known`) has no operation for."""
        by_function = {snake_case(name): name for name in known}
        found: dict[str, Operation] = {}
        for module in self.modules:
            for attribute, function in vars(module).items():
                if attribute.startswith("_") or not inspect.isfunction(function) or function.__module__ != module.__name__:
                    continue
                name = by_function.get(attribute)
                if name is None:
                    raise ValueError(f"{module.__name__}.{attribute} is not an operation of {self.name}; begin its name with _")
                found[name] = Operation(self.name, name, function, inspect.iscoroutinefunction(function))
        return found


def snake_case(name: str) -> str:
    """`GetQueueUrl` -> `get_queue_url`, `ListObjectsV2` -> `list_objects_v2`, `PutBucketACL` -> `put_bucket_acl`."""
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted)
    return parted.lower()
