"""The messages of a FIFO queue: groups, each in order, none of which gives out more while it has messages in flight.

("sqs", "m", queue id, "fifo", group, seq)                  -> Message
("sqs", "m", queue id, "group", group)                      -> Group, for each that has messages
("sqs", "m", queue id, "heads", available at, seq, group)   -> b"": the groups that may be received, by their first message
("sqs", "m", queue id, "busy", free at, seq, group)         -> how many of the group are in flight; when their leases end
("sqs", "m", queue id, "due", visible at, seq)              -> b"": the delayed, for counting them

("sqs", "memo", queue id, period, kind, ...) -> Sent or Attempt: what is remembered for five minutes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from cloudlet.kernel.keys import Space
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

_MEMO = Space("sqs", "memo")
_MEMORY_MS = 300_000
_MARGIN = 5
Bury = Callable[[Message], bool]


class Flight(msgspec.Struct, frozen=True, array_like=True):
    seq: int
    visible_at: int


class Group(msgspec.Struct, frozen=True, array_like=True):
    """head_seq, head_at: the first message and when it is available. flight: the messages leased by the last receive."""

    name: str
    head_seq: int
    head_at: int
    flight: tuple[Flight, ...] = ()


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """A deduplication id that was used at `sent_at`, and the message that it made."""

    sent_at: int
    message_id: str
    seq: int


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """What a receive with an attempt id gave out: (group, seq, receive count) of each message."""

    at: int
    messages: list[tuple[str, int, int]]


_encode = msgspec.msgpack.Encoder().encode
_decode_group = msgspec.msgpack.Decoder(Group).decode
_decode_sent = msgspec.msgpack.Decoder(Sent).decode
_decode_attempt = msgspec.msgpack.Decoder(Attempt).decode


def push(tx: Tx, queue: Queue, message: Message, now: int) -> None:
    """Put a message on the queue: at the end of its group, unless its `seq` says that it was there before."""
    message = store_body(tx, queue, message)
    name = message.group or ""
    tx.put(MESSAGES.key(queue.id, "fifo", name, message.seq), encode_message(message))
    group = _group(tx, queue, name)
    if group is None or message.seq < group.head_seq:
        _index(tx, queue, group, Group(name, message.seq, message.visible_at, group.flight if group else ()))
    if message.visible_at > now:
        tx.put(MESSAGES.key(queue.id, "due", message.visible_at, message.seq), b"")
        count_delayed(tx, queue, 1)
    count(tx, queue, 1)
    tx.touch(queue.topic)


def lease(tx: Tx, queue: Queue, now: int, limit: int, timeout_ms: int, bury: Bury) -> list[Message]:
    """Take up to `limit` messages, as many as there are from the group with the oldest one, then from the next.

    bury: asked about a message that was received as often as the redrive policy allows; True where it moved it elsewhere.
    """
    _bring_back(tx, queue, now, limit + _MARGIN)
    taken: list[Message] = []
    seen: set[str] = set()  # a group whose head moved on stands among the heads again
    start, last = part_range(queue, "heads")[0], MESSAGES.key(queue.id, "heads", now + 1)
    while len(taken) < limit and (rows := tx.scan(start, last, limit)):
        for key, _ in rows:
            name = MESSAGES.parts(key)[4]
            group = _group(tx, queue, name)
            if group and name not in seen and len(taken) < limit:
                seen.add(name)
                taken += _lease_group(tx, queue, group, now, limit - len(taken), timeout_ms, bury)
        if len(rows) < limit:
            break
        start = rows[-1][0] + b"\0"
    return taken


def find_in_flight(tx: Tx, queue: Queue, receipt: Receipt, now: int) -> Message | None:
    """The message of a receipt, with the end of its lease as `visible_at`; None where the lease has ended or is not the last."""
    group = _group(tx, queue, receipt.group)
    for flight in group.flight if group else ():
        if flight.seq == receipt.seq and flight.visible_at > now:
            row = tx.get(MESSAGES.key(queue.id, "fifo", receipt.group, receipt.seq))
            message = decode_message(row) if row else None
            if message and message.receive_count == receipt.receive_count:
                return msgspec.structs.replace(message, visible_at=flight.visible_at)
    return None


def exists(tx: Tx, queue: Queue, receipt: Receipt) -> bool:
    return tx.get(MESSAGES.key(queue.id, "fifo", receipt.group, receipt.seq)) is not None


def hide_until(tx: Tx, queue: Queue, message: Message, visible_at: int, now: int) -> None:
    """Give a message in flight another end of its lease; one that is not in the future ends it now."""
    group = _group(tx, queue, message.group or "")
    assert group is not None
    others = tuple(flight for flight in group.flight if flight.seq != message.seq)
    if visible_at > now:
        others = (*others, Flight(message.seq, visible_at))
    else:
        count(tx, queue, 0, in_flight=-1)
    _index(tx, queue, group, msgspec.structs.replace(group, flight=others))
    tx.touch(queue.topic)


def delete(tx: Tx, queue: Queue, message: Message) -> None:
    """Delete a message that `find_in_flight` gave; its group goes on once nothing of it is in flight."""
    group = _group(tx, queue, message.group or "")
    assert group is not None
    flight = tuple(flight for flight in group.flight if flight.seq != message.seq)
    _drop(tx, queue, message)
    count(tx, queue, -1, in_flight=-1)
    if message.seq == group.head_seq:
        _advance(tx, queue, group, flight)
    else:
        _index(tx, queue, group, msgspec.structs.replace(group, flight=flight))
    tx.touch(queue.topic)


def counts(tx: Tx, queue: Queue, now: int) -> Counts:
    """How many messages are in each state now."""
    expire(tx, queue, now)
    total, flying, delayed = counted(tx, queue)
    if total <= 0:
        return Counts(0, 0, 0)
    for _, leased in tx.scan(part_range(queue, "busy")[0], MESSAGES.key(queue.id, "busy", now + 1)):
        flying -= int(leased)
    delayed -= tx.count(part_range(queue, "due")[0], MESSAGES.key(queue.id, "due", now + 1))
    return Counts(total - flying - delayed, flying, delayed)


def next_due(tx: Tx, queue: Queue) -> int | None:
    """The next instant at which a group may be received, while none may be now."""
    dues = [MESSAGES.parts(key)[2] for part in ("busy", "heads") for key, _ in tx.scan(*part_range(queue, part), 1)]
    return min(dues, default=None)


def all_messages(tx: Tx, queue: Queue) -> list[tuple[str, Message]]:
    """Every message in the order of sending, `hidden` where it is in flight; delayed ones tell by their `visible_at`."""
    flying = {f.seq: f for _, row in tx.scan(*part_range(queue, "group")) for f in _decode_group(row).flight}
    found = []
    for _, row in tx.scan(*part_range(queue, "fifo")):
        message = decode_message(row)
        if flight := flying.get(message.seq):
            message = msgspec.structs.replace(message, visible_at=flight.visible_at)
        found.append(("hidden" if flight else "ready", message))
    return sorted(found, key=lambda pair: pair[1].seq)


def take_ready(tx: Tx, queue: Queue, now: int, limit: int) -> list[Message]:
    """Remove up to `limit` messages that can be received, for moving them elsewhere. Their large bodies stay to be read."""
    _bring_back(tx, queue, now, limit + _MARGIN)
    taken: list[Message] = []
    last = MESSAGES.key(queue.id, "heads", now + 1)
    for key, _ in tx.scan(part_range(queue, "heads")[0], last, limit):
        name = MESSAGES.parts(key)[4]
        group = _group(tx, queue, name)
        assert group is not None
        for _, row in tx.scan(*_members(queue, name), limit - len(taken)):
            message = decode_message(row)
            if message.visible_at > now:
                break
            tx.delete(MESSAGES.key(queue.id, "fifo", name, message.seq))
            count(tx, queue, -1)
            taken.append(message)
        _advance(tx, queue, group, ())
        if len(taken) >= limit:
            break
    return taken


def expire(tx: Tx, queue: Queue, now: int, limit: int = 1000) -> None:
    """Delete what has outlived the retention period in up to `limit` groups that are not in flight."""
    last = expired_before(queue, now)
    latest_head = last + queue.delay * 1000
    for key, _ in tx.scan(part_range(queue, "heads")[0], MESSAGES.key(queue.id, "heads", latest_head + 1), limit):
        name = MESSAGES.parts(key)[4]
        group = _group(tx, queue, name)
        assert group is not None
        dropped = False
        for _, row in tx.pages(*_members(queue, name)):
            message = decode_message(row)
            if message.sent_at > last:
                break
            _drop(tx, queue, message)
            count(tx, queue, -1)
            dropped = True
        if dropped:
            _advance(tx, queue, group, ())


def remember_sent(tx: Tx, queue: Queue, scope: str, dedup: str, sent: Sent) -> None:
    """Remember a deduplication id for five minutes. scope: the group's name, where ids count within their group."""
    tx.put(_MEMO.key(queue.id, sent.sent_at // _MEMORY_MS, "sent", scope, dedup), _encode(sent))
    _forget(tx, queue, sent.sent_at)


def sent_before(tx: Tx, queue: Queue, scope: str, dedup: str, now: int) -> Sent | None:
    """The message that this deduplication id made in the last five minutes."""
    for raw in _recall(tx, queue, now, "sent", scope, dedup):
        sent = _decode_sent(raw)
        if now - sent.sent_at < _MEMORY_MS:
            return sent
    return None


def remember_attempt(tx: Tx, queue: Queue, attempt_id: str, taken: list[Message], now: int) -> None:
    attempt = Attempt(now, [(message.group or "", message.seq, message.receive_count) for message in taken])
    tx.put(_MEMO.key(queue.id, now // _MEMORY_MS, "attempt", attempt_id), _encode(attempt))
    _forget(tx, queue, now)


def repeat_attempt(tx: Tx, queue: Queue, attempt_id: str, now: int, timeout_ms: int) -> list[Message]:
    """What a receive of the last five minutes gave out, leased anew, as far as nothing was done with it since."""
    for raw in _recall(tx, queue, now, "attempt", attempt_id):
        attempt = _decode_attempt(raw)
        if now - attempt.at >= _MEMORY_MS:
            continue
        receipts = [Receipt(queue.id, 0, seq, receives, group) for group, seq, receives in attempt.messages]
        found = [message for receipt in receipts if (message := find_in_flight(tx, queue, receipt, now))]
        for message in found:
            hide_until(tx, queue, message, now + timeout_ms, now)
        return found
    return []


def forget_all(tx: Tx, queue: Queue) -> None:
    tx.clear_space(_MEMO(queue.id))


def _recall(tx: Tx, queue: Queue, now: int, *key: str) -> Iterable[bytes]:
    period = now // _MEMORY_MS
    for earlier in (period, period - 1):
        if raw := tx.get(_MEMO.key(queue.id, earlier, *key)):
            yield raw


def _forget(tx: Tx, queue: Queue, now: int) -> None:
    """Each thing remembered drops two that are too old, so they never pile up."""
    for key, _ in tx.scan(_MEMO(queue.id).prefix, _MEMO.key(queue.id, now // _MEMORY_MS - 1), 2):
        tx.delete(key)


def _members(queue: Queue, name: str) -> tuple[bytes, bytes]:
    """The keys of a group's messages."""
    prefix = MESSAGES.key(queue.id, "fifo", name)
    return prefix, prefix + b"\xff"


def _group(tx: Tx, queue: Queue, name: str) -> Group | None:
    row = tx.get(MESSAGES.key(queue.id, "group", name))
    return _decode_group(row) if row else None


def _index(tx: Tx, queue: Queue, was: Group | None, group: Group | None) -> None:
    """Write a group, and its entry among the heads or the busy."""
    if was is not None:
        tx.delete(_place(queue, was))
    if group is not None:
        tx.put(MESSAGES.key(queue.id, "group", group.name), _encode(group))
        tx.put(_place(queue, group), str(len(group.flight)).encode() if group.flight else b"")
    elif was is not None:
        tx.delete(MESSAGES.key(queue.id, "group", was.name))


def _place(queue: Queue, group: Group) -> bytes:
    if group.flight:
        free_at = max(flight.visible_at for flight in group.flight)
        return MESSAGES.key(queue.id, "busy", free_at, group.head_seq, group.name)
    return MESSAGES.key(queue.id, "heads", group.head_at, group.head_seq, group.name)


def _advance(tx: Tx, queue: Queue, group: Group, flight: tuple[Flight, ...]) -> None:
    """Set a group's head to the first message it still has; without any the group is gone."""
    for _, row in tx.scan(*_members(queue, group.name), 1):
        head = decode_message(row)
        _index(tx, queue, group, Group(group.name, head.seq, head.visible_at, flight))
        return
    _index(tx, queue, group, None)


def _drop(tx: Tx, queue: Queue, message: Message) -> None:
    tx.delete(MESSAGES.key(queue.id, "fifo", message.group, message.seq))
    drop_body(tx, queue, message)


def _bring_back(tx: Tx, queue: Queue, now: int, limit: int) -> None:
    """End the leases that have run out, and count as visible the delayed that have come due."""
    for key, leased in tx.scan(part_range(queue, "busy")[0], MESSAGES.key(queue.id, "busy", now + 1), limit):
        group = _group(tx, queue, MESSAGES.parts(key)[4])
        assert group is not None
        _index(tx, queue, group, msgspec.structs.replace(group, flight=()))
        count(tx, queue, 0, in_flight=-int(leased))
    if queue.delay:
        for key, _ in tx.scan(part_range(queue, "due")[0], MESSAGES.key(queue.id, "due", now + 1), limit):
            tx.delete(key)
            count_delayed(tx, queue, -1)


def _lease_group(tx: Tx, queue: Queue, group: Group, now: int, limit: int, timeout_ms: int, bury: Bury) -> list[Message]:
    """Lease the first messages of a group that has none in flight."""
    oldest = expired_before(queue, now)
    taken: list[Message] = []
    dropped = False
    for key, row in tx.pages(*_members(queue, group.name), page=limit):
        message = decode_message(row)
        if message.visible_at > now or len(taken) == limit:
            break
        if message.sent_at <= oldest or (spent(queue, message) and bury(message)):
            _drop(tx, queue, message)
            count(tx, queue, -1)
            dropped = True
        else:
            message = msgspec.structs.replace(
                message,
                receive_count=message.receive_count + 1,
                first_received=message.first_received or now,
                leased_at=now,
            )
            tx.put(key, encode_message(message))
            taken.append(message)
    flight = tuple(Flight(message.seq, now + timeout_ms) for message in taken) if timeout_ms else ()
    if flight:
        count(tx, queue, 0, in_flight=len(flight))
    if dropped:
        _advance(tx, queue, group, flight)
    elif flight:
        _index(tx, queue, group, msgspec.structs.replace(group, flight=flight))
    return taken
