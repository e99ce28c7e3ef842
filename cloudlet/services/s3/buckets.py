"""Buckets: create, head, list, delete."""

from __future__ import annotations

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.rows import BUCKETS, Bucket


def _open_bucket(ctx: Context, name: str, expected_owner: str | None = None) -> Bucket:
    """The bucket of that name. Raises NoSuchBucket, or AccessDenied where `expected_owner` is another account."""
    bucket = BUCKETS.get(ctx.tx, name)
    if bucket is None:
        raise Fault("NoSuchBucket", "The specified bucket does not exist", BucketName=name)
    if expected_owner is not None and expected_owner != bucket.account:
        if len(expected_owner) != 12 or not expected_owner.isdigit():
            text = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected_owner}]"
            raise Fault("InvalidBucketOwnerAWSAccountID", text)
        raise Fault("AccessDenied", "Access Denied", status=403)
    return bucket
