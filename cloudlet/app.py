"""The list of services, and how the parts are put together. Read this first.

bytes -> gateway.server -> gateway.dispatch (routing, identity, wire.parse) -> kernel (transaction) -> the operation
      -> commit -> wire.serialise -> bytes
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from cloudlet.gateway import tls
from cloudlet.gateway.catalog import Catalog
from cloudlet.gateway.dispatch import Dispatcher
from cloudlet.gateway.identity import Identities
from cloudlet.gateway.pages import Pages
from cloudlet.gateway.server import Server
from cloudlet.gateway.signatures import Verifiers
from cloudlet.kernel.kernel import Kernel
from cloudlet.kernel.peers import Peers
from cloudlet.kernel.registry import Service

# A service is a package with a SERVICE; its name is that of its model in botocore's data. Loaded on first use.
SERVICES = {
    "s3": "cloudlet.services.s3",
    "sqs": "cloudlet.services.sqs",
}


class Settings(msgspec.Struct, frozen=True):
    """How one server runs; `cloudlet.cli.settings` reads it from options and the environment."""

    data: Path
    durability: str = "process"
    services: frozenset[str] | None = None
    verify_signatures: bool = False
    secrets: dict[str, str] = msgspec.field(default_factory=lambda: {"test": "test"})
    options: dict[str, str] = {}

    def secret_of(self, access_key: str) -> str | None:
        """The secret of an access key; that of an account's number is `test`."""
        return self.secrets.get(access_key) or ("test" if len(access_key) == 12 and access_key.isdigit() else None)


class Cloud:
    """One process's cloud: a kernel, the services, and a server in front. `stop` is called when a client asks for the end."""

    def __init__(
        self,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        *,
        peers: Peers | None = None,
        stop: Callable[[], None] = lambda: None,
    ):
        self.settings = settings
        self.kernel = Kernel(settings.data, loop, durability=settings.durability, peers=peers)
        self.kernel.options = settings.options
        self.catalog = Catalog(SERVICES, settings.services)
        self.catalog.on_load = self._loaded
        self.kernel.operation = self.catalog.operation
        self.kernel.sink = self.catalog.sink
        self.kernel.jobs.find_handler = self._job_handler
        identities = Identities()
        info: dict[str, Any] = {"data": str(settings.data), "durability": settings.durability}
        self.pages = Pages(self.kernel, self.catalog, identities, info=info, stop=stop)
        verifiers = Verifiers(settings.secret_of) if settings.verify_signatures else None
        self.dispatcher = Dispatcher(self.kernel, self.catalog, identities, pages=self.pages.take, verifiers=verifiers)
        self.server = Server(self.dispatcher.begin, loop, self._tls)

    def start(self, sockets: list[socket.socket]) -> None:
        self.server.start(sockets)
        self.kernel.start()

    def close(self) -> None:
        self.server.close()
        self.kernel.close()

    def _loaded(self, service: Service) -> None:
        self.kernel.jobs.handlers.update(service.jobs)

    def _job_handler(self, kind: str) -> None:
        """A job may be due before its service was asked for anything: `sqs.move` loads sqs."""
        self.catalog.provider(kind.partition(".")[0])

    def _tls(self) -> ssl.SSLContext:
        return tls.context(self.settings.data)
