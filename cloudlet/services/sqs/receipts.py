"""Receipt handles: opaque to clients, and telling here which message they are for without a look-up."""

from __future__ import annotations

import binascii
import struct

from cloudlet.services.sqs.layer import Message, Queue, Receipt

_MAGIC = b"\x01\x01\x01"
_FIXED = struct.Struct(">3sQQQI")


def handle(queue: Queue, message: Message) -> str:
    """The handle of a message's last receive."""
    fixed = _FIXED.pack(_MAGIC, queue.id, message.sent_at, message.seq, message.receive_count)
    group = message.group.encode() if queue.fifo and message.group else b""
    return binascii.b2a_base64(fixed + group, newline=False).decode()


def read(text: str) -> Receipt | None:
    """What a handle says; None where it is none of ours."""
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
        magic, queue, sent_at, seq, receive_count = _FIXED.unpack_from(raw)
        group = raw[_FIXED.size :].decode()
    except (ValueError, struct.error):
        return None
    return Receipt(queue, sent_at, seq, receive_count, group) if magic == _MAGIC else None
