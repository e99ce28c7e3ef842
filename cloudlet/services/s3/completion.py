"""Completing multipart uploads: the parts' pieces become the object's, so it costs the number of parts, not of bytes."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3 import conditions, headers, versions
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import ALGORITHMS, COMPOSITE, combined, composite
from cloudlet.services.s3.faults import invalid_request, malformed_xml
from cloudlet.services.s3.rows import Bucket, Checksum, ObjectVersion, Part, StoredPart, Upload
from cloudlet.services.s3.unfinished import begun_at, effective_checksum, find_upload, forget, no_such_upload, parts_of

_SMALLEST_PART_BYTES = 5 * 1024 * 1024
_UPLOAD = "UploadId"  # what `ObjectVersion.extra` calls the upload that a version came from


def complete_multipart_upload(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Make the object of the listed parts; the others are dropped. The same request again gets the same answer.

    The parts' order, existence, entity tags, checksums and sizes are checked in this order, then the whole's promises.
    """
    if "UploadId" not in req:  # a POST to a key that says nothing more
        text = "The specified method is not allowed against this resource."
        raise Fault("MethodNotAllowed", text, Method="POST", ResourceType="OBJECT")
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    headers.refuse_customer_keys(req, "CompleteMultipartUpload")
    conditional = conditions.check_write_headers(req)
    listed = _listed_parts(req)
    upload = find_upload(ctx, bucket, req["Key"], req["UploadId"])
    if upload is None:
        return _repeated(ctx, bucket, req, listed)
    if not listed:
        raise invalid_request("You must specify at least one part")
    _check_order(upload, listed)
    stored = {part.number: part for part in parts_of(ctx, upload.id)}
    chosen = [_chosen(upload, stored, entry) for entry in listed]
    _check_sizes(chosen, listed, req)
    checksum = _checksum(req, upload, chosen)
    if conditional:
        _check_conditions(ctx, bucket, upload, req)
    version = _version(ctx, bucket, upload, chosen, checksum)
    kept = {part.number for part in chosen}
    for part in stored.values():
        if part.number not in kept:
            versions.drop_body(ctx, part.pieces)
    forget(ctx, bucket, upload)
    versions.put(ctx, bucket, version)
    return _shown(ctx, bucket, version)


