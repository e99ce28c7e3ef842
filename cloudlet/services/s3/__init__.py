"""S3: buckets and objects."""

from cloudlet.kernel.registry import Service

SERVICE = Service("s3", modules=())
