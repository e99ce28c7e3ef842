"""Requests that wait for a key to be touched or for an instant, and are then run again."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterable
from typing import Any

from cloudlet.kernel.clock import Clock

_LONGEST_SLEEP_SECONDS = 3600.0


class Parked:
    """One waiting run. `again` is called once, when it is woken; never after `cancel`."""

    __slots__ = ("again", "alive", "keys", "until")

    def __init__(self, again: Callable[[], None], keys: list[Any], until: int):
        self.again = again
        self.keys = keys
        self.until = until
        self.alive = True


class Waits:
    """All that waits in this process. A real-time alarm follows the earliest `until` on the clock."""

    def __init__(self, clock: Clock, loop: asyncio.AbstractEventLoop):
        self._clock = clock
        self._loop = loop
        self._by_key: dict[Any, dict[int, Parked]] = {}
        self._due: list[tuple[int, int, Parked]] = []
        self._numbers = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def park(self, again: Callable[[], None], keys: list[Any], until: int) -> Parked:
        parked = Parked(again, keys, until)
        for key in keys:
            self._by_key.setdefault(key, {})[id(parked)] = parked
        heapq.heappush(self._due, (until, next(self._numbers), parked))
        if self._due[0][2] is parked:
            self.rearm()
        return parked

    def cancel(self, parked: Parked) -> None:
        parked.alive = False
        for key in parked.keys:
            waiting = self._by_key.get(key)
            if waiting:
                waiting.pop(id(parked), None)
                if not waiting:
                    del self._by_key[key]

    def wake(self, keys: Iterable[Any]) -> None:
        """Run again, in the order of their coming, all that wait on any of `keys`."""
        woken = [parked for key in keys for parked in self._by_key.get(key, {}).values()]
        self._run(woken)

    def wake_all(self) -> None:
        self._run([parked for _, _, parked in sorted(self._due, key=lambda entry: entry[1])])

    def wake_due(self) -> bool:
        """Run again what waits for an instant that has come; says whether there was any."""
        now, woken = self._clock.now(), []
        while self._due and (self._due[0][0] <= now or not self._due[0][2].alive):
            parked = heapq.heappop(self._due)[2]
            if parked.alive:
                woken.append(parked)
        self._run(woken)
        self.rearm()
        return bool(woken)

    def next_due(self) -> int | None:
        while self._due and not self._due[0][2].alive:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def rearm(self) -> None:
        """Set the alarm anew: after the clock was moved, or an earlier instant has come to wait for."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        due = self.next_due()
        if due is None or self._clock.state.frozen_at is not None:
            return
        delay = min(max(due - self._clock.now(), 0) / 1000, _LONGEST_SLEEP_SECONDS)
        self._alarm = self._loop.call_later(delay + 0.0005, self.wake_due)

    def _run(self, woken: list[Parked]) -> None:
        for parked in woken:
            if parked.alive:
                self.cancel(parked)
                parked.again()
