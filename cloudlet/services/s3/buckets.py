"""Buckets: create, head, list, delete; where they are and whether they keep versions."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3 import acl, configs, tagging, versions
from cloudlet.services.s3.faults import invalid_argument, malformed_xml
from cloudlet.services.s3.owner import shown
from cloudlet.services.s3.protocol import location_document
from cloudlet.services.s3.regions import REGIONS
from cloudlet.services.s3.rows import BUCKETS, CONFIGS, NULLS, PARTS, UPLOADS, VERSIONS, Bucket, decode_part, decode_upload

_HOME = "us-east-1"
_MOST_LISTED = 10_000
_fits = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]").fullmatch
_is_address = re.compile(r"\d+\.\d+\.\d+\.\d+").fullmatch
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_OWNERSHIPS = ("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")


def create_bucket(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Make a bucket, empty and without versioning. Its name is taken in all accounts and regions.

    Making one's own bucket again succeeds in us-east-1, as it always has, and raises BucketAlreadyOwnedByYou elsewhere.
    """
    name = req["Bucket"]
    _check_name(name)
    settings = req.get("CreateBucketConfiguration") or {}
    if settings.get("Location") or settings.get("Bucket"):
        raise not_implemented("s3's CreateBucket of directory buckets")
    if req.get("BucketNamespace", "global") != "global":
        raise not_implemented("s3's CreateBucket with BucketNamespace")
    region, constraint = _region(ctx, settings.get("LocationConstraint"))
    tags = tagging.of_new_bucket(settings.get("Tags"))
    ownership = req.get("ObjectOwnership") or acl.ENFORCED
    if ownership not in _OWNERSHIPS:
        raise invalid_argument("x-amz-object-ownership", ownership, None)
    grants = acl.from_headers(req, ctx.account, bucket=True)
    if ownership == acl.ENFORCED and req.get("ACL", "private") != "private":
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Fault("InvalidBucketAclWithObjectOwnership", text)
    acl.refuse_public(grants, blocked=True)
    if held := BUCKETS.get(ctx.tx, name):
        _refuse_taken(ctx, held)
    else:
        locked = bool(req.get("ObjectLockEnabledForBucket"))
        versioning = "Enabled" if locked else ""
        bucket = Bucket(name, ctx.account, region, ctx.ids.hex(16), ctx.now, versioning, locked, ownership, constraint)
        BUCKETS.insert(ctx.tx, bucket)
        if tags:
            configs.write(ctx, bucket, configs.TAGS, tags)
        if grants:
            configs.write(ctx, bucket, configs.ACL, grants)
    location = f"/{name}" if region == _HOME else f"http://{name}.s3.amazonaws.com/"
    return {"Location": location, "BucketArn": f"arn:aws:s3:::{name}"}


