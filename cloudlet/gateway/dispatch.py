"""The life of a request: route, read, run, answer.

head arrives -> provider and, where the head tells it, the operation -> body (whole, or as a stream)
             -> parse and validate -> the kernel runs it -> serialise -> respond
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from cloudlet.gateway import cors, presigned, routing
from cloudlet.gateway.catalog import Catalog, Endpoint, Provider
from cloudlet.gateway.exchange import Exchange
from cloudlet.gateway.identity import DEFAULT_REGION, UNSIGNED, Identities
from cloudlet.gateway.signatures import ChunkVerifier, Verifiers
from cloudlet.kernel.context import Caller
from cloudlet.kernel.fault import Fault
from cloudlet.kernel.kernel import Kernel
from cloudlet.wire import querybody
from cloudlet.wire.message import Malformed, Request, Response
from cloudlet.wire.overlay import Overlay, Rejected
from cloudlet.wire.scalars import whole_number

Pages = Callable[[Exchange], bool]
_SMALL_STREAM_BYTES = 64 * 1024
_log = logging.getLogger("cloudlet.gateway")


class Dispatcher:
    """Takes each Exchange from its head to its answer.

    pages: takes the exchanges for Cloudlet's own paths and says whether it did. verifiers: checks signatures, where asked for.
    """

    def __init__(
        self, kernel: Kernel, catalog: Catalog, identities: Identities, *, pages: Pages, verifiers: Verifiers | None = None
    ):
        self.kernel = kernel
        self.catalog = catalog
        self.identities = identities
        self.pages = pages
        self.verifiers = verifiers

    def begin(self, exchange: Exchange) -> None:
        """The head of a request is there."""
        request = exchange.request
        if "origin" in request.headers and (response := cors.preflight(request)):
            exchange.respond(response)
        elif request.path.startswith("/_") and self.pages(exchange):
            pass
        else:
            handling = _Handling(self, exchange)
            handling.guarded(handling.route)


class _Handling:
    """One request on its way. Every step runs in `guarded`, which turns what it raises into the answer."""

    __slots__ = (
        "_credential",
        "_dispatcher",
        "_endpoint",
        "_exchange",
        "_guess",
        "_labels",
        "_protocol",
        "_provider",
        "_request",
        "_request_id",
    )  # fmt: skip

    def __init__(self, dispatcher: Dispatcher, exchange: Exchange):
        self._dispatcher = dispatcher
        self._exchange = exchange
        self._request: Request = exchange.request
        self._provider: Provider | None = None
        self._endpoint: Endpoint | None = None
        self._labels: dict[str, str] = {}
        self._protocol = "json"
        self._request_id = dispatcher.kernel.ids.uuid()
        self._credential = dispatcher.identities.credential(exchange.request)

    def guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Fault as fault:
            self._refuse(fault)
        except (Malformed, Rejected) as error:
            self._refuse(Fault(error.code, error.message))
        except Exception:
            _log.exception("request %s failed in the gateway", self._request_id)
            self._refuse(Fault("InternalFailure", "The request processing has failed because of an unknown error.", status=500))

    def route(self) -> None:
        guess = self._guess = routing.guess(self._request, self._credential)
        catalog = self._dispatcher.catalog
        if guess.operation is not None:
            self._protocol = guess.protocol or "json"
            self._provider = catalog.by_target(guess.target, guess.service)
            if self._provider is None and (not guess.target or guess.service in catalog.packages):
                self._provider = catalog.provider(guess.service) if guess.service else None
                raise Fault("UnknownOperationException", f"No operation is called {guess.target}.{guess.operation}.")
        elif guess.service:
            self._provider = catalog.provider(guess.service)
        if self._provider is None and (guess.service or guess.target):
            self._name_what_is_missing()
        if guess.bucket:
            self._request.path = f"/{guess.bucket}{self._request.path}"
        if self._provider:
            self._choose_protocol(self._provider)
            if guess.operation is not None:
                self._choose(guess.operation)
            elif self._protocol.startswith("rest-"):
                self._choose_by_path(self._provider)
        self._receive()

    def _choose_protocol(self, provider: Provider) -> None:
        if provider.overlay.short_request_ids:
            self._request_id = self._request_id.replace("-", "")[:16].upper()
        native = provider.protocol
        told = self._guess.protocol
        if told == "query":
            spoken = native in ("query", "ec2") or "query" in provider.overlay.protocols
            self._protocol = native if native == "ec2" or not spoken else "query"
        else:
            self._protocol = told or ("query" if "query" in provider.overlay.protocols else native)

    def _choose(self, name: str) -> None:
        assert self._provider
        self._endpoint = self._provider.endpoint(name, self._protocol)
        if self._endpoint is None:
            raise Fault("UnknownOperationException", f"The operation {name} is not one of {self._provider.name}'s.")
        if self._endpoint.operation is None:
            raise Fault("NotImplemented", f"Cloudlet does not implement {self._provider.name}'s operation {name}.", status=501)

    def _choose_by_path(self, provider: Provider) -> None:
        found = provider.find(self._request)
        if found is None:
            raise Fault("MethodNotAllowed", "The specified method is not allowed against this resource.", status=405)
        self._labels = found[1]
        self._choose(found[0])

    def _receive(self) -> None:
        """Take the body whole, or start at once where the operation reads it itself and it is not small."""
        if self._request.query_string and self._protocol.startswith("rest-") and "authorization" not in self._request.headers:
            presigned.accept(self._request)
        exchange, headers = self._exchange, self._request.headers
        body = exchange.body
        length = headers.get("content-length")
        chunked = headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or (
            "x-amz-decoded-content-length" in headers and "aws-chunked" in headers.get("content-encoding", "")
        )
        if chunked:
            body.decode_chunks().verify = self._verify()
            length = headers.get("x-amz-decoded-content-length", length)
        body.decoded_length = whole_number(length)
        streams = self._endpoint is not None and self._endpoint.streams_in
        large = exchange.expects_continue or body.decoded_length is None or body.decoded_length > _SMALL_STREAM_BYTES
        if body.ended or (streams and large):
            self._read()
        else:
            exchange.let_continue()
            exchange.collect(lambda: self.guarded(self._read))

    def _read(self) -> None:
        request = self._request
        if self._endpoint is not None and self._endpoint.streams_in:
            request.body = self._exchange.body
        else:
            request.body = self._exchange.body.taken()
            if self._endpoint is None:
                self._choose_by_action()
        if not self._exchange.body.chunked:
            self._verify()
        endpoint = self._endpoint
        assert endpoint and endpoint.operation
        req = endpoint.codec.parse(request, self._labels)
        call = self._dispatcher.kernel.submit(endpoint.operation, self._caller(), req, self._answer, self._request_id)
        if not self._exchange.answered:
            self._exchange.gone = call.cancel

    def _choose_by_action(self) -> None:
        """A form's own words: Action and Version."""
        request = self._request
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        fields = querybody.decode(request.body) if request.body and form else request.query
        action = fields.get("Action", "")
        if self._provider is None:
            self._provider = self._dispatcher.catalog.by_action(action, fields.get("Version", ""))
            if self._provider is None:
                self._protocol = "query"
                raise Fault("InvalidAction", f"The action {action} is not valid for this endpoint.")
            self._choose_protocol(self._provider)
        if not action:
            raise Fault("MissingAction", "The request must contain the parameter Action.")
        if action not in self._provider.model.operation_names:
            raise Fault("InvalidAction", f"The action {action} is not valid for this endpoint.")
        self._choose(action)

    def _verify(self) -> ChunkVerifier | None:
        """Check the signature, where that is asked for. The path is the one that was signed: without a virtual host's bucket."""
        verifiers = self._dispatcher.verifiers
        if verifiers is None or (self._credential is UNSIGNED and "authorization" not in self._request.headers):
            return None
        request = self._request
        path = request.path[len(self._guess.bucket) + 1 :] if self._guess.bucket else request.path
        signed = Request(request.method, path, request.query_string, request.headers, request.body)
        return verifiers.check(signed, self._credential)

    def _caller(self) -> Caller:
        credential = self._credential
        account = self._dispatcher.identities.account(credential.access_key)
        scoped = credential.region if routing.is_region(credential.region) else None
        region = scoped or routing.region_in(self._request) or DEFAULT_REGION
        return Caller(
            account,
            region,
            f"arn:aws:iam::{account}:root",
            credential.access_key,
            self._exchange.endpoint,
            credential is not UNSIGNED,
            self._dispatcher.verifiers is not None,
        )

    def _answer(self, result: Any, fault: Fault | None) -> None:
        if fault is not None:
            self._refuse(fault)
            return
        assert self._endpoint
        try:
            response = self._endpoint.codec.serialise(result, self._request_id)
        except Exception:
            _log.exception("the answer of %s.%s cannot be written", self._endpoint.provider.name, self._endpoint.name)
            self._refuse(Fault("InternalFailure", "The answer could not be written.", status=500))
            return
        self._respond(response)

    def _refuse(self, fault: Fault) -> None:
        query_mode = "x-amzn-query-mode" in self._request.headers
        provider = self._provider or _NOBODY
        self._respond(provider.refuse(self._protocol, fault, self._request_id, query_mode=query_mode))

    def _respond(self, response: Response) -> None:
        if "origin" in self._request.headers:
            cors.allow(self._request, response)
        self._exchange.respond(response)

    def _name_what_is_missing(self) -> None:
        """Answer for a service that Cloudlet lacks, in that service's protocol."""
        guess, catalog = self._guess, self._dispatcher.catalog
        name = guess.service or guess.target
        missing = catalog.absent(guess.service) if guess.service else None
        if missing:
            self._provider = missing
            self._choose_protocol(missing)
        elif guess.target:
            self._provider = None
        else:
            self._protocol = "rest-xml"
        why = "is switched off here (SERVICES or --services)" if name in catalog.disabled else "is not implemented by Cloudlet"
        operation = f" (operation {guess.operation})" if guess.operation else ""
        raise Fault("NotImplemented", f"The service {name}{operation} {why}.", status=501)


class _Nobody(Provider):
    """Stands in where no service is known."""

    def __init__(self) -> None:
        self.overlay = Overlay()
        self.model = None  # type: ignore[assignment]
        self.query_compatible = False


_NOBODY = _Nobody()
