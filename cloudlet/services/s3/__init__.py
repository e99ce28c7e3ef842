"""S3: buckets, objects, versions, multipart uploads.

`rows` holds the key layout, `versions` the verbs, `bodies` how bytes come in.
"""

from cloudlet.kernel.registry import Service
from cloudlet.services.s3 import (
    acls,
    attributes,
    buckets,
    completion,
    copies,
    defaults,
    deletions,
    forms,
    listings,
    locks,
    objects,
    part_copies,
    parts,
    settings,
    tags,
    uploads,
)
from cloudlet.services.s3.protocol import WIRE

_OF_OBJECTS = (objects, copies, attributes, tags, acls, locks, listings, deletions, forms)
_OF_UPLOADS = (uploads, parts, part_copies, completion)

SERVICE = Service("s3", modules=(buckets, *_OF_OBJECTS, *_OF_UPLOADS, settings, defaults), wire=WIRE)
