"""The one clock. Everything that depends on time reads `ctx.now`, which comes from here; a test moves it.

("kernel", "clock") -> offset from the machine's time, or the instant at which it stands still
"""

from __future__ import annotations

import time
from typing import Protocol

import msgspec

from cloudlet.kernel.keys import Space
from cloudlet.kernel.tx import Tx

TOUCHED = "clock"
_KEY = Space("kernel").key("clock")


class ClockState(msgspec.Struct, frozen=True, array_like=True):
    """offset_ms is added to the machine's time; frozen_at (milliseconds), where set, is the time instead."""

    offset_ms: int = 0
    frozen_at: int | None = None


class _Readable(Protocol):
    def get(self, key: bytes) -> bytes | None: ...


class Clock:
    """Milliseconds since 1970. Its state lies in the store, so moved time survives a restart and all workers share it."""

    def __init__(self) -> None:
        self.state = ClockState()

    def now(self) -> int:
        state = self.state
        if state.frozen_at is not None:
            return state.frozen_at
        return self.machine_time() + state.offset_ms

    def machine_time(self) -> int:
        """The machine's own time, which signatures and their expiry go by, wherever the cloud's clock stands."""
        return time.time_ns() // 1_000_000

    def load(self, store: _Readable) -> None:
        raw = store.get(_KEY)
        self.state = msgspec.msgpack.decode(raw, type=ClockState) if raw else ClockState()

    def save(self, tx: Tx, state: ClockState) -> None:
        """Record a new state; the process takes it over at once, the others when the commit reaches them."""
        tx.put(_KEY, msgspec.msgpack.encode(state))
        tx.touch(TOUCHED)
        self.state = state

    def freeze_at(self, tx: Tx, instant: int) -> None:
        self.save(tx, ClockState(self.state.offset_ms, instant))

    def resume_from(self, tx: Tx, instant: int) -> None:
        """Run again, from `instant` on."""
        self.save(tx, ClockState(instant - self.machine_time()))


def seconds(count: float) -> int:
    """Seconds as the milliseconds that instants are counted in."""
    return int(count * 1000)
