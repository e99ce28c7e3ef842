"""A connection without a client library between: bytes out, responses in."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cloudlet.kernel.keys import Space
from cloudlet.testing.server import InProcessServer

_REFERENCES = Space("blobs")
JSON_1_0 = "application/x-amz-json-1.0"


def scope(service: str) -> str:
    """An Authorization header that names a service; its signature is not checked."""
    credential = f"test/20260101/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """One connection to a server; reads time out after ten seconds, so that a hang is a failed test."""

    def __init__(self, connected: socket.socket):
        self.socket = connected
        self._read = connected.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self, *, head: bool = False) -> Reply:
        """The next response, its body whole. Raises ConnectionError where the server closes instead."""
        line = self._read.readline()
        if not line:
            raise ConnectionError("closed without a response")
        status = int(line.split()[1])
        headers: dict[str, str] = {}
        while (field := self._read.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if head or status < 200 or status in (204, 304):
            return Reply(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Reply(status, headers, self._chunks())
        return Reply(status, headers, self._read.read(int(headers["content-length"])))

    def _chunks(self) -> bytes:
        out = b""
        while size := int(self._read.readline(), 16):
            out += self._read.read(size)
            self._read.readline()
        self._read.readline()
        return out

    def rest(self) -> bytes:
        """All that comes until the server closes; b"" where it closed with a reset."""
        try:
            return self._read.read()
        except ConnectionError:
            return b""

    def is_closed(self) -> bool:
        return self.rest() == b""

    def close(self) -> None:
        self._read.close()
        self.socket.close()


@contextmanager
def connection(cloud: InProcessServer, *, receive_buffer: int | None = None) -> Iterator[Raw]:
    made = socket.socket()
    made.settimeout(10)
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.connect(("127.0.0.1", cloud.port))
    raw = Raw(made)
    try:
        yield raw
    finally:
        raw.close()


def request(method: str, target: str, body: bytes | None = None, **headers: str) -> bytes:
    """A request's bytes; the body's length is told unless `transfer_encoding` is."""
    fields = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body is not None and "transfer-encoding" not in fields:
        fields.setdefault("content-length", str(len(body)))
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode("latin-1") + b"\r\n" + (body or b"")


def sqs(operation: str, body: bytes, **headers: str) -> bytes:
    fields = {"content_type": JSON_1_0, "x_amz_target": f"AmazonSQS.{operation}", "authorization": scope("sqs")}
    return request("POST", "/", body, **(fields | headers))


def ask(cloud: InProcessServer, data: bytes) -> Reply:
    """One request on a connection of its own."""
    with connection(cloud) as raw:
        raw.send(data)
        return raw.reply()


def settle(cloud: InProcessServer) -> None:
    """Wait until the server has done what it had at hand: the news of a connection's end goes through a few turns of its loop."""
    for _ in range(20):
        cloud.run(lambda: None)


def blob_files(cloud: InProcessServer) -> list[Path]:
    folder: Path = cloud.cloud.kernel.folder / "blobs"
    return [path for path in folder.rglob("*") if path.is_file()]


def unreferenced(cloud: InProcessServer) -> list[str]:
    """Blob files that nothing names, apart from those whose end is already set for a few seconds from now."""

    def look() -> list[str]:
        store = cloud.cloud.kernel.store
        blobs: Any = cloud.cloud.kernel.blobs
        names = [path.parent.name + path.name for path in blob_files(cloud)]
        return [name for name in names if store.get(_REFERENCES.key(name)) is None and blobs.path(name).exists()]

    return cloud.run(look)


def resident_bytes() -> int:
    """The memory that this process, and with it the server, holds now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
