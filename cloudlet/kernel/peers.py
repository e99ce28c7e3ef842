"""The worker processes that share one store tell each other which keys they touched, over datagram sockets.

A datagram that is lost costs little: what waits is also tried again at its own instant, and jobs are looked at anew on every
alarm. Sockets are made by the parent before it forks, so no path and no port is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import msgspec

_MAX_DATAGRAM_BYTES = 60_000
EVERYTHING: frozenset[Any] = frozenset()


class Peers:
    """This process's place among the workers: its number, its mailbox, and the others' mailboxes. Alone by default."""

    def __init__(self, number: int = 0, mailbox: socket.socket | None = None, others: list[socket.socket] | None = None):
        self.number = number
        self.shared = mailbox is not None
        self.leader = number == 0
        self._mailbox = mailbox
        self._others = others or []

    def tell(self, touched: set[Any]) -> None:
        message = msgspec.msgpack.encode(sorted(touched, key=repr))
        if len(message) > _MAX_DATAGRAM_BYTES:
            message = msgspec.msgpack.encode(["clock", "jobs"])
        for other in self._others:
            with contextlib.suppress(OSError):
                other.send(message)

    def listen(self, loop: asyncio.AbstractEventLoop, heard: Callable[[set[Any]], None]) -> None:
        if self._mailbox:
            self._mailbox.setblocking(False)
            loop.add_reader(self._mailbox.fileno(), self._read, heard)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._mailbox:
            loop.remove_reader(self._mailbox.fileno())

    def _read(self, heard: Callable[[set[Any]], None]) -> None:
        touched: set[Any] = set()
        with contextlib.suppress(BlockingIOError):
            while self._mailbox:
                for key in msgspec.msgpack.decode(self._mailbox.recv(_MAX_DATAGRAM_BYTES)):
                    touched.add(tuple(key) if isinstance(key, list) else key)
        if touched:
            heard(touched)


def connected(count: int) -> list[tuple[socket.socket, socket.socket]]:
    """`count` mailboxes: (the end that is read, the end that is written to), for workers about to be forked."""
    return [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(count)]
