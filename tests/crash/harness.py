"""Kills a server under load and counts what is missing.

Clients write messages and objects, and delete messages, as fast as they can, noting what was acknowledged. Then `kill -9`, a
restart on the same folder, and an audit: everything acknowledged is there, nothing deleted comes back, and whatever is there
is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

CLIENTS = 8
QUEUE, WORK, BUCKET = "crash-sends", "crash-work", "crash-objects"
_LARGE_BYTES = 100_000
_AUTH = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


class Server:
    """A `cloudlet start` process on a free port."""

    def __init__(self, folder: Path, *options: str):
        self._command = [sys.executable, "-m", "cloudlet", "start", "--host", "127.0.0.1", "--port", "0", "--data", str(folder)]
        self._command += options
        self._log = open(folder.parent / "server.log", "ab")  # noqa: SIM115

    def start(self) -> float:
        """Start it; the seconds until the first answered request."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._log, text=True, start_new_session=True
        )
        assert self.process.stdout
        for line in self.process.stdout:
            if found := re.match(r"Endpoint: http://[^:]+:(\d+)", line):
                self.port = int(found[1])
            if line.strip() == "Ready.":
                break
        else:
            raise RuntimeError("the server did not start; see server.log")
        Client(self.port).json("ListQueues", {})
        return time.monotonic() - began

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=30)


class Client:
    """A bare HTTP client: one connection, no retries."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.url = f"http://127.0.0.1:{port}/000000000000/"

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body=body, headers=headers)
        response = self._connection.getresponse()
        data = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {data[:300]!r}")
        return data

    def json(self, operation: str, body: dict[str, object]) -> dict[str, object]:
        headers = {
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": _AUTH.format("sqs"),
        }
        found: dict[str, object] = json.loads(self.ask("POST", "/", json.dumps(body).encode(), headers) or b"{}")
        return found

    def s3(self, method: str, path: str, body: bytes = b"") -> bytes:
        return self.ask(method, quote(path, safe="/?=&-"), body, {"Authorization": _AUTH.format("s3")})


@dataclass
class Ledger:
    """What was acknowledged."""

    sent: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)


@dataclass
class Report:
    """One round's outcome."""

    acknowledged: int
    missing: list[str]
    broken: list[str]
    restart_seconds: float


def content(key: str) -> bytes:
    """The body that belongs to a key: from a few bytes to a blob."""
    seed = hashlib.sha256(key.encode()).digest()
    return seed * (1 + seed[0] % 20) if seed[1] % 4 else seed * (_LARGE_BYTES // 32)


def prepare(server: Server) -> None:
    client = Client(server.port)
    for queue in (QUEUE, WORK):
        client.json("CreateQueue", {"QueueName": queue, "Attributes": {"VisibilityTimeout": "1"}})
    client.s3("PUT", f"/{BUCKET}")


def round_of_load(server: Server, ledger: Ledger, name: str, seconds: float) -> Report:
    """Load for `seconds`, kill, restart, audit."""
    before = len(ledger.sent) + len(ledger.deleted) + len(ledger.stored)
    threads = [
        threading.Thread(target=_load, args=(server.port, ledger, f"{name}-{number}"), daemon=True) for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    server.kill()
    for thread in threads:
        thread.join()
    acknowledged = len(ledger.sent) + len(ledger.deleted) + len(ledger.stored) - before
    restart = server.start()
    missing, broken = _audit(server, ledger)
    return Report(acknowledged, missing, broken, restart)


def _load(port: int, ledger: Ledger, name: str) -> None:
    """Write until the server is gone."""
    client, chance = Client(port), random.Random(name)
    with contextlib.suppress(OSError, http.client.HTTPException):
        for number in range(1_000_000):
            text = f"{name}-{number}"
            match chance.randrange(4):
                case 0:
                    client.json("SendMessage", {"QueueUrl": client.url + QUEUE, "MessageBody": text})
                    ledger.sent.add(text)
                case 1:
                    client.s3("PUT", f"/{BUCKET}/{text}", content(text))
                    ledger.stored.add(text)
                case 2:
                    client.json("SendMessage", {"QueueUrl": client.url + WORK, "MessageBody": text})
                case 3:
                    _work(client, ledger)


def _work(client: Client, ledger: Ledger) -> None:
    found = client.json("ReceiveMessage", {"QueueUrl": client.url + WORK, "VisibilityTimeout": 30})
    for message in found.get("Messages", []):  # type: ignore[attr-defined]
        client.json("DeleteMessage", {"QueueUrl": client.url + WORK, "ReceiptHandle": message["ReceiptHandle"]})
        ledger.deleted.add(message["Body"])


def _audit(server: Server, ledger: Ledger) -> tuple[list[str], list[str]]:
    client = Client(server.port)
    present, broken = set(_drain(client, QUEUE)), []
    missing = sorted(ledger.sent - present)
    ledger.sent.clear()  # drained now
    keys = set(_keys(client))
    missing += sorted(ledger.stored - keys)
    for key in keys:
        if client.s3("GET", f"/{BUCKET}/{key}") != content(key):
            broken.append(key)
    for key in keys:
        client.s3("DELETE", f"/{BUCKET}/{key}")
    ledger.stored.clear()
    client.ask("POST", "/_cloudlet/clock/advance", b'{"by": "60s"}', {})
    broken += sorted(f"came back: {text}" for text in set(_drain(client, WORK)) & ledger.deleted)
    ledger.deleted.clear()
    return missing, broken


def _drain(client: Client, queue: str) -> list[str]:
    bodies: list[str] = []
    while True:
        found = client.json(
            "ReceiveMessage", {"QueueUrl": client.url + queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 300}
        )
        messages = found.get("Messages", [])
        if not messages:
            return bodies
        for message in messages:  # type: ignore[attr-defined]
            assert hashlib.md5(message["Body"].encode()).hexdigest() == message["MD5OfBody"]
            bodies.append(message["Body"])
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]  # type: ignore[arg-type]
        client.json("DeleteMessageBatch", {"QueueUrl": client.url + queue, "Entries": entries})


def _keys(client: Client) -> list[str]:
    keys: list[str] = []
    while True:
        after = f"&start-after={keys[-1]}" if keys else ""
        page = re.findall(r"<Key>([^<]+)</Key>", client.s3("GET", f"/{BUCKET}?list-type=2{after}").decode())
        if not page:
            return keys
        keys += page
