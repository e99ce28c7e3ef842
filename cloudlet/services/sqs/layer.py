"""Queues and messages as rows, and where they lie. The verbs on messages are in `standard` and `fifo`.

    ("sqs", "queue", account, region, name) -> Queue
    ("sqs", "m", queue id, part, ...)       all that a queue holds; purging is clearing this range
        "count"                             -> messages in all, and in flight: two numbers in one counter
        "delayed"                           -> how many of them are delayed
        "body", sent at, seq                -> a body too large to be rewritten with its message
        (the other parts: see `standard` and `fifo`)

A queue's id is new at every creation, so a queue made anew under an old name never shows what the old one held.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.keys import Space
from cloudlet.kernel.tables import Table
from cloudlet.kernel.tx import Tx

MESSAGES = Space("sqs", "m")
IN_FLIGHT_LIMIT = 120_000
_INLINE_BODY_CHARACTERS = 2048
_ONE_IN_FLIGHT = 1 << 32
_ALL = _ONE_IN_FLIGHT - 1


class Queue(msgspec.Struct, frozen=True, array_like=True):
    """A queue with its attributes as they are used: durations in seconds, sizes in bytes, created and modified in seconds.

    dead_letter_arn, max_receive_count: the redrive policy. redrive_allow, policy: JSON as it was set. purged: milliseconds.
    """

    account: str
    region: str
    name: str
    id: int
    created: int
    modified: int
    visibility_timeout: int = 30
    delay: int = 0
    max_size: int = 1_048_576
    retention: int = 345_600
    wait: int = 0
    fifo: bool = False
    content_dedup: bool = False
    dedup_scope: str = "queue"
    throughput: str = "perQueue"
    dead_letter_arn: str | None = None
    max_receive_count: int = 0
    redrive_allow: str | None = None
    policy: str | None = None
    kms_key: str | None = None
    kms_reuse: int = 300
    managed_sse: bool = True
    tags: dict[str, str] = {}
    purged: int = 0

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{self.region}:{self.account}:{self.name}"

    @property
    def topic(self) -> tuple[str, int]:
        """What a receive waits on and a change of the queue's content touches."""
        return ("sqs", self.id)


QUEUES: Table[Queue] = Table(
    "sqs",
    "queue",
    row=Queue,
    key=("account", "region", "name"),
    indexes={"dead-letter": lambda queue: (queue.dead_letter_arn,) if queue.dead_letter_arn else None},
)


class Message(msgspec.Struct, frozen=True, array_like=True):
    """One message in a queue; instants are milliseconds.

    seq: its place in the queue's order. body: None where it lies in a row of its own. visible_at: the end of its delay or its
    lease. leased_at: the start of its last lease. source: the ARN of the queue whose dead letter it is.
    """

    id: str
    seq: int
    body: str | None
    md5: str
    sender: str
    sent_at: int
    visible_at: int
    attributes: dict[str, dict[str, Any]] | None = None
    md5_attributes: str | None = None
    trace: str | None = None
    group: str | None = None
    dedup: str | None = None
    receive_count: int = 0
    first_received: int = 0
    leased_at: int = 0
    source: str | None = None


class Receipt(NamedTuple):
    """What a receipt handle tells: the queue's id, the message, the number of its receive, and the group in a FIFO queue."""

    queue: int
    sent_at: int
    seq: int
    receive_count: int
    group: str


class Counts(NamedTuple):
    visible: int
    in_flight: int
    delayed: int


encode_message = msgspec.msgpack.Encoder().encode
decode_message = msgspec.msgpack.Decoder(Message).decode


def part_range(queue: Queue, part: str) -> tuple[bytes, bytes]:
    """The keys of one part of a queue."""
    prefix = MESSAGES.key(queue.id, part)
    return prefix, prefix + b"\xff"


def find_by_arn(tx: Tx, arn: str) -> Queue | None:
    pieces = arn.split(":")
    if len(pieces) != 6 or pieces[2] != "sqs":
        return None
    return QUEUES.get(tx, pieces[4], pieces[3], pieces[5])


def count(tx: Tx, queue: Queue, messages: int, *, in_flight: int = 0) -> None:
    """Add to the number of messages, and to the number of those in flight."""
    tx.add(MESSAGES.key(queue.id, "count"), messages + in_flight * _ONE_IN_FLIGHT)


def count_delayed(tx: Tx, queue: Queue, messages: int) -> None:
    tx.add(MESSAGES.key(queue.id, "delayed"), messages)


def counted(tx: Tx, queue: Queue) -> tuple[int, int, int]:
    """Messages in all, in flight and delayed, as last written; leases and delays that have ended since are still among them."""
    both = tx.counter(MESSAGES.key(queue.id, "count"))
    return both & _ALL, both >> 32, tx.counter(MESSAGES.key(queue.id, "delayed"))


def in_flight(tx: Tx, queue: Queue) -> int:
    return tx.counter(MESSAGES.key(queue.id, "count")) >> 32


def store_body(tx: Tx, queue: Queue, message: Message) -> Message:
    """The message as its row shall hold it; a large body goes into a row of its own."""
    body = message.body
    if body is None or len(body) <= _INLINE_BODY_CHARACTERS:
        return message
    tx.put(MESSAGES.key(queue.id, "body", message.sent_at, message.seq), body.encode())
    return msgspec.structs.replace(message, body=None)


def load_body(tx: Tx, queue: Queue, message: Message) -> str:
    if message.body is not None:
        return message.body
    raw = tx.get(MESSAGES.key(queue.id, "body", message.sent_at, message.seq))
    return raw.decode() if raw else ""


def drop_body(tx: Tx, queue: Queue, message: Message) -> None:
    if message.body is None:
        tx.delete(MESSAGES.key(queue.id, "body", message.sent_at, message.seq))


def expired_before(queue: Queue, now: int) -> int:
    """Messages sent at this instant or earlier have outlived the retention period."""
    return now - queue.retention * 1000


def spent(queue: Queue, message: Message) -> bool:
    """Whether the message was received as often as the redrive policy allows."""
    return 0 < queue.max_receive_count <= message.receive_count


def clear_messages(ctx: Context, queue: Queue) -> None:
    ctx.tx.clear_space(MESSAGES(queue.id))
    ctx.tx.touch(queue.topic)
