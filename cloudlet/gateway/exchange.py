"""One request and its response, whatever the HTTP version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cloudlet.gateway.body import Body
from cloudlet.wire.message import Request, Response


class Connection(Protocol):
    """What an exchange asks of the connection it came over."""

    secure: bool

    def send(self, exchange: Exchange, response: Response) -> None: ...

    def send_continue(self, exchange: Exchange) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Exchange:
    """`request` is complete but for its body, which `body` brings. Exactly one `respond` ends it.

    whole: called when the body has ended, where it is wanted in one piece. sent: the response is out.
    expects_continue: the client waits for leave before it sends the body. gone: called if the client leaves first.
    """

    __slots__ = (
        "answered",
        "body",
        "connection",
        "expects_continue",
        "gone",
        "keep_alive",
        "request",
        "sent",
        "stream_id",
        "whole",
    )

    def __init__(self, connection: Connection, request: Request, *, expects_continue: bool, keep_alive: bool, stream_id: int = 0):
        self.connection = connection
        self.request = request
        self.expects_continue = expects_continue
        self.keep_alive = keep_alive
        self.stream_id = stream_id
        self.body = Body(self)
        self.answered = False
        self.gone: Callable[[], None] | None = None
        self.sent = False
        self.whole: Callable[[], None] | None = None

    @property
    def endpoint(self) -> str:
        """Scheme, host and port as the client wrote them."""
        scheme = "https" if self.connection.secure else "http"
        return f"{scheme}://{self.request.headers.get('host') or 'localhost:4566'}"

    def let_continue(self) -> None:
        """Tell the client to send the body; nothing where it does not wait for that."""
        if self.expects_continue:
            self.expects_continue = False
            self.connection.send_continue(self)

    def collect(self, whole: Callable[[], None]) -> None:
        """Take the body in one piece: `whole` is called when it has ended."""
        self.whole = whole
        self.body.release()
        if self.body.ended:
            whole()

    def respond(self, response: Response) -> None:
        if not self.answered:
            self.answered = True
            self.connection.send(self, response)

    def lost(self) -> None:
        """The connection is gone: nobody is left to answer to."""
        self.body.fail(ConnectionError("the client closed the connection"))
        if not self.answered:
            self.answered = True
            if self.gone:
                self.gone()