def head_bucket(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a bucket is there, and its region."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    return {"BucketRegion": bucket.region, "BucketArn": f"arn:aws:s3:::{bucket.name}", "AccessPointAlias": False}


def list_buckets(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The account's buckets by name, at most MaxBuckets (10,000) at a time; a ContinuationToken in the answer leads on."""
    prefix, region, most = req.get("Prefix") or "", req.get("BucketRegion"), req.get("MaxBuckets", _MOST_LISTED)
    if not 1 <= most <= _MOST_LISTED:
        raise invalid_argument("max-buckets", most, f"Argument max-buckets must be an integer between 1 and {_MOST_LISTED}")
    if region is not None and region not in REGIONS:
        raise invalid_argument("bucket-region", None, f"Argument value {region} is not a valid AWS Region")
    after = _name_in(req.get("ContinuationToken"))
    found: list[dict[str, Any]] = []
    token = None
    for bucket in BUCKETS.by(ctx.tx, "owner", ctx.account):
        if bucket.name <= after or not bucket.name.startswith(prefix) or region not in (None, bucket.region):
            continue
        if len(found) == most:
            token = base64.urlsafe_b64encode(found[-1]["Name"].encode()).decode()
            break
        found.append(
            {
                "Name": bucket.name,
                "CreationDate": bucket.created,
                "BucketRegion": bucket.region,
                "BucketArn": f"arn:aws:s3:::{bucket.name}",
            }
        )
    out: dict[str, Any] = {"Owner": shown(ctx.account), "Buckets": found}
    if token:
        out["ContinuationToken"] = token
    if prefix:
        out["Prefix"] = prefix
    return out


def delete_bucket(ctx: Context, req: dict[str, Any]) -> None:
    """Remove an empty bucket with its configuration and its unfinished uploads. Raises BucketNotEmpty."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    if not versions.is_empty(ctx, bucket)[1]:
        text = "The bucket you tried to delete is not empty"
        if bucket.versioning:
            text += ". You must delete all versions in the bucket."
        raise Fault("BucketNotEmpty", text, BucketName=bucket.name)
    uploads = UPLOADS(bucket.id)
    for _, raw in ctx.tx.scan(uploads.prefix, uploads.end):
        parts = PARTS(decode_upload(raw).id)
        for _, part in ctx.tx.scan(parts.prefix, parts.end):
            versions.drop_body(ctx, decode_part(part).pieces)
        ctx.tx.clear_space(parts)
    for space in (uploads, CONFIGS(bucket.id), VERSIONS(bucket.id), NULLS(bucket.id)):
        ctx.tx.clear_space(space)
    BUCKETS.delete(ctx.tx, bucket)


def get_bucket_location(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The location constraint a bucket was made with; none for us-east-1."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    return {"LocationConstraint": location_document(bucket.location), "ContentType": "application/xml"}


def put_bucket_versioning(ctx: Context, req: dict[str, Any]) -> None:
    """Have a bucket keep versions (Enabled), or keep those it has and make no more (Suspended). It never goes back to neither."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    asked: dict[str, Any] = req.get("VersioningConfiguration") or {}
    status = asked.get("Status")
    if status is None:
        text = "The Versioning element must be specified"
        raise Fault("IllegalVersioningConfigurationException", text)
    if status not in ("Enabled", "Suspended"):
        raise malformed_xml()
    if asked.get("MFADelete") == "Enabled" or req.get("MFA"):
        raise not_implemented("s3's PutBucketVersioning with MFADelete")
    if bucket.object_lock and status == "Suspended":
        text = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise Fault("InvalidBucketState", text)
    BUCKETS.put(ctx.tx, msgspec.structs.replace(bucket, versioning=status), was=bucket)


def get_bucket_versioning(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Enabled or Suspended; nothing for a bucket that never had versioning."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    return {"Status": bucket.versioning} if bucket.versioning else {}


def _open_bucket(ctx: Context, name: str, expected_owner: str | None = None) -> Bucket:
    """The bucket of that name. Raises NoSuchBucket, or AccessDenied where `expected_owner` is another account."""
    bucket = BUCKETS.get(ctx.tx, name)
    if bucket is None:
        raise Fault("NoSuchBucket", "The specified bucket does not exist", BucketName=name)
    if expected_owner is not None and expected_owner != bucket.account:
        if len(expected_owner) != 12 or not expected_owner.isdigit():
            text = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected_owner}]"
            raise Fault("InvalidBucketOwnerAWSAccountID", text)
        raise Fault("AccessDenied", "Access Denied", headers=(("x-amz-bucket-region", bucket.region),))
    return bucket


def _check_name(name: str) -> None:
    fits = _fits(name) and ".." not in name and not _is_address(name)
    if not fits or name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS):
        raise Fault("InvalidBucketName", "The specified bucket is not valid.", BucketName=name)


def _region(ctx: Context, constraint: str | None) -> tuple[str, str | None]:
    """Where a new bucket goes: only us-east-1's endpoint makes buckets elsewhere. Also the constraint as it is to be shown."""
    if not constraint:
        if ctx.region != _HOME:
            raise _illegal_location("unspecified")
        return _HOME, None
    region = "eu-west-1" if constraint == "EU" else constraint
    if region not in REGIONS or (ctx.region == _HOME and region == _HOME):
        text = "The specified location-constraint is not valid"
        raise Fault("InvalidLocationConstraint", text, LocationConstraint=constraint)
    if ctx.region not in (_HOME, region):
        raise _illegal_location(constraint)
    return region, constraint


def _illegal_location(constraint: str) -> Fault:
    text = f"The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
    return Fault("IllegalLocationConstraintException", text)


def _refuse_taken(ctx: Context, held: Bucket) -> None:
    if held.account != ctx.account:
        text = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        raise Fault("BucketAlreadyExists", text + "Please select a different name and try again.", BucketName=held.name)
    if held.region != _HOME or ctx.region != _HOME:
        text = "Your previous request to create the named bucket succeeded and you already own it."
        raise Fault("BucketAlreadyOwnedByYou", text, BucketName=held.name)


def _name_in(token: str | None) -> str:
    try:
        return base64.urlsafe_b64decode(token or "").decode()
    except ValueError:
        raise invalid_argument("continuation-token", token, "The continuation token provided is incorrect") from None
