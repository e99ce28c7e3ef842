"""What a bucket may have besides its row: tags, ACL, policy, ... Each kind is one value under ("config", bucket id, kind)."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.services.s3.rows import CONFIGS, Bucket

ACL, POLICY, PUBLIC_ACCESS_BLOCK, TAGS = "acl", "policy", "public-access-block", "tags"
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def read(ctx: Context, bucket: Bucket, kind: str) -> Any:
    """None where the bucket has none."""
    raw = ctx.tx.get(CONFIGS.key(bucket.id, kind))
    return msgspec.msgpack.decode(raw) if raw is not None else None


def write(ctx: Context, bucket: Bucket, kind: str, value: Any) -> None:
    ctx.tx.put(CONFIGS.key(bucket.id, kind), msgspec.msgpack.encode(value))


def remove(ctx: Context, bucket: Bucket, kind: str) -> None:
    ctx.tx.delete(CONFIGS.key(bucket.id, kind))


def public_access_block(ctx: Context, bucket: Bucket) -> dict[str, bool] | None:
    """A new bucket blocks everything; None where the block was deleted, which is kept as an empty value."""
    found = read(ctx, bucket, PUBLIC_ACCESS_BLOCK)
    if found is None:
        return dict.fromkeys(BLOCKS, True)
    return found or None


def blocks(ctx: Context, bucket: Bucket, what: str) -> bool:
    """Whether the bucket's public access block has `what` (BlockPublicAcls, ...) on."""
    found = public_access_block(ctx, bucket)
    return bool(found and found.get(what))
