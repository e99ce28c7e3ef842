"""The brakes of one connection, in both directions."""

from __future__ import annotations

import asyncio


class Flow(asyncio.Protocol):
    """Reading stops while anyone wants it stopped; `drained` waits while the client takes less than is written."""

    _transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._pauses = 0
        self._free: asyncio.Future[None] | None = None

    def pause_reading(self) -> None:
        """Each call is to be followed by one of `resume_reading`."""
        self._pauses += 1
        if self._pauses == 1 and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._pauses -= 1
        if self._pauses == 0 and not self._transport.is_closing():
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        if self._free is None:
            self._free = self._loop.create_future()

    def resume_writing(self) -> None:
        free, self._free = self._free, None
        if free and not free.done():
            free.set_result(None)

    async def drained(self) -> None:
        """Returns once there is room to write. Raises ConnectionResetError where the client has left."""
        if self._free:
            await asyncio.shield(self._free)  # several streams of a connection may wait for the same room
        if self._transport.is_closing():
            raise ConnectionResetError
