"""Randomness and sequence: the only place that draws either. Operations reach it as `ctx.new_id()` and its kin."""

from __future__ import annotations

import os
import random
import time

_source = random.SystemRandom()
_PREFETCHED_BYTES = 4096


class Ids:
    """Random identifiers, and numbers that only grow within a store.

    worker: 0..255, the process's number among those that share a store; it keeps their sequences apart.
    """

    def __init__(self, worker: int = 0):
        self._worker = worker & 0xFF
        self._last = 0
        self._pool = b""
        self._at = 0

    def random_bytes(self, count: int) -> bytes:
        """Bytes of the system's generator, drawn in large pieces because the call costs more than the bytes."""
        if self._at + count > len(self._pool):
            self._pool, self._at = os.urandom(max(count, _PREFETCHED_BYTES)), 0
        self._at += count
        return self._pool[self._at - count : self._at]

    def uuid(self) -> str:
        """A random UUID (version 4) in its usual form."""
        h = self.random_bytes(16).hex()
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"

    def hex(self, digits: int) -> str:
        return self.random_bytes((digits + 1) // 2).hex()[:digits]

    def text(self, length: int, alphabet: str) -> str:
        return "".join(alphabet[_source.randrange(len(alphabet))] for _ in range(length))

    def sequence(self) -> int:
        """A number greater than any given before by this process, and by earlier ones on the same machine.

        It follows the machine's time in 1/4 microseconds above eight bits of worker, so two workers never agree.
        """
        value = (time.time_ns() // 250) << 8 | self._worker
        if value <= self._last:
            value = self._last + 256
        self._last = value
        return value
