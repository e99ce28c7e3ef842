"""`cloudlet start`: one server process, or a parent with several workers on one port and one store."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import uvloop

from cloudlet import __version__
from cloudlet.app import SERVICES, Cloud, Settings
from cloudlet.cli.hooks import Hooks
from cloudlet.cli.settings import Options, Wrong, read
from cloudlet.gateway import tls
from cloudlet.gateway.server import listen
from cloudlet.kernel.peers import Peers, connected
from cloudlet.kernel.store import FolderLock, StoreError

_DETACHED = "CLOUDLET_DETACHED_LOG"
_READY_SECONDS = 30.0
_RESTART_PAUSE_SECONDS = 0.2
_PARENT_WATCH_SECONDS = 0.5
_GC_THRESHOLD = 50_000
_log = logging.getLogger("cloudlet")


def start(given: Namespace, environment: Mapping[str, str]) -> int:
    """The exit status: 0 after a stop that was asked for, 1 for what kept it from starting."""
    try:
        options = read(given, environment)
        unknown = sorted((options.services or frozenset()) - set(SERVICES))
        if unknown:
            _log.warning("unknown services are left out: %s", ", ".join(unknown))
        if given.detach and _DETACHED not in environment:
            return _detach(options, environment)
        return _serve(options, environment)
    except (Wrong, StoreError) as error:
        print(f"cloudlet: {error}", file=sys.stderr)
        return 1


def _serve(options: Options, environment: Mapping[str, str]) -> int:
    level = logging.DEBUG if options.debug else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    sockets = _listen(options)
    lock = FolderLock(options.data)
    try:
        if options.workers == 1:
            return _Worker(options, environment, sockets, None, os.getpid()).run()
        return _Parent(options, environment, sockets).run()
    finally:
        lock.release()
        if options.ephemeral:
            shutil.rmtree(options.data, ignore_errors=True)


def _listen(options: Options) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    for host, port in options.listen:
        try:
            sockets += listen(host, port)
        except socket.gaierror:
            raise Wrong(f"The host {host} is not known.") from None
        except PermissionError:
            raise Wrong(f"Port {port} on {host} may not be used; choose one above 1023 with --port.") from None
        except OSError as error:
            raise Wrong(
                f"Port {port} on {host} is taken or cannot be used ({error.strerror}); choose another with --port."
            ) from None
    return sockets


class _Worker:
    """One process that serves. The first one also runs init hooks and prints the banner."""

    def __init__(
        self, options: Options, environment: Mapping[str, str], sockets: list[socket.socket], peers: Peers | None, parent: int
    ):
        self._options = options
        self._environment = environment
        self._sockets = sockets
        self._peers = peers
        self._parent = parent
        self._stopping = False

    def run(self) -> int:
        started = time.perf_counter()
        loop = uvloop.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop
        options = self._options
        settings = Settings(
            data=options.data,
            durability=options.durability,
            services=options.services,
            verify_signatures=options.verify_signatures,
            secrets=options.secrets,
            options=options.options,
        )
        cloud = Cloud(settings, loop, peers=self._peers, stop=self._stop_all)
        cloud.pages.info.update(
            pid=self._parent,
            workers=options.workers,
            log=self._environment.get(_DETACHED),
            ca=str(tls.ca_file(options.data)),
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        first = self._peers is None or self._peers.leader
        if self._peers:
            self._watch_parent()
        hooks = Hooks(self._endpoint(), self._environment)
        cloud.pages.hooks = hooks.state
        if first:
            loop.run_until_complete(hooks.run("BOOT"))
        if options.eager:
            for name in cloud.catalog.packages:
                cloud.catalog.provider(name)
        cloud.start(self._sockets)
        self._certificate = tls.make_certificate(options.data) if first else None
        if first:
            self._starting = loop.create_task(self._ready(hooks, started))
        else:
            hooks.state["completed"] = dict.fromkeys(hooks.state["completed"], True)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, 50, 50)
        loop.run_forever()
        if first:
            loop.run_until_complete(hooks.run("SHUTDOWN"))
        cloud.close()
        if self._certificate:
            self._certificate.wait()
        return 0

    async def _ready(self, hooks: Hooks, started: float) -> None:
        await hooks.run("START")
        options = self._options
        kept = "a temporary folder, gone when the server stops" if options.ephemeral else options.data
        print(f"Cloudlet {__version__}")
        print(f"Endpoint: {self._endpoint()}")
        print(f"State:    {kept}")
        print("Ready.", flush=True)
        _log.debug("ready after %.0f ms", (time.perf_counter() - started) * 1000)
        await hooks.run("READY")

    def _endpoint(self) -> str:
        host = self._options.listen[0][0]
        shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "") else host
        return f"http://{shown}:{self._sockets[0].getsockname()[1]}"

    def _watch_parent(self) -> None:
        """A worker does not outlive its parent, whatever killed that."""
        if os.getppid() != self._parent:
            self._stop()
        self._loop.call_later(_PARENT_WATCH_SECONDS, self._watch_parent)

    def _stop_all(self) -> None:
        if self._parent == os.getpid():
            self._stop()
        else:
            os.kill(self._parent, signal.SIGTERM)

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._loop.stop()


class _Parent:
    """Forks the workers, starts one anew that dies, and ends them all together."""

    def __init__(self, options: Options, environment: Mapping[str, str], sockets: list[socket.socket]):
        self._options = options
        self._environment = environment
        self._sockets = sockets
        self._mailboxes = connected(options.workers)
        self._numbers: dict[int, int] = {}
        self._stopping = False

    def run(self) -> int:
        for number in range(self._options.workers):
            self._fork(number)
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: self._stop())
        while self._numbers:
            try:
                pid, status = os.wait()
            except InterruptedError:
                continue
            number = self._numbers.pop(pid, -1)
            if number >= 0 and not self._stopping:
                _log.error("worker %d (process %d) ended with status %d; starting it anew", number, pid, status)
                time.sleep(_RESTART_PAUSE_SECONDS)
                self._fork(number)
        return 0

    def _fork(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self._numbers[pid] = number
            return
        status = 1
        try:
            others = [box[1] for index, box in enumerate(self._mailboxes) if index != number]
            peers = Peers(number, self._mailboxes[number][0], others)
            status = _Worker(self._options, self._environment, self._sockets, peers, os.getppid()).run()
        except (StoreError, Wrong) as error:
            print(f"cloudlet: {error}", file=sys.stderr)
        except BaseException:
            _log.exception("worker %d failed", number)
        finally:
            os._exit(status)

    def _stop(self) -> None:
        self._stopping = True
        for pid in self._numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def _detach(options: Options, environment: Mapping[str, str]) -> int:
    """Start the same command in the background and wait for its `Ready.`"""
    if not options.ephemeral:
        options.data.mkdir(parents=True, exist_ok=True)
    elif options.data.exists():
        options.data.rmdir()
    folder = Path.cwd() if options.ephemeral else options.data
    log = folder / "cloudlet.log"
    with open(log, "wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "cloudlet", *sys.argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**environment, _DETACHED: str(log)},
        )
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        if child.poll() is not None:
            print(text.strip() or "cloudlet: the server ended at once", file=sys.stderr)
            return 1
        if "Ready." in text.splitlines():
            print(text[: text.index("Ready.") + 6])
            return 0
        time.sleep(0.02)
    print(f"cloudlet: the server is not ready after {_READY_SECONDS:.0f} seconds; its log is {log}", file=sys.stderr)
    return 1
