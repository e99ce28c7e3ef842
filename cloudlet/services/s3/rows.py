"""S3's rows and where they lie. Names of buckets are shared by all accounts, so keys begin with the bucket, not the account.

    ("s3", "bucket", name)                          -> Bucket        by ("owner", account, name)
    ("s3", "config", bucket id, kind)               -> bytes         tags, policy, ...: what a bucket may have besides
    ("s3", "object", bucket id, key)                -> ObjectVersion the current version of each key, where it is no delete marker
    ("s3", "version", bucket id, key, -sequence)    -> ObjectVersion the versions that are not current, and all delete markers
    ("s3", "null", bucket id, key)                  -> sequence      of the null version, where it is not current
    ("s3", "body", sequence, piece)                 -> bytes         a small body's bytes; larger ones are blobs
    ("s3", "upload", bucket id, key, upload id)     -> Upload        a multipart upload in progress
    ("s3", "part", upload id, number)               -> Part          by number, as uploaded

A bucket without versioning uses "object" alone. With it, a new version moves the current one to "version"; removing the current
one moves the newest of "version" back, unless that is a delete marker. A version's id holds its sequence, so it is found by key.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import msgspec

from cloudlet.kernel.keys import Space
from cloudlet.kernel.tables import Table

NULL = "null"
_CHECK_BYTES = 4
_LARGEST_SEQUENCE = (1 << 63) - 1  # of an id that is not ours; ours are below


class Bucket(msgspec.Struct, frozen=True, array_like=True):
    """id keys all that the bucket holds; a bucket made anew has another. versioning: "" (never on), "Enabled" or "Suspended".

    encryption: the rule that PutBucketEncryption set. retention: object lock's default for new objects.
    """

    name: str
    account: str
    region: str
    id: str
    created: int
    versioning: str = ""
    object_lock: bool = False
    ownership: str = "BucketOwnerEnforced"
    location: str | None = None
    mfa_delete: bool = False
    encryption: dict[str, Any] | None = None
    retention: dict[str, Any] | None = None


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A run of a body's bytes: in the blob of that name, or inline (blob is None) under ("body", sequence, piece number)."""

    size: int
    blob: str | None = None
    sequence: int = 0
    number: int = 0


class StoredPart(msgspec.Struct, frozen=True, array_like=True):
    """What a completed multipart object remembers of a part. pieces: how many of the object's pieces are its own."""

    number: int
    size: int
    checksum: str | None = None
    pieces: int = 1


class Checksum(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """algorithm: CRC32, CRC32C, CRC64NVME, SHA1 or SHA256. kind: FULL_OBJECT or COMPOSITE. value: base64; `-N` if composite."""

    algorithm: str
    kind: str
    value: str


class ObjectVersion(msgspec.Struct, frozen=True, array_like=True):
    """One version of an object, or a delete marker. The first fields are those that listings read: `Listed` is their prefix.

    etag: without its quotes. version_id: "null" for one made while versioning was not enabled. headers: the standard ones, by
    member name of PutObject (ContentType, CacheControl, ...). sse: members about encryption, as answers show them; {} is AES256.
    lock: object lock's members, as answers show them. acl: as `acl` keeps it.
    """

    key: str
    size: int
    etag: str
    modified: int
    storage_class: str
    checksum: Checksum | None
    version_id: str
    sequence: int
    account: str
    marker: bool = False
    pieces: tuple[Piece, ...] = ()
    parts: tuple[StoredPart, ...] = ()
    headers: dict[str, Any] = {}
    metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    sse: dict[str, Any] = {}
    lock: dict[str, Any] = {}
    acl: Any = None
    extra: dict[str, Any] = {}


class Listed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of an ObjectVersion that listings show; decoding it skips the rest."""

    key: str
    size: int
    etag: str
    modified: int
    storage_class: str
    checksum: Checksum | None
    version_id: str
    sequence: int
    account: str
    marker: bool = False


class Upload(msgspec.Struct, frozen=True, array_like=True):
    """A multipart upload in progress; `like` is the version that completing it makes, without its body.

    algorithm, kind: the checksum that was asked for at its creation ("" where none was). principal: the ARN of who began it.
    """

    key: str
    id: str
    initiated: int
    account: str
    algorithm: str
    kind: str
    like: ObjectVersion
    principal: str = ""


class Part(msgspec.Struct, frozen=True, array_like=True):
    """An uploaded part. checksum: base64 of the part's own; algorithm names it."""

    upload: str
    number: int
    size: int
    etag: str
    modified: int
    pieces: tuple[Piece, ...]
    algorithm: str = ""
    checksum: str | None = None


BUCKETS = Table("s3", "bucket", row=Bucket, key=("name",), indexes={"owner": lambda bucket: (bucket.account,)})
CONFIGS = Space("s3", "config")
OBJECTS = Space("s3", "object")
VERSIONS = Space("s3", "version")
NULLS = Space("s3", "null")
BODIES = Space("s3", "body")
UPLOADS = Space("s3", "upload")
PARTS = Space("s3", "part")

encode = msgspec.msgpack.Encoder().encode
decode_version = msgspec.msgpack.Decoder(ObjectVersion).decode
decode_listed = msgspec.msgpack.Decoder(Listed).decode
decode_upload = msgspec.msgpack.Decoder(Upload).decode
decode_part = msgspec.msgpack.Decoder(Part).decode


def version_id(bucket: Bucket, sequence: int, salt: bytes) -> str:
    """32 letters that hold a version's sequence; `sequence_of` reads it back. salt: 12 random bytes."""
    raw = struct.pack("!Q", sequence) + salt
    return base64.urlsafe_b64encode(raw + _check(bucket, raw)).decode().replace("-", ".")


def given_by(bucket: Bucket, text: str) -> bool:
    """Whether a version id was given by this bucket, be its version still there or not."""
    if sequence_of(text) is None:
        return False
    raw = base64.urlsafe_b64decode(text.replace(".", "-"))
    return raw[-_CHECK_BYTES:] == _check(bucket, raw[:-_CHECK_BYTES])


def sequence_of(text: str) -> int | None:
    """The sequence that a version id holds; None for a text that is no version id."""
    try:
        raw = base64.urlsafe_b64decode(text.replace(".", "-"))
    except ValueError:
        return None
    if len(text) != 32 or len(raw) != 24:
        return None
    return int.from_bytes(raw[:8], "big") & _LARGEST_SEQUENCE


def _check(bucket: Bucket, raw: bytes) -> bytes:
    return zlib.crc32(raw, zlib.crc32(bucket.id.encode())).to_bytes(_CHECK_BYTES, "big")
