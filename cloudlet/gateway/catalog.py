"""The services by name, each with its model and codecs; loaded on first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from cloudlet.kernel.fault import Fault
from cloudlet.kernel.registry import Operation, Service, Sink
from cloudlet.wire.codec import Codec
from cloudlet.wire.errors import Rendering, render
from cloudlet.wire.message import Request, Response
from cloudlet.wire.model import Model, UnknownService, known_services, load
from cloudlet.wire.overlay import Overlay
from cloudlet.wire.uris import Router


class Endpoint:
    """One operation in one protocol, ready to be asked. `operation` is None where Cloudlet does not have it."""

    __slots__ = ("codec", "name", "operation", "protocol", "provider", "streams_in")

    def __init__(self, provider: Provider, name: str, protocol: str):
        self.provider = provider
        self.name = name
        self.protocol = protocol
        model_operation = provider.model.operation(name)
        self.operation = provider.operations.get(name)
        self.streams_in = model_operation.streams_in and self.operation is not None
        self.codec = Codec(provider.model, provider.overlay, model_operation, protocol)


class Provider:
    """A service with its model: what its package declares, joined with what botocore knows.

    protocol: what a request speaks unless its head says otherwise.
    """

    def __init__(self, service: Service | None, model: Model):
        self.service = service
        self.name = model.name
        self.model = model
        self.overlay = Overlay(**(service.wire if service else {}))
        self.overlay.apply(model)
        self.operations = service.operations(model.operation_names) if service else {}
        self.query_compatible = "awsQueryCompatible" in model.metadata
        self.protocol = "json-1.0" if model.metadata.get("jsonVersion") == "1.0" and model.protocol == "json" else model.protocol
        self._router: Router | None = None
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

    def endpoint(self, name: str, protocol: str) -> Endpoint | None:
        """None for an operation that AWS does not have either."""
        found = self._endpoints.get((name, protocol))
        if found is None and name in self.model.operation_names:
            found = self._endpoints[name, protocol] = Endpoint(self, name, protocol)
        return found

    def find(self, request: Request) -> tuple[str, dict[str, str]] | None:
        """The operation and path labels of a REST request."""
        if self._router is None:
            self._router = Router(self.model, self.overlay.unrouted)
        return self._router.find(request)

    def refuse(self, protocol: str, fault: Fault, request_id: str, *, query_mode: bool = False) -> Response:
        """The response for a fault."""
        told = Rendering(self.model, self.overlay, fault.code, fault.message, fault.status, fault.members)
        compatible = query_mode and self.query_compatible
        response = render(self.overlay, protocol, told, request_id, query_compatible=compatible)
        response.headers += fault.headers
        return response


class Catalog:
    """packages: service name -> the package that has it. enabled: the names to serve; None for all."""

    def __init__(self, packages: Mapping[str, str], enabled: frozenset[str] | None = None):
        self.packages = {name: package for name, package in packages.items() if enabled is None or name in enabled}
        self.disabled = frozenset(packages) - frozenset(self.packages)
        self._providers: dict[str, Provider] = {}
        self._absent: dict[str, Provider] = {}
        self._by_target: dict[str, Provider] = {}
        self.on_load: Callable[[Service], None] = lambda service: None

    def provider(self, name: str) -> Provider | None:
        """A service that Cloudlet has; None for any other name."""
        found = self._providers.get(name)
        if found is None and name in self.packages:
            service: Service = importlib.import_module(self.packages[name]).SERVICE
            found = self._providers[name] = Provider(service, load(name))
            self.on_load(service)
        return found

    def absent(self, name: str) -> Provider | None:
        """A service that AWS has and Cloudlet has not, for an answer in its own protocol."""
        if name not in self._absent:
            if name not in known_services():
                return None
            try:
                self._absent[name] = Provider(None, load(name))
            except UnknownService:
                return None
        return self._absent[name]

    def by_target(self, prefix: str, hint: str | None) -> Provider | None:
        """The service of an X-Amz-Target's prefix (or of an RPC path); `hint` is the credential scope's."""
        found = self._by_target.get(prefix)
        if found is None:
            for name in [hint, *self.packages] if hint else list(self.packages):
                provider = self.provider(name) if name in self.packages else None
                if provider and provider.model.metadata.get("targetPrefix", provider.model.name) == prefix:
                    found = self._by_target[prefix] = provider
                    break
        return found

    def by_action(self, name: str, version: str) -> Provider | None:
        """The service that has a query operation of that name and version."""
        for service in self.packages:
            provider = self.provider(service)
            if provider is None or name not in provider.model.operation_names:
                continue
            speaks = {provider.model.protocol, *provider.overlay.protocols}
            if speaks & {"query", "ec2"} and version in ("", provider.model.metadata["apiVersion"]):
                return provider
        return None

    def operation(self, service: str, name: str) -> Operation:
        """For calls from one service to another. Raises Fault NotImplemented."""
        provider = self.provider(service)
        operation = provider.operations.get(name) if provider else None
        if operation is None:
            raise Fault("NotImplemented", f"Cloudlet does not implement {service}.{name}.", status=501)
        return operation

    def sink(self, service: str) -> Sink | None:
        provider = self.provider(service)
        return provider.service.sink if provider and provider.service else None

    def pages(self) -> dict[str, tuple[str, Callable[..., Any]]]:
        """Every service's own pages: path -> (service, function)."""
        found: dict[str, tuple[str, Callable[..., Any]]] = {}
        for name in self.packages:
            provider = self.provider(name)
            if provider and provider.service:
                found.update({path: (name, function) for path, function in provider.service.pages.items()})
        return found
