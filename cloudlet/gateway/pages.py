"""Cloudlet's own paths: LocalStack's (`/_localstack/...`), ours (`/_cloudlet/...`) and the services' (`/_aws/...`)."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
from collections.abc import Callable
from typing import Any

import orjson

from cloudlet import __version__
from cloudlet.gateway import cors
from cloudlet.gateway.catalog import Catalog
from cloudlet.gateway.exchange import Exchange
from cloudlet.gateway.identity import Identities
from cloudlet.kernel.context import Caller, Context
from cloudlet.kernel.fault import Fault
from cloudlet.kernel.kernel import Kernel
from cloudlet.wire.message import Request, Response

_DURATION = re.compile(r"(\d{1,15}(?:\.\d+)?)(ms|s|m|h|d|w)?")
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999, after which no timestamp can be written
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_log = logging.getLogger("cloudlet.gateway")


class Pages:
    """`take(exchange)` says whether the path is one of these; the answer is JSON.

    status: what `cloudlet status` shows besides. hooks: the state of the init hooks, by stage. stop: ends the server.
    """

    def __init__(
        self, kernel: Kernel, catalog: Catalog, identities: Identities, *, info: dict[str, Any], stop: Callable[[], None]
    ):
        self._kernel = kernel
        self._catalog = catalog
        self._identities = identities
        self.info = info
        self._stop = stop
        self._tasks: set[asyncio.Task[None]] = set()
        self.hooks: dict[str, Any] = {}
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/_localstack/health"): self._health,
            ("HEAD", "/_localstack/health"): self._health,
            ("POST", "/_localstack/health"): self._command,
            ("GET", "/_localstack/info"): self._about,
            ("GET", "/_localstack/init"): lambda request: self.hooks,
            ("POST", "/_localstack/state/reset"): self._reset,
            ("GET", "/_cloudlet/health"): self._health,
            ("GET", "/_cloudlet/info"): self._about,
            ("POST", "/_cloudlet/reset"): self._reset,
            ("GET", "/_cloudlet/clock"): self._clock,
            ("POST", "/_cloudlet/clock/advance"): self._advance,
            ("POST", "/_cloudlet/clock/freeze"): self._freeze,
            ("POST", "/_cloudlet/clock/resume"): self._resume,
            ("GET", "/_cloudlet/services"): self._coverage,
        }

    def take(self, exchange: Exchange) -> bool:
        request = exchange.request
        path = request.path.rstrip("/")
        route = self._routes.get((request.method, path)) or self._stage(path)
        if route is None and (page := self._service_page(request, path)):
            route = page
        if route is None:
            if not path.startswith(("/_localstack/", "/_cloudlet/", "/_aws/")):
                return False
            self._send(exchange, 404, {"message": f"Cloudlet has no page {request.method} {path}."})
            return True
        exchange.let_continue()
        exchange.collect(lambda: self._run(exchange, route))
        return True

    def _run(self, exchange: Exchange, route: Callable[[Request], Any]) -> None:
        try:
            exchange.request.body = exchange.body.taken()
            found = route(exchange.request)
        except Fault as fault:
            self._send(exchange, fault.status or 400, {"code": fault.code, "message": fault.message})
            return
        if inspect.isawaitable(found):
            task = self._kernel.loop.create_task(self._await(exchange, found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._send(exchange, 200, found)

    async def _await(self, exchange: Exchange, found: Any) -> None:
        try:
            self._send(exchange, 200, await found)
        except Fault as fault:
            self._send(exchange, fault.status or 400, {"code": fault.code, "message": fault.message})
        except Exception:
            _log.exception("the page %s failed", exchange.request.path)
            self._send(exchange, 500, {"message": "The page failed; the log tells why."})

    def _send(self, exchange: Exchange, status: int, found: Any) -> None:
        def durable(error: Exception | None) -> None:
            response = Response(status, [("Content-Type", "application/json")], orjson.dumps(found))
            if isinstance(found, Response):
                response = found
            cors.allow(exchange.request, response)
            exchange.respond(response)

        self._kernel.transactions.when_durable(durable)

    def _service_page(self, request: Request, path: str) -> Callable[[Request], Any] | None:
        pages = self._catalog.pages()
        match = next((prefix for prefix in pages if path == prefix or path.startswith(prefix + "/")), None)
        if match is None:
            return None
        _, function = pages[match]
        credential = self._identities.credential(request)
        account = self._identities.account(credential.access_key)

        def run(request: Request) -> Any:
            caller = Caller(
                account, credential.region or "us-east-1", "cloudlet", endpoint=f"http://{request.headers.get('host', '')}"
            )

            def work(ctx: Context) -> Any:
                return function(ctx, request)

            return self._kernel.transact(work, caller)

        return run

    def _health(self, request: Request) -> dict[str, Any]:
        services = dict.fromkeys(sorted(self._catalog.packages), "running")
        services.update(dict.fromkeys(sorted(self._catalog.disabled), "disabled"))
        return {"services": services, "edition": "cloudlet", "version": __version__}

    def _about(self, request: Request) -> dict[str, Any]:
        return {"version": __version__, "edition": "cloudlet", "is_license_activated": False, **self.info}

    def _stage(self, path: str) -> Callable[[Request], Any] | None:
        """`/_localstack/init/ready`: one stage of the init hooks."""
        prefix, _, stage = path.rpartition("/")
        if prefix != "/_localstack/init" or stage.upper() not in self.hooks.get("completed", {}):
            return None
        name = stage.upper()
        scripts = [script for script in self.hooks["scripts"] if script["stage"] == name]
        return lambda request: {"completed": self.hooks["completed"][name], "scripts": scripts}

    def _command(self, request: Request) -> dict[str, Any]:
        """LocalStack's `{"action": "restart" | "kill"}`."""
        action = _json(request).get("action")
        if action == "kill":
            self._kernel.loop.call_later(0.05, self._stop)
            return {}
        raise Fault("BadRequest", "The action must be kill.", status=400)

    def _reset(self, request: Request) -> dict[str, Any]:
        self._kernel.reset()
        return {}

    def _clock(self, request: Request | None = None) -> dict[str, Any]:
        clock = self._kernel.clock
        return {"now": clock.now(), "frozen": clock.state.frozen_at is not None}

    async def _advance(self, request: Request) -> dict[str, Any]:
        duration = duration_ms(str(_json(request).get("by", "")))
        if self._kernel.clock.now() + duration > _LATEST_MS:
            raise Fault("BadRequest", "The clock goes no further than the year 9999.", status=400)
        await self._kernel.advance(duration)
        return self._clock()

    def _freeze(self, request: Request) -> dict[str, Any]:
        at = _json(request).get("at")
        instant = self._kernel.clock.now() if at is None else at
        if type(instant) is not int or not 0 <= instant <= _LATEST_MS:
            raise Fault("BadRequest", "`at` must be milliseconds since 1970, up to the year 9999.", status=400)
        self._kernel.transactions.run(lambda tx: self._kernel.clock.freeze_at(tx, instant))
        return self._clock()

    def _resume(self, request: Request) -> dict[str, Any]:
        now = self._kernel.clock.now()
        self._kernel.transactions.run(lambda tx: self._kernel.clock.resume_from(tx, now))
        return self._clock()

    def _coverage(self, request: Request) -> dict[str, Any]:
        """For each service: the operations it has and those it lacks."""
        found = {}
        for name in self._catalog.packages:
            provider = self._catalog.provider(name)
            if provider:
                done = sorted(provider.operations)
                found[name] = {"operations": done, "missing": sorted(provider.model.operation_names - set(done))}
        return found


def duration_ms(text: str) -> int:
    """`15m`, `90s`, `1d`, `250ms` or a number of seconds, as milliseconds. Raises Fault."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise Fault("BadRequest", f"{text!r} is not a duration; write 250ms, 90s, 15m, 24h, 7d or 2w.", status=400)
    return round(float(found[1]) * _UNIT_MS[found[2] or "s"])


def _json(request: Request) -> dict[str, Any]:
    try:
        value = orjson.loads(request.body) if request.body else {}
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise Fault("BadRequest", "The body must be a JSON object.", status=400)
    return value
