"""Listings against a naive model: whatever keys, prefix, delimiter and size of pages, all pages together are the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudlet.kernel.context import Context
from cloudlet.services.s3 import listings, versions
from cloudlet.services.s3.rows import BUCKETS, Bucket, ObjectVersion
from cloudlet.testing.server import InProcessServer

ALPHABET = "ab/\0-é\uffff😀"
KEYS = st.text(ALPHABET, min_size=1, max_size=5)
PREFIXES = st.text(ALPHABET, max_size=2)
DELIMITERS = st.sampled_from(["", "/", "a", "é", "//", "ab", "\0", "b/"])
ACTIONS = st.lists(st.tuples(KEYS, st.sampled_from(["put", "put", "put", "delete", "remove"])), max_size=25)


class Model:
    """Every key's versions, newest first: (id, whether it is a marker)."""

    def __init__(self) -> None:
        self.keys: dict[str, list[tuple[str, bool]]] = {}

    def shown(self, prefix: str, delimiter: str, *, history: bool, after: str = "") -> tuple[list[Any], list[str]]:
        """The entries and the common prefixes of a whole listing."""
        entries: list[Any] = []
        folders: list[str] = []
        skipped = folder_of(after, prefix, delimiter)
        for key in sorted(self.keys, key=str.encode):
            folder = folder_of(key, prefix, delimiter)
            live = [(key, *version) for version in self.keys[key]]
            if not history:
                live = [(key,)] if live and not live[0][2] else []
            if not live or not key.startswith(prefix) or key.encode() <= after.encode() or (skipped and folder == skipped):
                continue
            if not folder:
                entries += live
            elif folder not in folders:
                folders.append(folder)
        return entries, folders


def folder_of(key: str, prefix: str, delimiter: str) -> str:
    if not delimiter or not key.startswith(prefix):
        return ""
    head, found, _ = key[len(prefix) :].partition(delimiter)
    return prefix + head + found if found else ""


def fill(ctx: Context, bucket: Bucket, actions: list[tuple[str, str]]) -> Model:
    model = Model()
    for key, action in actions:
        history = model.keys.setdefault(key, [])
        if action == "put":
            sequence, identity = versions.new_ids(ctx, bucket)
            versions.put(ctx, bucket, ObjectVersion(key, 0, "etag", ctx.now, "STANDARD", None, identity, sequence, ctx.account))
            history.insert(0, (identity, False))
        elif action == "delete":
            history.insert(0, (versions.mark_deleted(ctx, bucket, key).version_id, True))
        elif history:
            identity, _ = history.pop(0)
            found = versions.find(ctx, bucket, key, identity)
            assert found
            versions.remove(ctx, bucket, found)
    return model


def v1(ctx: Context, req: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while True:
        page = listings.list_objects(ctx, req)
        yield page
        if not page["IsTruncated"]:
            return
        req = req | {"Marker": page.get("NextMarker") or page["Contents"][-1]["Key"]}


def v2(ctx: Context, req: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while True:
        page = listings.list_objects_v2(ctx, req)
        yield page
        assert page["KeyCount"] == len(page["Contents"]) + len(page["CommonPrefixes"]) <= req["MaxKeys"]
        if not page["IsTruncated"]:
            return
        req = req | {"ContinuationToken": page["NextContinuationToken"]}


def all_versions(ctx: Context, req: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while True:
        page = listings.list_object_versions(ctx, req)
        yield page
        if not page["IsTruncated"]:
            return
        req = req | {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS, prefix=PREFIXES, delimiter=DELIMITERS, size=st.integers(1, 6), after=st.one_of(st.just(""), KEYS))
@example(actions=[("a\0", "put"), ("a\0", "put"), ("a", "put"), ("a", "remove")], prefix="", delimiter="", size=2, after="")
def test_pages_together_are_the_whole(
    _shared_cloud: InProcessServer, actions: list[tuple[str, str]], prefix: str, delimiter: str, size: int, after: str
) -> None:
    cloud = _shared_cloud
    cloud.reset()

    def check(ctx: Context) -> None:
        bucket = Bucket("shelf", ctx.account, ctx.region, "id", ctx.now, versioning="Enabled")
        BUCKETS.put(ctx.tx, bucket)
        model = fill(ctx, bucket, actions)
        req = {"Bucket": "shelf", "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": size}
        keys, folders = model.shown(prefix, delimiter, history=False, after=after)
        for pages in (list(v1(ctx, req | {"Marker": after})), list(v2(ctx, req | {"StartAfter": after}))):
            assert [(entry["Key"],) for page in pages for entry in page["Contents"]] == keys
            assert [entry["Prefix"] for page in pages for entry in page["CommonPrefixes"]] == folders
        pages = list(all_versions(ctx, req | {"KeyMarker": after}))
        rows, folders = model.shown(prefix, delimiter, history=True, after=after)
        newest = {key: history[0][0] for key, history in model.keys.items() if history}
        for kind, marker in (("Versions", False), ("DeleteMarkers", True)):
            shown = [(entry["Key"], entry["VersionId"], entry["IsLatest"]) for page in pages for entry in page[kind]]
            assert shown == [(key, identity, newest[key] == identity) for key, identity, is_marker in rows if is_marker == marker]
        assert [entry["Prefix"] for page in pages for entry in page["CommonPrefixes"]] == folders

    cloud.run(lambda: cloud.cloud.kernel.transact(check))
