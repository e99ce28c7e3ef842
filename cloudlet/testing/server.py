"""A Cloudlet in the test's own process: a thread with an event loop, a store in a temporary folder, a clock of its own.

with InProcessServer() as cloud:
    sqs = boto3.client("sqs", endpoint_url=cloud.endpoint, ...)
    cloud.advance("15m")
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from cloudlet.app import Cloud, Settings
from cloudlet.gateway.pages import duration_ms
from cloudlet.gateway.server import listen

T = TypeVar("T")


class InProcessServer:
    """Runs from `__enter__` (or `start`) to `__exit__` (or `stop`). data: keep the state there instead of a temporary folder."""

    def __init__(self, data: Path | None = None, **settings: Any):
        self._folder = Path(tempfile.mkdtemp(prefix="cloudlet-")) if data is None else data
        self._temporary = data is None
        self._settings = Settings(data=self._folder, **settings)
        self._started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="cloudlet", daemon=True)
        self.sockets: list[socket.socket] = listen("127.0.0.1", 0)
        self.port: int = self.sockets[0].getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def start(self) -> InProcessServer:
        self._thread.start()
        self._started.result(timeout=30)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> InProcessServer:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def advance(self, duration: str) -> None:
        """Move the clock on by `15m`, `2h`, `7d`, ...; returns when all that fell due has run."""
        asyncio.run_coroutine_threadsafe(self.cloud.kernel.advance(duration_ms(duration)), self._loop).result(timeout=120)

    def freeze(self) -> int:
        """Stop the clock; the instant, in milliseconds. From then on only `advance` moves it."""

        def stop() -> int:
            kernel = self.cloud.kernel
            instant = kernel.clock.now()
            kernel.transactions.run(lambda tx: kernel.clock.freeze_at(tx, instant))
            return instant

        return self.run(stop)

    def reset(self) -> None:
        self.run(lambda: self.cloud.kernel.reset())

    def run(self, function: Callable[[], T]) -> T:
        """Call a function on the server's own thread."""

        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(timeout=60)

    def _run(self) -> None:
        self._loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self._loop)
        try:
            self.cloud = Cloud(self._settings, self._loop)
            self.cloud.start(self.sockets)
        except BaseException as error:
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        self._loop.run_forever()
        self.cloud.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
