"""What a queue and a bucket cost as they fill: `python -m bench.growth [--size 1000000]`.

The store is filled in process, then served by `cloudlet start`; one client receives single messages, and lists pages of 100
keys at random places. Printed: server CPU per request and resident memory, at 1,000 and at the given size, and their ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from pathlib import Path

from cloudlet.app import Cloud, Settings
from cloudlet.kernel.context import Caller
from cloudlet.services.s3 import rows, versions
from tests.crash.harness import Client, Server

_REQUESTS = 700
_A_COMMIT = 1000
_CALLER = Caller("000000000000", "us-east-1", "bench")
_TICKS = os.sysconf("SC_CLK_TCK")


def fill(folder: Path, size: int) -> None:
    """A queue and a bucket with `size` messages and keys."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    cloud = Cloud(Settings(data=folder), loop)
    kernel = cloud.kernel

    def run(service: str, operation: str, req: dict[str, object]) -> None:
        kernel.transact(lambda ctx: ctx.call(service, operation, req), _CALLER)

    url = "http://localhost:4566/000000000000/grow"
    run("sqs", "CreateQueue", {"QueueName": "grow", "Attributes": {"VisibilityTimeout": "900"}})
    run("s3", "CreateBucket", {"Bucket": "grow"})
    for number in range(0, size, 10):
        entries = [{"Id": str(n), "MessageBody": f"message {number + n} " + "x" * 80} for n in range(10)]
        run("sqs", "SendMessageBatch", {"QueueUrl": url, "Entries": entries})
        if number % _A_COMMIT == 0:
            kernel.transactions.commit()
    for number in range(size):
        kernel.transact(lambda ctx, number=number: _put_key(ctx, f"key-{number:09d}"), _CALLER)  # type: ignore[misc]
        if number % _A_COMMIT == 0:
            kernel.transactions.commit()
    cloud.close()
    loop.close()


def _put_key(ctx: object, key: str) -> None:
    bucket = rows.BUCKETS.get(ctx.tx, "grow")  # type: ignore[attr-defined]
    assert bucket
    sequence, identity = versions.new_ids(ctx, bucket)  # type: ignore[arg-type]
    checksum = rows.Checksum("CRC64NVME", "FULL_OBJECT", "AAAAAAAAAAA=")
    etag = "d41d8cd98f00b204e9800998ecf8427e"
    version = rows.ObjectVersion(key, 0, etag, ctx.now, "STANDARD", checksum, identity, sequence, _CALLER.account)  # type: ignore[attr-defined]
    versions.put(ctx, bucket, version)  # type: ignore[arg-type]


def measure(folder: Path, size: int) -> dict[str, float]:
    """CPU in microseconds for a request of each kind, and memory in MiB."""
    server = Server(folder)
    server.start()
    client, pid = Client(server.port), server.process.pid
    chance = random.Random(1)

    def receive() -> None:
        found = client.json("ReceiveMessage", {"QueueUrl": client.url + "grow"})
        assert found["Messages"]

    def page() -> None:
        after = f"key-{chance.randrange(max(1, size - 200)):09d}"
        assert client.s3("GET", f"/grow?list-type=2&max-keys=100&start-after={after}").count(b"<Key>") == 100

    out = {"receive": _cpu(pid, receive), "list": _cpu(pid, page), "memory": _resident(pid)}
    server.stop()
    return out


def _cpu(pid: int, request: object) -> float:
    for _ in range(100):
        request()  # type: ignore[operator]
    before = _ticks(pid)
    for _ in range(_REQUESTS):
        request()  # type: ignore[operator]
    return (_ticks(pid) - before) / _TICKS * 1e6 / _REQUESTS


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    given = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in (1000, given.size):
            data = Path(folder) / str(size) / "data"
            fill(data, size)
            found[size] = measure(data, size)
            print(size, {name: round(value, 1) for name, value in found[size].items()}, flush=True)
    small, large = found[1000], found[given.size]
    print(f"receive x {large['receive'] / small['receive']:.2f}, list x {large['list'] / small['list']:.2f}")
    print(f"memory + {large['memory'] - small['memory']:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
