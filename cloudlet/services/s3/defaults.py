"""What a bucket answers of configuration that it cannot have yet: true of every bucket here, and what tools ask before they plan.

Each gives way to the real operation when its counterpart is made.
"""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.rows import Bucket


def get_bucket_accelerate_configuration(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Never set."""
    _bucket(ctx, req)
    return {}


def get_bucket_cors(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchCORSConfiguration."""
    name = _bucket(ctx, req).name
    raise Fault("NoSuchCORSConfiguration", "The CORS configuration does not exist", BucketName=name)


def get_bucket_lifecycle_configuration(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchLifecycleConfiguration."""
    name = _bucket(ctx, req).name
    raise Fault("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", BucketName=name)


def get_bucket_logging(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Never set."""
    _bucket(ctx, req)
    return {}


def get_bucket_notification_configuration(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Never set."""
    _bucket(ctx, req)
    return {}


def get_bucket_replication(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises ReplicationConfigurationNotFoundError."""
    name = _bucket(ctx, req).name
    raise Fault("ReplicationConfigurationNotFoundError", "The replication configuration was not found", BucketName=name)


def get_bucket_request_payment(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The owner pays."""
    _bucket(ctx, req)
    return {"Payer": "BucketOwner"}


def get_bucket_website(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchWebsiteConfiguration."""
    name = _bucket(ctx, req).name
    raise Fault("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", BucketName=name)


def _bucket(ctx: Context, req: dict[str, Any]) -> Bucket:
    return _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
