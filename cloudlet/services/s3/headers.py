"""What an object carries besides its bytes: headers, user metadata, storage class, encryption, checksum; in and out.

`stored_headers`, `stored_metadata`, `storage_class` and `encryption` read a request; `shown` and its kin make answers.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3.faults import invalid_argument
from cloudlet.services.s3.rows import Bucket, ObjectVersion

STANDARD = "STANDARD"
DEFAULT_TYPE = "binary/octet-stream"
_STORED = ("CacheControl", "ContentDisposition", "ContentLanguage", "Expires")
_LARGEST_METADATA_BYTES = 2048
_STORAGE_CLASSES = frozenset(
    (
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    )
)
_ARCHIVED = frozenset(("GLACIER", "DEEP_ARCHIVE"))
_KMS = ("aws:kms", "aws:kms:dsse")
_SSE_C = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
_EVENT_HOLDS = ("ObjectLockEventHold", "ObjectLockEventHoldDurationDays", "ObjectLockEventHoldDurationYears")
_NOT_DONE = frozenset((*_SSE_C, *("CopySource" + name for name in _SSE_C), *_EVENT_HOLDS, "WriteOffsetBytes"))
_QUOTED_PRINTABLE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/.%'\"()$#&,:;<>@[]^`{|}~\\")


def stored_headers(req: dict[str, Any]) -> dict[str, Any]:
    """The standard headers to keep, by member name. `aws-chunked` says how the body travels, so it is not kept."""
    kept: dict[str, Any] = {"ContentType": req.get("ContentType") or DEFAULT_TYPE}
    for name in _STORED:
        if name in req:
            kept[name] = req[name]
    encoding = req.get("ContentEncoding")
    if encoding is not None:
        codings = ",".join(part for part in encoding.split(",") if part.strip() != "aws-chunked").strip()
        if codings or not encoding:
            kept["ContentEncoding"] = codings
    redirect = req.get("WebsiteRedirectLocation")
    if redirect is not None:
        if not redirect.startswith(("/", "http://", "https://")):
            text = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
            raise Fault("InvalidRedirectLocation", text)
        kept["WebsiteRedirectLocation"] = redirect
    return kept


def stored_metadata(req: dict[str, Any]) -> dict[str, str]:
    """The user metadata to keep. Raises MetadataTooLarge; texts beyond ASCII are kept in RFC 2047's form, as S3 answers them."""
    given: dict[str, str] | None = req.get("Metadata")
    if not given:
        return {}
    size = sum(len(key) + len(value) for key, value in given.items())
    if size > _LARGEST_METADATA_BYTES:
        text = "Your metadata headers exceed the maximum allowed metadata size"
        raise Fault("MetadataTooLarge", text, Size=size, MaxSizeAllowed=_LARGEST_METADATA_BYTES)
    return {key: value if value.isascii() else _encoded_word(value) for key, value in given.items()}


def storage_class(req: dict[str, Any]) -> str:
    """Raises InvalidStorageClass."""
    asked: str | None = req.get("StorageClass")
    if asked is None:
        return STANDARD
    if asked not in _STORAGE_CLASSES:
        raise Fault("InvalidStorageClass", "The storage class you specified is not valid", StorageClassRequested=asked)
    return asked


def check_readable(version: ObjectVersion) -> None:
    """Raises InvalidObjectState for an archived object."""
    if version.storage_class in _ARCHIVED:
        text = "The operation is not valid for the object's storage class"
        raise Fault("InvalidObjectState", text, StorageClass=version.storage_class)


def refuse_customer_keys(req: dict[str, Any], operation: str) -> None:
    """Raises NotImplemented for SSE-C, and for the few other members of such requests that are not done."""
    if req.keys().isdisjoint(_NOT_DONE):
        return
    asked = min(_NOT_DONE & req.keys())
    raise not_implemented(f"s3's {operation} with {asked}")


def encryption(ctx: Context, req: dict[str, Any], bucket: Bucket) -> dict[str, Any]:
    """The members about encryption to keep and to answer with: the request's, else the bucket's default. {} stands for AES256."""
    asked, key, with_bucket_key = req.get("ServerSideEncryption"), req.get("SSEKMSKeyId"), req.get("BucketKeyEnabled")
    if asked is None and key is None:
        if bucket.encryption is None:
            return {}
        default = bucket.encryption.get("ApplyServerSideEncryptionByDefault", {})
        asked, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
        with_bucket_key = bucket.encryption.get("BucketKeyEnabled") if with_bucket_key is None else with_bucket_key
    if asked in (None, "AES256"):
        if key is not None:
            text = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
            raise invalid_argument("x-amz-server-side-encryption", asked, text)
        return {}
    if asked not in _KMS:
        text = "The encryption method specified is not supported"
        raise invalid_argument("x-amz-server-side-encryption", asked, text)
    found: dict[str, Any] = {"ServerSideEncryption": asked, "SSEKMSKeyId": _key_arn(bucket, key)}
    if with_bucket_key:
        found["BucketKeyEnabled"] = True
    return found


def etag_of(ctx: Context, md5: str, sse: dict[str, Any]) -> str:
    """An object's entity tag: the MD5 of its bytes, except under a KMS key, where it tells nothing about them."""
    return ctx.ids.hex(32) if sse else md5


def shown_encryption(sse: dict[str, Any]) -> dict[str, Any]:
    return sse or {"ServerSideEncryption": "AES256"}


def shown_checksum(version: ObjectVersion) -> dict[str, str]:
    """ChecksumSHA256 (or its kin) and ChecksumType."""
    checksum = version.checksum
    return {f"Checksum{checksum.algorithm}": checksum.value, "ChecksumType": checksum.kind} if checksum else {}


def shown(version: ObjectVersion, bucket: Bucket) -> dict[str, Any]:
    """The members that GET and HEAD have in common, apart from those about the part of the body that is sent."""
    out: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        "Metadata": version.metadata,
    }
    out.update(version.headers)
    out.update(version.sse or {"ServerSideEncryption": "AES256"})
    if bucket.versioning:
        out["VersionId"] = version.version_id
    if version.storage_class != STANDARD:
        out["StorageClass"] = version.storage_class
    if version.tags:
        out["TagCount"] = len(version.tags)
    if version.lock:
        out.update(version.lock)
    return out


def _key_arn(bucket: Bucket, key: str | None) -> str:
    """A KMS key as answers name it. Without a key it is the account's own for S3, whose id is always the same."""
    if key is None:
        digest = hashlib.md5(f"aws/s3 {bucket.account} {bucket.region}".encode(), usedforsecurity=False).hexdigest()
        key = str(uuid.UUID(hex=digest))
    if key.startswith("arn:"):
        return key
    kind = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:aws:kms:{bucket.region}:{bucket.account}:{kind}"


def _encoded_word(text: str) -> str:
    """RFC 2047's Q encoding. Headers come as Latin-1; what they hold is mostly UTF-8."""
    try:
        raw = text.encode("latin-1")
        raw.decode()
    except UnicodeError:
        raw = text.encode()
    letters = "".join("_" if byte == 32 else chr(byte) if byte in _QUOTED_PRINTABLE else f"={byte:02X}" for byte in raw)
    return f"=?UTF-8?Q?{letters}?="
