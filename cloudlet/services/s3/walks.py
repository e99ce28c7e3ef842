"""Walks over a bucket's rows, a page at a time: past a marker, below a prefix, all that shares a common prefix as one entry.

A page costs what it shows: a common prefix is jumped over by a seek, however much lies below it. No request names here.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import msgspec

from cloudlet.kernel.keys import Space
from cloudlet.kernel.tx import Tx
from cloudlet.services.s3.rows import OBJECTS, UPLOADS, VERSIONS, Upload, decode_listed, decode_upload

_FIRST_CHUNK, _LARGEST_CHUNK = 2, 1024
_SEQUENCE_BYTES = 9


class Page(msgspec.Struct):
    """What a walk found. entries and prefixes are each in order; last: the key or prefix to go on from, where there is more.

    last_entry: the entry that `last` is the key of; None where `last` is a prefix.
    """

    entries: list[Any]
    prefixes: list[str]
    truncated: bool = False
    last: str = ""
    last_entry: Any = None

    @property
    def size(self) -> int:
        return len(self.entries) + len(self.prefixes)

    def show(self, key: str, entry: Any) -> None:
        self.entries.append(entry)
        self.last, self.last_entry = key, entry

    def roll_up(self, folder: str) -> None:
        self.prefixes.append(folder)
        self.last, self.last_entry = folder, None


class Cursor:
    """A place in a range of rows. They are read in chunks: small ones at first and after a jump, larger while all are wanted."""

    __slots__ = ("_at", "_chunk", "_end", "_ended", "_rows", "_start", "_tx")

    def __init__(self, tx: Tx, start: bytes, end: bytes):
        self._tx = tx
        self._start = start
        self._end = end
        self._rows: list[tuple[bytes, bytes]] = []
        self._at = 0
        self._chunk = _FIRST_CHUNK
        self._ended = False

    def peek(self) -> tuple[bytes, bytes] | None:
        """The row here; None past the last."""
        if self._at == len(self._rows):
            if self._ended:
                return None
            self._rows, self._at = self._tx.scan(self._start, self._end, self._chunk), 0
            self._ended = len(self._rows) < self._chunk
            self._chunk = min(self._chunk * 4, _LARGEST_CHUNK)
            if not self._rows:
                return None
            self._start = self._rows[-1][0] + b"\0"
        return self._rows[self._at]

    def step(self) -> None:
        self._at += 1

    def skip_to(self, key: bytes) -> None:
        """Go to the first row at or after `key`."""
        self._at = bisect_left(self._rows, (key,), self._at)
        if self._at == len(self._rows):
            self._start = max(self._start, key)
            self._chunk = _FIRST_CHUNK


def current_objects(tx: Tx, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """The current objects past the key (or common prefix) `after`, as `Listed` rows."""
    space = OBJECTS(bucket)
    start, end = _range(space, prefix, delimiter, after)
    if after and not _folder(after, prefix, delimiter):
        start = max(start, space.key(after) + b"\0")
    if not limit:
        return Page([], [])
    if not delimiter:
        rows = tx.scan(start, end, limit + 1)
        entries = [decode_listed(value) for _, value in rows[:limit]]
        if len(rows) <= limit:
            return Page(entries, [])
        return Page(entries, [], True, entries[-1].key, entries[-1])
    page, cursor = Page([], []), Cursor(tx, start, end)
    while row := cursor.peek():
        if page.size == limit:
            page.truncated = True
            break
        listed = decode_listed(row[1])
        if folder := _folder(listed.key, prefix, delimiter):
            page.roll_up(folder)
            cursor.skip_to(space.holding(folder)[1])
        else:
            page.show(listed.key, listed)
            cursor.step()
    return page


def all_versions(tx: Tx, bucket: str, prefix: str, delimiter: str, after: tuple[str, int | None], limit: int) -> Page:
    """Versions and delete markers by key, newest first, as (Listed, whether it is its key's newest).

    after: a key, and the sequence of the version of it to go on from; None to go on after all of that key's.
    """
    objects, versions = OBJECTS(bucket), VERSIONS(bucket)
    marker, sequence = after
    current, hidden = _versions_after(tx, objects, versions, prefix, delimiter, after)
    page = Page([], [])
    seen = marker if sequence is not None else None
    while limit:
        now, earlier = current.peek(), hidden.peek()
        if now is None and earlier is None:
            break
        if page.size == limit:
            page.truncated = True
            break
        here, row = current, now
        if now is None or (earlier and _hidden_key(versions, earlier) < now[0][len(objects.prefix) :]):
            here, row = hidden, earlier
        assert row
        listed = decode_listed(row[1])
        if folder := _folder(listed.key, prefix, delimiter):
            page.roll_up(folder)
            current.skip_to(objects.holding(folder)[1])
            hidden.skip_to(versions.holding(folder)[1])
        else:
            page.show(listed.key, (listed, listed.key != seen))
            seen = listed.key
            here.step()
    return page


def _versions_after(
    tx: Tx, objects: Space, versions: Space, prefix: str, delimiter: str, after: tuple[str, int | None]
) -> tuple[Cursor, Cursor]:
    marker, sequence = after
    start, end = _range(objects, prefix, delimiter, marker)
    hidden_start, hidden_end = _range(versions, prefix, delimiter, marker)
    if marker and not _folder(marker, prefix, delimiter):
        start = max(start, objects.key(marker) + b"\0")
        past = versions.key(marker, -sequence) + b"\0" if sequence is not None else versions.key(marker) + b"\xff"
        hidden_start = max(hidden_start, past)
    return Cursor(tx, start, end), Cursor(tx, hidden_start, hidden_end)


def open_uploads(tx: Tx, bucket: str, prefix: str, delimiter: str, after: tuple[str, str], limit: int) -> Page:
    """Multipart uploads in progress by key, of one key in the order they were begun, as `Upload` rows.

    after: a key, and the id of the upload of it to go on from; "" to go on after all of that key's.
    """
    space = UPLOADS(bucket)
    marker, upload_id = after
    start, end = _range(space, prefix, delimiter, marker)
    if marker and not _folder(marker, prefix, delimiter):
        past = space.key(marker, upload_id) + b"\0" if upload_id else space.key(marker) + b"\xff"
        start = max(start, past)
    page, cursor = Page([], []), Cursor(tx, start, end)
    while limit and (row := cursor.peek()):
        if page.size == limit:
            page.truncated = True
            break
        upload: Upload = decode_upload(row[1])
        if folder := _folder(upload.key, prefix, delimiter):
            page.roll_up(folder)
            cursor.skip_to(space.holding(folder)[1])
        else:
            page.show(upload.key, upload)
            cursor.step()
    return page


def _range(space: Space, prefix: str, delimiter: str, after: str) -> tuple[bytes, bytes]:
    """The rows whose key begins with `prefix`; where `after` is, or lies in, a common prefix, only those past all of it."""
    start, end = space.holding(prefix)
    folder = _folder(after, prefix, delimiter)
    return (max(start, space.holding(folder)[1]) if folder else start), end


def _folder(key: str, prefix: str, delimiter: str) -> str:
    """The common prefix that a key is rolled up into; "" where it stands for itself."""
    if not delimiter or not key.startswith(prefix):
        return ""
    at = key.find(delimiter, len(prefix))
    return "" if at < 0 else key[: at + len(delimiter)]


def _hidden_key(versions: Space, row: tuple[bytes, bytes]) -> bytes:
    return row[0][len(versions.prefix) : -_SEQUENCE_BYTES]
