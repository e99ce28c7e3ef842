"""Tags of buckets and of objects: put, get, delete."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3 import configs, tagging, versions
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.rows import Bucket, ObjectVersion
from cloudlet.services.s3.targets import open_version


def put_bucket_tagging(ctx: Context, req: dict[str, Any]) -> None:
    """Replace all tags of a bucket; an empty set removes them."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    tags = tagging.of_bucket(req.get("Tagging"))
    if tags:
        configs.write(ctx, bucket, configs.TAGS, tags)
    else:
        configs.remove(ctx, bucket, configs.TAGS)


def get_bucket_tagging(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchTagSet for a bucket without tags."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    tags = configs.read(ctx, bucket, configs.TAGS)
    if not tags:
        raise Fault("NoSuchTagSet", "The TagSet does not exist", BucketName=bucket.name)
    return {"TagSet": tagging.shown(tags)}


def delete_bucket_tagging(ctx: Context, req: dict[str, Any]) -> None:
    """Remove all tags of a bucket, be there any or not."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    configs.remove(ctx, bucket, configs.TAGS)


def put_object_tagging(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Replace all tags of one version; of the current one where no version is named."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    version = open_version(ctx, bucket, req["Key"], req.get("VersionId"), "PUT")
    tags = tagging.of_object(req.get("Tagging"))
    versions.rewrite(ctx, bucket, msgspec.structs.replace(version, tags=tags))
    return _of_version(bucket, version)


def get_object_tagging(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """A version's tags; an empty set where it has none."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    try:
        version = open_version(ctx, bucket, req["Key"], req.get("VersionId"))
    except Fault as fault:
        if fault.code == "NoSuchKey":  # this operation alone names the bucket with the key
            fault.members["Key"] = f"{bucket.name}/{req['Key']}"
        raise
    return {"TagSet": tagging.shown(version.tags), **_of_version(bucket, version)}


def delete_object_tagging(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Remove all tags of one version."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    version = open_version(ctx, bucket, req["Key"], req.get("VersionId"), "DELETE")
    versions.rewrite(ctx, bucket, msgspec.structs.replace(version, tags={}))
    return _of_version(bucket, version)


def _of_version(bucket: Bucket, version: ObjectVersion) -> dict[str, Any]:
    return {"VersionId": version.version_id} if bucket.versioning else {}
