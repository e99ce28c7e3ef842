"""SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch: each entry succeeds or fails by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs import checks
from cloudlet.services.sqs.actions import change_visibility, delete_by_handle, send
from cloudlet.services.sqs.protocol import ERRORS
from cloudlet.services.sqs.urls import open_queue

_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MAX_ENTRIES = 10
_MAX_BATCH_BYTES = 1_048_576


def send_message_batch(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Put up to ten messages on a queue, of 1 MiB together. Raises Fault where the batch as a whole is wrong."""
    queue = open_queue(ctx, req["QueueUrl"])
    entries = _entries(req, "SendMessageBatch")
    for entry in entries:
        checks.refuse_missing_ids(queue, entry)
    size = sum(checks.size_of(entry) for entry in entries)
    if size > _MAX_BATCH_BYTES:
        text = f"Batch requests cannot be longer than {_MAX_BATCH_BYTES} bytes. You have sent {size} bytes."
        raise Fault("BatchRequestTooLong", text)

    def send_one(entry: dict[str, Any]) -> dict[str, Any]:
        checks.refuse_bad_message(queue, entry)
        return send(ctx, queue, entry)

    return _each(entries, send_one)


def delete_message_batch(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Delete up to ten messages by their receipt handles."""
    queue = open_queue(ctx, req["QueueUrl"])
    return _each(_entries(req, "DeleteMessageBatch"), lambda entry: delete_by_handle(ctx, queue, entry["ReceiptHandle"]))


def change_message_visibility_batch(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Set anew when up to ten received messages become visible."""
    queue = open_queue(ctx, req["QueueUrl"])

    def change(entry: dict[str, Any]) -> None:
        if "VisibilityTimeout" not in entry:
            raise checks.missing("VisibilityTimeout")
        change_visibility(ctx, queue, entry["ReceiptHandle"], entry["VisibilityTimeout"])

    return _each(_entries(req, "ChangeMessageVisibilityBatch"), change)


def _entries(req: dict[str, Any], operation: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = req["Entries"]
    if not entries:
        raise Fault("EmptyBatchRequest", f"There should be at least one {operation}RequestEntry in the request.")
    if len(entries) > _MAX_ENTRIES:
        text = f"Maximum number of entries per request are {_MAX_ENTRIES}. You have sent {len(entries)}."
        raise Fault("TooManyEntriesInBatchRequest", text)
    seen: set[str] = set()
    for entry in entries:
        name = entry["Id"]
        if not _ENTRY_ID.fullmatch(name):
            raise Fault(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
        if name in seen:
            raise Fault("BatchEntryIdsNotDistinct", f"Id {name} repeated.")
        seen.add(name)
    return entries


def _each(entries: list[dict[str, Any]], act: Callable[[dict[str, Any]], dict[str, Any] | None]) -> dict[str, Any]:
    """Act on each entry; an entry's Fault goes into the answer. Actions raise before they write: nothing is to undo."""
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **(act(entry) or {})})
        except Fault as fault:
            code, status = ERRORS.get(fault.code, (fault.code, 400))
            failed.append({"Id": entry["Id"], "SenderFault": status < 500, "Code": code, "Message": fault.message})
    answer = {}
    if successful:
        answer["Successful"] = successful
    if failed:
        answer["Failed"] = failed
    return answer
