"""S3: buckets, objects, versions, multipart uploads.

`rows` holds the key layout, `versions` the verbs, `bodies` how bytes come in.
"""

from cloudlet.kernel.registry import Service
from cloudlet.services.s3 import acls, attributes, buckets, copies, defaults, locks, objects, settings, tags
from cloudlet.services.s3.protocol import WIRE

SERVICE = Service("s3", modules=(buckets, objects, copies, attributes, tags, acls, locks, settings, defaults), wire=WIRE)
