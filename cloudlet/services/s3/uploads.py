"""Multipart uploads: begun, listed, aborted. `parts` takes their parts, `completion` makes the object."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3 import acl, configs, headers, owner, tagging, worm
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import ALGORITHMS, COMPOSITE, FULL_OBJECT, default_kind
from cloudlet.services.s3.faults import invalid_request
from cloudlet.services.s3.paging import encode_members, key_encoder, page_size, whole_seconds
from cloudlet.services.s3.rows import NULL, UPLOADS, Bucket, ObjectVersion, Upload, encode
from cloudlet.services.s3.targets import check_key
from cloudlet.services.s3.unfinished import drop_parts, new_upload_id, open_upload
from cloudlet.services.s3.walks import open_uploads

_NOT_DONE = frozenset(("MD5", "SHA512", "XXHASH3", "XXHASH64", "XXHASH128"))


def create_multipart_upload(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Begin an upload. What the object will carry besides its bytes (headers, metadata, tags, encryption) is fixed here."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    check_key(req["Key"])
    headers.refuse_customer_keys(req, "CreateMultipartUpload")
    algorithm, kind = _asked_checksum(req)
    like = _like(ctx, bucket, req)
    upload = Upload(req["Key"], new_upload_id(ctx), ctx.now, ctx.account, algorithm, kind, like, ctx.principal)
    ctx.tx.put(UPLOADS.key(bucket.id, upload.key, upload.id), encode(upload))
    result = {"Bucket": bucket.name, "Key": upload.key, "UploadId": upload.id, **headers.shown_encryption(like.sse)}
    if algorithm:
        result |= {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    return result


def abort_multipart_upload(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Give an upload up: its parts are gone. Raises NoSuchUpload."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    if "IfMatchInitiatedTime" in req:
        text = "A header you provided implies functionality that is not implemented"
        raise Fault("NotImplemented", text, Header="x-amz-if-match-initiated-time")
    upload = open_upload(ctx, bucket, req["Key"], req["UploadId"])
    drop_parts(ctx, bucket, upload)
    return {}


def list_multipart_uploads(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """A page of a bucket's uploads in progress, by key and then in the order they were begun."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    limit, encoded = page_size(req, "MaxUploads", "max-uploads"), key_encoder(req)
    marker, id_marker = req.get("KeyMarker", ""), req.get("UploadIdMarker", "")
    after = (marker, id_marker if marker else "")
    page = open_uploads(ctx.tx, bucket.id, req.get("Prefix", ""), req.get("Delimiter", ""), after, limit)
    result: dict[str, Any] = {
        "Bucket": bucket.name,
        "KeyMarker": marker,
        "UploadIdMarker": id_marker,
        "NextKeyMarker": page.last,
        "NextUploadIdMarker": page.last_entry.id if page.last_entry else "",
        "Prefix": req.get("Prefix") or None,
        "Delimiter": req.get("Delimiter") or None,
        "EncodingType": req.get("EncodingType") or None,
        "MaxUploads": limit,
        "IsTruncated": page.truncated,
        "Uploads": [_shown(upload) for upload in page.entries],
        "CommonPrefixes": [{"Prefix": folder} for folder in page.prefixes],
    }
    if encoded:
        for entry in result["Uploads"]:
            entry["Key"] = encoded(entry["Key"])
    encode_members(result, encoded, "Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")
    return result


def _shown(upload: Upload) -> dict[str, Any]:
    return {
        "UploadId": upload.id,
        "Key": upload.key,
        "Initiated": whole_seconds(upload.initiated),
        "StorageClass": upload.like.storage_class,
        "Owner": owner.shown(upload.account),
        "Initiator": _initiator(upload),
        "ChecksumAlgorithm": upload.algorithm or None,
        "ChecksumType": upload.kind or None,
    }


def _initiator(upload: Upload) -> dict[str, str]:
    """Who began an upload: the account's root by its canonical id, anybody else by ARN."""
    if upload.principal.endswith(":root"):
        return {"ID": owner.canonical_id(upload.account), "DisplayName": upload.account}
    return {"ID": upload.principal, "DisplayName": upload.principal.rpartition("/")[2]}


def _asked_checksum(req: dict[str, Any]) -> tuple[str, str]:
    """The algorithm and type that the upload is to use; ("", "") where the request names none. Raises InvalidRequest."""
    algorithm, kind = req.get("ChecksumAlgorithm"), req.get("ChecksumType")
    if algorithm is None:
        if kind is not None:
            text = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise invalid_request(text)
        return "", ""
    algorithm = algorithm.upper()
    if algorithm in _NOT_DONE:
        raise not_implemented(f"s3's checksums other than {', '.join(ALGORITHMS)}")
    if algorithm not in ALGORITHMS:
        text = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        raise invalid_request(text + "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    if kind is None:
        return algorithm, default_kind(algorithm)
    kind = kind.upper()
    if kind not in (FULL_OBJECT, COMPOSITE):
        raise invalid_request("Value for x-amz-checksum-type header is invalid.")
    if (kind == COMPOSITE and algorithm == "CRC64NVME") or (kind == FULL_OBJECT and algorithm.startswith("SHA")):
        raise invalid_request(f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.")
    return algorithm, kind


def _like(ctx: Context, bucket: Bucket, req: dict[str, Any]) -> ObjectVersion:
    """The version that completing the upload makes, without its body."""
    blocked = configs.blocks(ctx, bucket, "BlockPublicAcls") if acl.asks(req) else False
    return ObjectVersion(
        key=req["Key"],
        size=0,
        etag="",
        modified=ctx.now,
        storage_class=headers.storage_class(req),
        checksum=None,
        version_id=NULL,
        sequence=0,
        account=ctx.account,
        headers=headers.stored_headers(req),
        metadata=headers.stored_metadata(req),
        tags=tagging.from_header(req.get("Tagging")),
        sse=headers.encryption(ctx, req, bucket),
        lock=worm.asked(req, bucket, ctx.now),
        acl=acl.of_new_object(req, bucket, ctx.account, blocked),
    )
