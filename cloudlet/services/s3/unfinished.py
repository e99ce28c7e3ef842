"""Uploads in progress and their parts: found, dropped. No request names here.

An upload's id begins with the sequence at which it was begun, in hexadecimal: ids of one key sort as their uploads began.
"""

from __future__ import annotations

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.checksums import FULL_OBJECT
from cloudlet.services.s3.rows import PARTS, UPLOADS, Bucket, Part, Upload, decode_part, decode_upload, encode
from cloudlet.services.s3.versions import drop_body

MOST_PARTS = 10_000
_SEQUENCE_DIGITS = 16
_RANDOM_DIGITS = 48


def new_upload_id(ctx: Context) -> str:
    return f"{ctx.ids.sequence():0{_SEQUENCE_DIGITS}x}{ctx.ids.hex(_RANDOM_DIGITS)}"


def begun_at(upload: Upload) -> int:
    """The sequence at which an upload was begun: versions made since have greater ones."""
    return int(upload.id[:_SEQUENCE_DIGITS], 16)


def find_upload(ctx: Context, bucket: Bucket, key: str, upload_id: str) -> Upload | None:
    raw = ctx.tx.get(UPLOADS.key(bucket.id, key, upload_id))
    return decode_upload(raw) if raw is not None else None


def open_upload(ctx: Context, bucket: Bucket, key: str, upload_id: str) -> Upload:
    """Raises NoSuchUpload."""
    upload = find_upload(ctx, bucket, key, upload_id)
    if upload is None:
        raise no_such_upload(upload_id)
    return upload


def no_such_upload(upload_id: str) -> Fault:
    text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    return Fault("NoSuchUpload", text, UploadId=upload_id)


def effective_checksum(upload: Upload) -> tuple[str, str]:
    """The algorithm and type that the object will have: the ones asked for, else S3's own."""
    return (upload.algorithm, upload.kind) if upload.algorithm else ("CRC64NVME", FULL_OBJECT)


def parts_of(ctx: Context, upload_id: str, after: int = 0, limit: int = -1) -> list[Part]:
    """An upload's parts by number, those numbered above `after`."""
    below = PARTS(upload_id)
    return [decode_part(value) for _, value in ctx.tx.scan(below.key(after + 1), below.end, limit)]


def put_part(ctx: Context, part: Part) -> None:
    """Store a part. One of the same number that was there before is dropped."""
    key = PARTS.key(part.upload, part.number)
    raw = ctx.tx.get(key)
    if raw is not None:
        drop_body(ctx, decode_part(raw).pieces)
    ctx.tx.put(key, encode(part))


def forget(ctx: Context, bucket: Bucket, upload: Upload) -> None:
    """Remove an upload and its parts' rows; their bodies stay."""
    ctx.tx.delete(UPLOADS.key(bucket.id, upload.key, upload.id))
    ctx.tx.clear_space(PARTS(upload.id))


def drop_parts(ctx: Context, bucket: Bucket, upload: Upload) -> None:
    """Remove an upload with its parts and their bodies."""
    for part in parts_of(ctx, upload.id):
        drop_body(ctx, part.pieces)
    forget(ctx, bucket, upload)
