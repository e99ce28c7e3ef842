"""What an operation sees of the world: a Context in a transaction, a Conversation outside of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cloudlet.kernel.tx import Tx

if TYPE_CHECKING:
    from cloudlet.kernel.blobs import Blobs
    from cloudlet.kernel.ids import Ids
    from cloudlet.kernel.kernel import Kernel

T = TypeVar("T")


class Caller(msgspec.Struct, frozen=True):
    """Who asks, and where: fixed by the gateway for one request.

    endpoint: scheme, host and port as the client knows the server, for the URLs that answers hold. verified: the signature was
    checked.
    """

    account: str
    region: str
    principal: str
    access_key: str = ""
    endpoint: str = "http://localhost:4566"
    signed: bool = True
    verified: bool = False


class _Common:
    """What both kinds share. `now` is fixed for the length of one transaction."""

    __slots__ = ("account", "caller", "kernel", "region", "request_id")

    def __init__(self, kernel: Kernel, caller: Caller, request_id: str):
        self.kernel = kernel
        self.caller = caller
        self.account = caller.account
        self.region = caller.region
        self.request_id = request_id

    @property
    def principal(self) -> str:
        return self.caller.principal

    @property
    def endpoint(self) -> str:
        return self.caller.endpoint

    @property
    def blobs(self) -> Blobs:
        return self.kernel.blobs

    @property
    def ids(self) -> Ids:
        return self.kernel.ids

    def new_id(self) -> str:
        """A random UUID."""
        return self.kernel.ids.uuid()


class Context(_Common):
    """One transaction's view. It is committed when the operation returns and discarded when it raises.

    now: the instant, fixed. started: when the request was first run; earlier than now where it has waited.
    """

    __slots__ = ("now", "started", "tx")

    def __init__(self, kernel: Kernel, tx: Tx, caller: Caller, request_id: str, started: int | None = None):
        super().__init__(kernel, caller, request_id)
        self.tx = tx
        self.now = kernel.clock.now()
        self.started = self.now if started is None else started

    def schedule(self, due: int, kind: str, payload: Any) -> tuple[int, int]:
        """Have the job `kind` run with `payload` once the clock reaches `due`; what `unschedule` takes back."""
        return self.kernel.jobs.schedule(self.tx, due, kind, payload)

    def unschedule(self, job: tuple[int, int]) -> None:
        self.kernel.jobs.unschedule(self.tx, job)

    def deliver(self, arn: str, event: Any, *, source: str = "", dead_letter: str | None = None) -> None:
        """Send `event` to the resource `arn` once this transaction is committed; see `kernel.deliveries`."""
        self.kernel.deliveries.send(self, arn, event, source=source, dead_letter=dead_letter)

    def call(self, service: str, operation: str, req: dict[str, Any], *, principal: str | None = None) -> Any:
        """Run another service's operation in this transaction. Its Fault discards only what it wrote itself."""
        return self.kernel.call(self, service, operation, req, principal=principal)


class Conversation(_Common):
    """What an `async def` operation gets: no transaction of its own, but as many as it asks for."""

    __slots__ = ()

    def transact(self, function: Callable[[Context], T]) -> Awaitable[T]:
        """Run `function` as a transaction; resolves once what it wrote is committed. A Fault or Wait is raised here."""
        return self.kernel.converse(self, function)
