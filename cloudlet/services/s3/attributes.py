"""GetObjectAttributes: an object's checksum, size and parts without its headers."""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.context import Context
from cloudlet.services.s3 import headers
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import COMPOSITE
from cloudlet.services.s3.faults import invalid_argument
from cloudlet.services.s3.rows import ObjectVersion
from cloudlet.services.s3.targets import open_version

_KNOWN = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_MOST_PARTS = 1000


def get_object_attributes(ctx: Context, req: dict[str, Any]) -> dict[str, Any]:
    """The attributes that the request lists, of the current version or of the one named.

    ObjectParts is there for what a multipart upload made; its parts one by one only where its checksum is made of theirs.
    """
    bucket = _open_bucket(ctx, req["Bucket"], req.get("ExpectedBucketOwner"))
    headers.refuse_customer_keys(req, "GetObjectAttributes")
    wanted = req.get("ObjectAttributes") or []
    if not wanted or any(name not in _KNOWN for name in wanted):
        missing = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
        text = "Invalid attribute name specified." if wanted else missing
        raise invalid_argument("x-amz-object-attributes", ",".join(wanted) or None, text)
    version = open_version(ctx, bucket, req["Key"], req.get("VersionId"))
    out: dict[str, Any] = {"LastModified": version.modified}
    if bucket.versioning:
        out["VersionId"] = version.version_id
    if "ETag" in wanted:
        out["ETag"] = version.etag
    if "Checksum" in wanted and version.checksum:
        out["Checksum"] = _checksum(version)
    if "ObjectParts" in wanted and version.parts:
        out["ObjectParts"] = _parts(req, version)
    if "StorageClass" in wanted:
        out["StorageClass"] = version.storage_class
    if "ObjectSize" in wanted:
        out["ObjectSize"] = version.size
    return out


def _checksum(version: ObjectVersion) -> dict[str, str]:
    """A composite checksum goes without the number of parts here."""
    shown = headers.shown_checksum(version)
    return {name: value.partition("-")[0] for name, value in shown.items()}


def _parts(req: dict[str, Any], version: ObjectVersion) -> dict[str, Any]:
    out: dict[str, Any] = {"TotalPartsCount": len(version.parts)}
    checksum = version.checksum
    if checksum is None or checksum.kind != COMPOSITE:
        return out
    most, after = min(req.get("MaxParts", _MOST_PARTS), _MOST_PARTS), req.get("PartNumberMarker") or 0
    rest = [part for part in version.parts if part.number > after]
    shown = rest[:most]
    out |= {
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": most,
        "IsTruncated": len(rest) > len(shown),
        "Parts": [
            {"PartNumber": part.number, "Size": part.size, f"Checksum{checksum.algorithm}": part.checksum} for part in shown
        ],
    }
    return out
