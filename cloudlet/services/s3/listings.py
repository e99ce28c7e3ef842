"""Listings of objects and of versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.faults import invalid_argument
from cloudlet.services.s3.owner import shown as owner
from cloudlet.services.s3.paging import encode_members, key_encoder, last_of, page_size, token, whole_seconds
from cloudlet.services.s3.rows import NULL, Bucket, Listed, sequence_of
from cloudlet.services.s3.versions import find
from cloudlet.services.s3.walks import Page, all_versions, current_objects

Encode = Callable[[str], str] | None


def list_objects(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """A page of a bucket's objects, in the order of their keys' UTF-8, past Marker.

    NextMarker is there only with a delimiter, as AWS has it; without one, the last key serves.
    """
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    limit, encode = page_size(req, "MaxKeys", "max-keys"), key_encoder(req)
    prefix, delimiter, marker = req.get("Prefix", ""), req.get("Delimiter", ""), req.get("Marker", "")
    page = current_objects(ctx.tx, bucket.id, prefix, delimiter, marker, limit)
    result = _head(req, page, limit) | {"Marker": marker, "Contents": _contents(page, encode, with_owner=True)}
    if page.truncated and delimiter:
        result["NextMarker"] = page.last
    encode_members(result, encode, "Prefix", "Delimiter", "Marker", "NextMarker")
    return result


def list_objects_v2(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """A page of a bucket's objects, in the order of their keys' UTF-8, past the continuation token's place or else StartAfter."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    limit, encode = page_size(req, "MaxKeys", "max-keys"), key_encoder(req)
    prefix, delimiter, start_after = req.get("Prefix", ""), req.get("Delimiter", ""), req.get("StartAfter", "")
    given = req.get("ContinuationToken")
    after = start_after if given is None else last_of(given)
    page = current_objects(ctx.tx, bucket.id, prefix, delimiter, after, limit)
    contents = _contents(page, encode, with_owner=bool(req.get("FetchOwner")))
    result = _head(req, page, limit) | {"Contents": contents, "KeyCount": page.size}
    if given is not None:
        result["ContinuationToken"] = given
    elif start_after:
        result["StartAfter"] = start_after
    if page.truncated:
        result["NextContinuationToken"] = token(page.last)
    encode_members(result, encode, "Prefix", "Delimiter", "StartAfter")
    return result


def list_object_versions(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """A page of a bucket's versions and delete markers: keys in order, each key's newest first.

    It goes on after all versions of KeyMarker, or after the one that VersionIdMarker names.
    """
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    limit, encode = page_size(req, "MaxKeys", "max-keys"), key_encoder(req)
    prefix, delimiter = req.get("Prefix", ""), req.get("Delimiter", "")
    marker, version_marker = req.get("KeyMarker", ""), req.get("VersionIdMarker", "")
    sequence = _marked_sequence(ctx, bucket, marker, version_marker)
    page = all_versions(ctx.tx, bucket.id, prefix, delimiter, (marker, sequence), limit)
    result = _head(req, page, limit) | {"KeyMarker": marker, "VersionIdMarker": version_marker}
    result["Versions"] = _versions([found for found in page.entries if not found[0].marker], encode)
    result["DeleteMarkers"] = [_delete_marker(listed, latest, encode) for listed, latest in page.entries if listed.marker]
    if page.truncated:
        result["NextKeyMarker"] = page.last
        if page.last_entry:
            result["NextVersionIdMarker"] = page.last_entry[0].version_id
    encode_members(result, encode, "Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")
    return result


def _head(req: dict[str, Any], page: Page, limit: int) -> dict[str, Any]:
    """What all three answers have."""
    return {
        "Name": req["Bucket"],
        "Prefix": req.get("Prefix", ""),
        "Delimiter": req.get("Delimiter") or None,
        "MaxKeys": limit,
        "EncodingType": req.get("EncodingType") or None,
        "IsTruncated": page.truncated,
        "CommonPrefixes": [{"Prefix": folder} for folder in page.prefixes],
    }


def _contents(page: Page, encode: Encode, *, with_owner: bool) -> list[dict[str, Any]]:
    contents = _entries(page.entries, encode)
    if with_owner:
        owners = {account: owner(account) for account in {listed.account for listed in page.entries}}
        for entry, listed in zip(contents, page.entries, strict=True):
            entry["Owner"] = owners[listed.account]
    return contents


def _entries(found: Iterable[Listed], encode: Encode) -> list[dict[str, Any]]:
    """What listings show of each. One loop without calls: it runs a thousand times a page."""
    entries = []
    for listed in found:
        modified, checksum = listed.modified, listed.checksum
        entry = {
            "Key": encode(listed.key) if encode else listed.key,
            "LastModified": modified - modified % 1000,
            "ETag": f'"{listed.etag}"',
            "Size": listed.size,
            "StorageClass": listed.storage_class,
        }
        if checksum:
            entry["ChecksumAlgorithm"] = [checksum.algorithm]
            entry["ChecksumType"] = checksum.kind
        entries.append(entry)
    return entries


def _versions(found: list[tuple[Listed, bool]], encode: Encode) -> list[dict[str, Any]]:
    entries = _entries((listed for listed, _ in found), encode)
    owners = {account: owner(account) for account in {listed.account for listed, _ in found}}
    for entry, (listed, latest) in zip(entries, found, strict=True):
        entry["VersionId"], entry["IsLatest"], entry["Owner"] = listed.version_id, latest, owners[listed.account]
    return entries


def _delete_marker(listed: Listed, latest: bool, encode: Encode) -> dict[str, Any]:
    return {
        "Owner": owner(listed.account),
        "Key": encode(listed.key) if encode else listed.key,
        "VersionId": listed.version_id,
        "IsLatest": latest,
        "LastModified": whole_seconds(listed.modified),
    }


def _marked_sequence(ctx: Context, bucket: Bucket, key: str, version_marker: str) -> int | None:
    """The sequence of the version that VersionIdMarker names; None where there is no such marker, or no such null version."""
    if not version_marker:
        return None
    if not key:
        told = "A version-id marker cannot be specified without a key marker."
        raise invalid_argument("version-id-marker", version_marker, told)
    if version_marker == NULL:
        version = find(ctx, bucket, key, NULL)
        return version.sequence if version else None
    sequence = sequence_of(version_marker)
    if sequence is None:
        raise invalid_argument("version-id-marker", version_marker, "Invalid version id specified")
    return sequence
