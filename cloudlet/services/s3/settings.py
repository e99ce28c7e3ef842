"""A bucket's encryption, ownership, public access block and policy: put, get, delete."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3 import acl, configs
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.faults import access_denied, invalid_argument, malformed_xml
from cloudlet.services.s3.rows import BUCKETS

_OWNERSHIPS = ("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")
_KMS = ("aws:kms", "aws:kms:dsse")
_LARGEST_POLICY_BYTES = 20 * 1024


def put_bucket_encryption(ctx: Context, req: dict[str, Any]) -> None:
    """Set how new objects are encrypted that do not say it themselves. It is shown, and nothing is encrypted."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    rules = (req.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or []
    if len(rules) != 1:
        raise malformed_xml()
    rule = dict(rules[0])
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    if default.get("SSEAlgorithm") not in ("AES256", *_KMS):
        raise malformed_xml()
    if default.get("KMSMasterKeyID") is not None and default["SSEAlgorithm"] not in _KMS:
        text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        raise invalid_argument("ApplyServerSideEncryptionByDefault", None, text)
    rule.setdefault("BucketKeyEnabled", False)
    BUCKETS.put(ctx.tx, msgspec.structs.replace(bucket, encryption=rule), was=bucket)


def get_bucket_encryption(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The rule that was set; AES256 where none was."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    rule = bucket.encryption or {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": False,
    }
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


def delete_bucket_encryption(ctx: Context, req: dict[str, Any]) -> None:
    """Back to AES256."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    BUCKETS.put(ctx.tx, msgspec.structs.replace(bucket, encryption=None), was=bucket)


def put_bucket_ownership_controls(ctx: Context, req: dict[str, Any]) -> None:
    """Say whose the objects of other accounts are, and whether access control lists count at all."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    rules = (req.get("OwnershipControls") or {}).get("Rules") or []
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in _OWNERSHIPS:
        raise malformed_xml()
    ownership = rules[0]["ObjectOwnership"]
    grants = configs.read(ctx, bucket, configs.ACL)
    if ownership == acl.ENFORCED and grants and grants["Grants"] != acl.shown(None, bucket.account)["Grants"]:
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Fault("InvalidBucketAclWithObjectOwnership", text)
    BUCKETS.put(ctx.tx, msgspec.structs.replace(bucket, ownership=ownership), was=bucket)


def get_bucket_ownership_controls(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises OwnershipControlsNotFoundError once they have been deleted."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    if not bucket.ownership:
        text = "The bucket ownership controls were not found"
        raise Fault("OwnershipControlsNotFoundError", text, BucketName=bucket.name)
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.ownership}]}}


def delete_bucket_ownership_controls(ctx: Context, req: dict[str, Any]) -> None:
    """Without controls an object is its writer's, and access control lists count."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    BUCKETS.put(ctx.tx, msgspec.structs.replace(bucket, ownership=""), was=bucket)


def put_public_access_block(ctx: Context, req: dict[str, Any]) -> None:
    """Replace all four settings; those left out are off."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    asked = req.get("PublicAccessBlockConfiguration")
    if not isinstance(asked, dict):
        raise malformed_xml()
    block = {name: bool(asked.get(name)) for name in configs.BLOCKS}
    configs.write(ctx, bucket, configs.PUBLIC_ACCESS_BLOCK, block)


def get_public_access_block(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """A new bucket has all four on. Raises NoSuchPublicAccessBlockConfiguration once the block has been deleted."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    block = configs.public_access_block(ctx, bucket)
    if block is None:
        text = "The public access block configuration was not found"
        raise Fault("NoSuchPublicAccessBlockConfiguration", text, BucketName=bucket.name)
    return {"PublicAccessBlockConfiguration": block}


def delete_public_access_block(ctx: Context, req: dict[str, Any]) -> None:
    """Turn all four off."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    configs.write(ctx, bucket, configs.PUBLIC_ACCESS_BLOCK, {})


def put_bucket_policy(ctx: Context, req: dict[str, Any]) -> None:
    """Keep a policy as it was given. It is shown and decides nothing. Raises MalformedPolicy."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    text: str = req.get("Policy") or ""
    if not text.startswith("{"):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    try:
        policy = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise _malformed("This policy contains invalid Json") from None
    statements = policy.get("Statement")
    if not statements:
        raise _malformed("Missing required field Statement")
    if not isinstance(statements, list):
        statements = [statements]
    if not all(isinstance(statement, dict) for statement in statements):
        raise _malformed("This policy contains invalid Json")
    if len(text.encode()) > _LARGEST_POLICY_BYTES:
        raise _malformed("Policy exceeds the maximum allowed document size.")
    if configs.blocks(ctx, bucket, "BlockPublicPolicy") and _is_public(statements):
        raise access_denied()
    configs.write(ctx, bucket, configs.POLICY, text)


def get_bucket_policy(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The policy, letter for letter. Raises NoSuchBucketPolicy."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    text = configs.read(ctx, bucket, configs.POLICY)
    if text is None:
        raise Fault("NoSuchBucketPolicy", "The bucket policy does not exist", BucketName=bucket.name)
    return {"Policy": text}


def get_bucket_policy_status(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Whether the policy allows everybody something without a condition. Raises NoSuchBucketPolicy."""
    policy = msgspec.json.decode(get_bucket_policy(ctx, req)["Policy"])
    statements = policy["Statement"]
    return {"PolicyStatus": {"IsPublic": _is_public(statements if isinstance(statements, list) else [statements])}}


def delete_bucket_policy(ctx: Context, req: dict[str, Any]) -> None:
    """Remove the policy, be there one or not."""
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    configs.remove(ctx, bucket, configs.POLICY)


def _is_public(statements: list[dict[str, Any]]) -> bool:
    """Whether a statement allows everybody something without a condition."""
    for statement in statements:
        principal = statement.get("Principal")
        everybody = principal == "*" or (isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"]))
        if everybody and statement.get("Effect") == "Allow" and not statement.get("Condition"):
            return True
    return False


def _malformed(text: str) -> Fault:
    return Fault("MalformedPolicy", text)
