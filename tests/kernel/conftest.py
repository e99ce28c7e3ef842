"""A kernel in the test's own thread, its loop run by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from cloudlet.kernel.context import Caller
from cloudlet.kernel.fault import Fault
from cloudlet.kernel.kernel import Kernel
from cloudlet.kernel.registry import Operation

CALLER = Caller("000000000000", "us-east-1", "arn:aws:iam::000000000000:root")


class Bench:
    """The kernel and what a test does with it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.open()

    def open(self) -> None:
        self.kernel = Kernel(self.folder, self.loop)
        self.kernel.start()

    def reopen(self) -> None:
        """As after an end of the process: whatever was not committed is gone."""
        self.kernel.close()
        self.turn()
        self.open()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    def turn(self) -> None:
        """One turn of the loop, and so the commit of what was written in the last."""
        self.run(asyncio.sleep(0.001))

    def submit(self, function: Any, req: dict[str, Any] | None = None) -> list[Any]:
        """Run a function as an operation; the list gets its answer (or Fault) when there is one."""
        answers: list[Any] = []

        def answer(result: Any, fault: Fault | None) -> None:
            answers.append(fault or result)

        operation = Operation("test", function.__name__, function, asyncio.iscoroutinefunction(function))
        self.call = self.kernel.submit(operation, CALLER, req or {}, answer, "request-1")
        return answers

    def close(self) -> None:
        self.kernel.close()
        self.turn()
        self.loop.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()
