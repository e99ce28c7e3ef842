"""Access control lists of buckets and objects: put and get. They are kept and shown; who may do what is not decided by them."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3 import acl, configs, versions
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.rows import Bucket
from cloudlet.services.s3.targets import open_version


def put_bucket_acl(ctx: Context, req: dict[str, Any]) -> None:
    """Replace a bucket's list by a canned one, by grants in headers or by the one in the body."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    asked = _asked(ctx, req, bucket, bucket.account, of_bucket=True)
    configs.write(ctx, bucket, configs.ACL, asked)


def get_bucket_acl(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The owner and the grants; the owner's full control where no list was ever set."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    return acl.shown(configs.read(ctx, bucket, configs.ACL), bucket.account)


def put_object_acl(ctx: Context, req: dict[str, Any]) -> None:
    """Replace the list of one version of an object."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    version = open_version(ctx, bucket, req["Key"], req.get("VersionId"), "PUT")
    asked = _asked(ctx, req, bucket, version.account, of_bucket=False)
    versions.rewrite(ctx, bucket, msgspec.structs.replace(version, acl=asked))


def get_object_acl(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The owner and the grants of one version."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    version = open_version(ctx, bucket, req["Key"], req.get("VersionId"))
    return acl.shown(version.acl, version.account)


def _asked(ctx: Context, req: dict[str, Any], bucket: Bucket, owner: str, *, of_bucket: bool) -> acl.Acl:
    """The list a request asks for, in headers or in its body but not in both. Raises Fault."""
    policy = req.get("AccessControlPolicy")
    if acl.asks(req):
        if policy:
            raise Fault("UnexpectedContent", "This request does not support content")
        found = acl.from_headers(req, owner, bucket=of_bucket, bucket_owner="" if of_bucket else bucket.account)
    elif policy is None:
        text = "Your request was missing a required header"
        raise Fault("MissingSecurityHeader", text, MissingHeaderName="x-amz-acl")
    else:
        found = acl.from_policy(policy, owner)
    if bucket.ownership == acl.ENFORCED and not acl.harmless(req, found, bucket):
        raise acl.not_supported()
    acl.refuse_public(found, configs.blocks(ctx, bucket, "BlockPublicAcls"))
    return found
