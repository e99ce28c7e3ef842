"""The messages of a standard queue. Every verb costs the same at any depth of the queue.

    ("sqs", "m", queue id, "ready", available at, seq) -> Message   can be received
    ("sqs", "m", queue id, "hidden", seq)              -> Message   in flight or delayed
    ("sqs", "m", queue id, "due", visible at, seq)     -> b"f" in flight, b"d" delayed: when a hidden one is ready again
    ("sqs", "m", queue id, "back", sent at, seq)       -> available at, for a ready message that was received before

A message lies in one place only, so that sending writes it once. A receive first brings back what has come due, then takes
from the oldest.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cloudlet.kernel.tx import Tx
from cloudlet.services.sqs.layer import (
    MESSAGES,
    Counts,
    Message,
    Queue,
    Receipt,
    count,
    count_delayed,
    counted,
    decode_message,
    drop_body,
    encode_message,
    expired_before,
    part_range,
    spent,
    store_body,
)

_FLIGHT, _DELAY = b"f", b"d"
_MARGIN = 5
_FEW = 100
Bury = Callable[[Message], bool]


def push(tx: Tx, queue: Queue, message: Message, now: int) -> None:
    """Put a message on the queue; it can be received from its `visible_at` on."""
    message = store_body(tx, queue, message)
    if message.visible_at > now:
        _hide(tx, queue, message, _DELAY)
        count_delayed(tx, queue, 1)
    else:
        tx.put(MESSAGES.key(queue.id, "ready", message.visible_at, message.seq), encode_message(message))
    count(tx, queue, 1)
    tx.touch(queue.topic)


def lease(tx: Tx, queue: Queue, now: int, limit: int, timeout_ms: int, bury: Bury) -> list[Message]:
    """Take up to `limit` messages, each invisible for `timeout_ms` from now.

    bury: asked about a message that was received as often as the redrive policy allows; True where it moved it elsewhere.
    """
    _bring_back(tx, queue, now, limit + _MARGIN)
    taken: list[Message] = []
    start, end = part_range(queue, "ready")
    oldest = expired_before(queue, now)
    while (missing := limit - len(taken)) > 0:
        rows = tx.scan(start, end, missing)
        if rows and MESSAGES.parts(rows[0][0])[2] <= oldest:
            expire(tx, queue, now)
            rows = tx.scan(start, end, missing)
        for key, row in rows:
            message = decode_message(row)
            if message.sent_at <= oldest or (spent(queue, message) and bury(message)):
                _forget_ready(tx, queue, message, key)
            else:
                tx.delete(key)
                taken.append(message)
        if len(rows) < missing:
            break
        start = rows[-1][0] + b"\0"
    return [_leased(tx, queue, message, now, timeout_ms) for message in taken]


def find_in_flight(tx: Tx, queue: Queue, receipt: Receipt) -> Message | None:
    """The message in flight that a receipt stands for; its lease may have run out."""
    row = tx.get(MESSAGES.key(queue.id, "hidden", receipt.seq))
    return decode_message(row) if row else None


def exists(tx: Tx, queue: Queue, receipt: Receipt) -> bool:
    """Whether the message of a receipt that is not in flight is still in the queue."""
    return tx.get(MESSAGES.key(queue.id, "back", receipt.sent_at, receipt.seq)) is not None


def hide_until(tx: Tx, queue: Queue, message: Message, visible_at: int, now: int) -> None:
    """Give a message in flight another end of its lease; one that is not in the future ends it now."""
    tx.delete(MESSAGES.key(queue.id, "due", message.visible_at, message.seq))
    message = msgspec.structs.replace(message, visible_at=max(visible_at, now))
    if visible_at > now:
        _hide(tx, queue, message, _FLIGHT)
    else:
        _make_ready(tx, queue, message)
        count(tx, queue, 0, in_flight=-1)
    tx.touch(queue.topic)


def delete(tx: Tx, queue: Queue, receipt: Receipt) -> None:
    """Delete a received message, even where its lease has run out. One that is gone already is no error."""
    hidden = MESSAGES.key(queue.id, "hidden", receipt.seq)
    row = tx.get(hidden)
    if row is not None:
        message = decode_message(row)
        tx.delete(hidden)
        tx.delete(MESSAGES.key(queue.id, "due", message.visible_at, message.seq))
        drop_body(tx, queue, message)
        count(tx, queue, -1, in_flight=-1)
        return
    back = tx.get(MESSAGES.key(queue.id, "back", receipt.sent_at, receipt.seq))
    if back is not None:
        ready = MESSAGES.key(queue.id, "ready", int.from_bytes(back, "big"), receipt.seq)
        row = tx.get(ready)
        if row is not None:
            _forget_ready(tx, queue, decode_message(row), ready)


def expire(tx: Tx, queue: Queue, now: int) -> None:
    """Delete the ready messages that have outlived the retention period: one by one while they are few, else as ranges."""
    last = expired_before(queue, now)
    ready, _ = part_range(queue, "ready")
    end = MESSAGES.key(queue.id, "ready", last + 1)
    rows = tx.scan(ready, end, _FEW + 1)
    if len(rows) <= _FEW:
        for key, row in rows:
            _forget_ready(tx, queue, decode_message(row), key)
        return
    count(tx, queue, -tx.count(ready, end))
    tx.clear(ready, end)
    for part in ("body", "back"):
        tx.clear(part_range(queue, part)[0], MESSAGES.key(queue.id, part, last + 1))


def counts(tx: Tx, queue: Queue, now: int) -> Counts:
    """How many messages are in each state now."""
    total, flying, delayed = counted(tx, queue)
    if total <= 0:
        return Counts(0, 0, 0)
    for _, kind in tx.scan(part_range(queue, "due")[0], MESSAGES.key(queue.id, "due", now + 1)):
        if kind == _FLIGHT:
            flying -= 1
        else:
            delayed -= 1
    expired = tx.count(part_range(queue, "ready")[0], MESSAGES.key(queue.id, "ready", expired_before(queue, now) + 1))
    return Counts(total - flying - delayed - expired, flying, delayed)


def next_due(tx: Tx, queue: Queue) -> int | None:
    """The next instant at which a hidden message can be received."""
    for key, _ in tx.scan(*part_range(queue, "due"), 1):
        return MESSAGES.parts(key)[2]
    return None


def all_messages(tx: Tx, queue: Queue) -> list[tuple[str, Message]]:
    """Every message with the part it lies in, `ready` or `hidden`, in the order of sending."""
    found = [(part, decode_message(row)) for part in ("ready", "hidden") for _, row in tx.scan(*part_range(queue, part))]
    return sorted(found, key=lambda pair: pair[1].seq)


def take_ready(tx: Tx, queue: Queue, now: int, limit: int) -> list[Message]:
    """Remove up to `limit` messages that can be received, for moving them elsewhere. Their large bodies stay to be read."""
    _bring_back(tx, queue, now, limit + _MARGIN)
    taken = []
    for key, row in tx.scan(*part_range(queue, "ready"), limit):
        message = decode_message(row)
        _forget_ready(tx, queue, message, key, keep_body=True)
        taken.append(message)
    return taken


def _leased(tx: Tx, queue: Queue, message: Message, now: int, timeout_ms: int) -> Message:
    if message.receive_count:
        tx.delete(MESSAGES.key(queue.id, "back", message.sent_at, message.seq))
    message = msgspec.structs.replace(
        message,
        receive_count=message.receive_count + 1,
        first_received=message.first_received or now,
        leased_at=now,
        visible_at=now + timeout_ms,
    )
    if timeout_ms > 0:
        _hide(tx, queue, message, _FLIGHT)
        count(tx, queue, 0, in_flight=1)
    else:
        _make_ready(tx, queue, message)
    return message


def _hide(tx: Tx, queue: Queue, message: Message, kind: bytes) -> None:
    tx.put(MESSAGES.key(queue.id, "hidden", message.seq), encode_message(message))
    tx.put(MESSAGES.key(queue.id, "due", message.visible_at, message.seq), kind)


def _make_ready(tx: Tx, queue: Queue, message: Message) -> None:
    tx.delete(MESSAGES.key(queue.id, "hidden", message.seq))
    tx.put(MESSAGES.key(queue.id, "ready", message.visible_at, message.seq), encode_message(message))
    if message.receive_count:
        tx.put(MESSAGES.key(queue.id, "back", message.sent_at, message.seq), message.visible_at.to_bytes(8, "big"))


def _bring_back(tx: Tx, queue: Queue, now: int, limit: int) -> None:
    """Make ready the hidden messages whose time has come; a few at a time is enough, since every receive does it."""
    for key, kind in tx.scan(part_range(queue, "due")[0], MESSAGES.key(queue.id, "due", now + 1), limit):
        seq = MESSAGES.parts(key)[3]
        row = tx.get(MESSAGES.key(queue.id, "hidden", seq))
        assert row is not None
        tx.delete(key)
        _make_ready(tx, queue, decode_message(row))
        if kind == _FLIGHT:
            count(tx, queue, 0, in_flight=-1)
        else:
            count_delayed(tx, queue, -1)


def _forget_ready(tx: Tx, queue: Queue, message: Message, key: bytes, *, keep_body: bool = False) -> None:
    tx.delete(key)
    if message.receive_count:
        tx.delete(MESSAGES.key(queue.id, "back", message.sent_at, message.seq))
    if not keep_body:
        drop_body(tx, queue, message)
    count(tx, queue, -1)