def _listed_parts(req: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts that the request lists, their entity tags without quotes. Raises MalformedXML."""
    parts: list[dict[str, Any]] = (req.get("MultipartUpload") or {}).get("Parts") or []
    if any(not isinstance(part.get("ETag"), str) or "PartNumber" not in part for part in parts):
        raise malformed_xml()
    return [part | {"ETag": part["ETag"].strip('"')} for part in parts]


def _check_order(upload: Upload, listed: list[dict[str, Any]]) -> None:
    if any(one["PartNumber"] >= other["PartNumber"] for one, other in pairwise(listed)):
        text = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise Fault("InvalidPartOrder", text, UploadId=upload.id)


def _chosen(upload: Upload, stored: dict[int, Part], entry: dict[str, Any]) -> Part:
    """The part that an entry names. Raises InvalidPart, or InvalidRequest where a composite upload lacks the part's checksum."""
    number = entry["PartNumber"]
    part = stored.get(number)
    told = {name: value for name in ALGORITHMS if (value := entry.get(f"Checksum{name}")) is not None}
    wrong = part is None or part.etag != entry["ETag"]
    if part and upload.algorithm:
        wrong = wrong or any(name != part.algorithm or value != part.checksum for name, value in told.items())
    if wrong or part is None:
        text = (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, "
            "or the specified entity tag may not match the part's entity tag."
        )
        raise Fault("InvalidPart", text, UploadId=upload.id, PartNumber=number, ETag=entry["ETag"])
    if upload.kind == COMPOSITE and not told:
        raise invalid_request(
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include the "
            f"checksum for each part. It was missing for part {number} in the request."
        )
    return part


def _check_sizes(chosen: list[Part], listed: list[dict[str, Any]], req: dict[str, Any]) -> None:
    """Every part but the last has at least 5 MiB, and all of them have the size that the request promises."""
    for part, entry in zip(chosen[:-1], listed, strict=False):
        if part.size < _SMALLEST_PART_BYTES:
            raise Fault(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=part.size,
                MinSizeAllowed=_SMALLEST_PART_BYTES,
                PartNumber=part.number,
                ETag=entry["ETag"],
            )
    promised, size = req.get("MpuObjectSize"), sum(part.size for part in chosen)
    if promised is not None and promised != size:
        text = f"The provided 'x-amz-mp-object-size' header value {promised} does not match what was computed: {size}"
        raise invalid_request(text)


def _checksum(req: dict[str, Any], upload: Upload, chosen: list[Part]) -> Checksum:
    """The object's checksum, put together from the parts'. Raises InvalidRequest or BadDigest if the request differs."""
    algorithm, kind = effective_checksum(upload)
    asked = req.get("ChecksumType")
    if asked is not None and asked != kind:
        text = f"The upload was created using the {kind} checksum mode. The complete request must use the same checksum mode."
        raise invalid_request(text)
    own = [part.checksum or "" for part in chosen]
    if kind == COMPOSITE:
        value = composite(algorithm, own)
    else:
        value = combined(algorithm, [(text, part.size) for text, part in zip(own, chosen, strict=True)])
    for name in ALGORITHMS:
        told = req.get(f"Checksum{name}")
        if told is not None and (name != algorithm or told not in (value, value.partition("-")[0])):
            raise Fault("BadDigest", f"The {algorithm.lower()} you specified did not match the calculated checksum.")
    return Checksum(algorithm, kind, value)


def _check_conditions(ctx: Context, bucket: Bucket, upload: Upload, req: dict[str, Any]) -> None:
    """If-Match and If-None-Match. Where the object was written while the upload ran, an If-Match that holds is a conflict."""
    held = versions.current(ctx, bucket, upload.key)
    conditions.check_write(req, upload.key, held)
    if held and held.sequence > begun_at(upload):
        text = "The conditional request cannot succeed due to a conflicting operation against this resource."
        raise Fault("ConditionalRequestConflict", text, Condition="If-Match", Key=upload.key)


def _version(ctx: Context, bucket: Bucket, upload: Upload, chosen: list[Part], checksum: Checksum) -> ObjectVersion:
    sequence, version_id = versions.new_ids(ctx, bucket)
    composed = checksum.kind == COMPOSITE
    return msgspec.structs.replace(
        upload.like,
        size=sum(part.size for part in chosen),
        etag=_etag([part.etag for part in chosen]),
        modified=ctx.now,
        checksum=checksum,
        version_id=version_id,
        sequence=sequence,
        pieces=tuple(piece for part in chosen for piece in part.pieces),
        parts=tuple(StoredPart(part.number, part.size, part.checksum if composed else None, len(part.pieces)) for part in chosen),
        extra={**upload.like.extra, _UPLOAD: upload.id},
    )


def _etag(etags: list[str]) -> str:
    """The MD5 of the parts' MD5s, and how many they are."""
    digest = hashlib.md5(b"".join(bytes.fromhex(etag) for etag in etags), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(etags)}"


def _repeated(ctx: Context, bucket: Bucket, req: dict[str, Any], listed: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer where the upload was completed already, with these parts, and its object is still there."""
    held = versions.current(ctx, bucket, req["Key"])
    if held is None or held.extra.get(_UPLOAD) != req["UploadId"] or len(held.parts) != len(listed):
        raise no_such_upload(req["UploadId"])
    try:
        same = _etag([part["ETag"] for part in listed]) == held.etag
    except ValueError:
        same = False
    if not same:
        raise no_such_upload(req["UploadId"])
    return _shown(ctx, bucket, held)


def _shown(ctx: Context, bucket: Bucket, version: ObjectVersion) -> dict[str, Any]:
    result = {
        "Location": _location(ctx, bucket, version.key),
        "Bucket": bucket.name,
        "Key": version.key,
        "ETag": f'"{version.etag}"',
        **headers.shown_checksum(version),
        **headers.shown_encryption(version.sse),
    }
    if bucket.versioning == "Enabled":
        result["VersionId"] = version.version_id
    return result


def _location(ctx: Context, bucket: Bucket, key: str) -> str:
    """The object's URL at the host that the client spoke to; the slashes of its key are encoded, as S3 does here."""
    scheme, _, host = ctx.endpoint.partition("://")
    place = host if host.startswith(f"{bucket.name}.") else f"{host}/{bucket.name}"
    return f"{scheme}://{place}/{quote(key, safe='')}"
