"""Messages as ReceiveMessage shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudlet.kernel.tx import Tx
from cloudlet.services.sqs import digests, receipts
from cloudlet.services.sqs.actions import sequence_number
from cloudlet.services.sqs.layer import Message, Queue, load_body

# system attribute -> its text in a message; None or "" where the message has none
_SYSTEM: dict[str, Callable[[Message], str | None]] = {
    "SenderId": lambda message: message.sender,
    "SentTimestamp": lambda message: str(message.sent_at),
    "ApproximateReceiveCount": lambda message: str(message.receive_count),
    "ApproximateFirstReceiveTimestamp": lambda message: str(message.first_received or ""),
    "MessageGroupId": lambda message: message.group,
    "MessageDeduplicationId": lambda message: message.dedup,
    "SequenceNumber": lambda message: sequence_number(message.seq) if message.dedup else None,
    "AWSTraceHeader": lambda message: message.trace,
    "DeadLetterQueueSourceArn": lambda message: message.source,
}


class Received:
    """Writes the messages of one answer, with the attributes that the request asks for."""

    def __init__(self, tx: Tx, queue: Queue, req: dict[str, Any]):
        self._tx = tx
        self._queue = queue
        names = [*req.get("AttributeNames", ()), *req.get("MessageSystemAttributeNames", ())]
        self._system = list(_SYSTEM) if "All" in names else [name for name in names if name in _SYSTEM]
        self._names: list[str] = req.get("MessageAttributeNames") or []
        self._all = any(name in ("All", "*", ".*") for name in self._names)

    def message(self, message: Message) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "MessageId": message.id,
            "ReceiptHandle": receipts.handle(self._queue, message),
            "MD5OfBody": message.md5,
            "Body": load_body(self._tx, self._queue, message),
        }
        if self._system:
            system = {name: text for name in self._system if (text := _SYSTEM[name](message))}
            if system:
                shown["Attributes"] = system
        if self._names and message.attributes:
            self._add_attributes(message, message.attributes, shown)
        return shown

    def _add_attributes(self, message: Message, attributes: dict[str, Any], shown: dict[str, Any]) -> None:
        """Names count as they are; one that ends in `.*` stands for all that begin so. The MD5 is of what is shown."""
        if self._all:
            shown["MD5OfMessageAttributes"] = message.md5_attributes
            shown["MessageAttributes"] = attributes
            return
        prefixes = tuple(name[:-2] for name in self._names if name.endswith(".*"))
        chosen = {
            name: value for name, value in attributes.items() if name in self._names or (prefixes and name.startswith(prefixes))
        }
        if chosen:
            shown["MD5OfMessageAttributes"] = digests.of_attributes(chosen)
            shown["MessageAttributes"] = chosen
