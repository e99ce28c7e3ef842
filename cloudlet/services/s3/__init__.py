"""S3: buckets, objects, versions, multipart uploads.

`rows` holds the key layout, `versions` the verbs, `bodies` how bytes come in.
"""

from cloudlet.kernel.registry import Service
from cloudlet.services.s3 import buckets, completion, deletions, listings, objects, part_copies, parts, uploads
from cloudlet.services.s3.protocol import WIRE

SERVICE = Service("s3", modules=(buckets, completion, deletions, listings, objects, part_copies, parts, uploads), wire=WIRE)
