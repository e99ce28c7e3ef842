"""What S3's model leaves out: statuses of errors, roots of answers, and the headers and the form upload that it does not list."""

from __future__ import annotations

import base64
from typing import Any

from cloudlet.services.s3.checksums import ALGORITHMS
from cloudlet.services.s3.faults import MALFORMED_XML

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_STATUSES = {
    304: ("NotModified",),
    307: ("TemporaryRedirect",),
    301: ("PermanentRedirect",),
    403: (
        "AccessDenied",
        "AccountProblem",
        "InvalidAccessKeyId",
        "InvalidObjectState",
        "NotSignedUp",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    ),
    404: (
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchConfiguration",
        "NoSuchKey",
        "NoSuchLifecycleConfiguration",
        "NoSuchObjectLockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NoSuchUpload",
        "NoSuchVersion",
        "NoSuchWebsiteConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    405: ("MethodNotAllowed",),
    409: (
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "BucketNotEmpty",
        "ConditionalRequestConflict",
        "InvalidBucketState",
        "OperationAborted",
        "RestoreAlreadyInProgress",
    ),
    411: ("MissingContentLength",),
    412: ("PreconditionFailed",),
    416: ("InvalidRange", "InvalidPartNumber"),
    500: ("InternalError",),
    501: ("NotImplemented",),
    503: ("ServiceUnavailable", "SlowDown"),
}
_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
_BODY_HEADERS = {
    "members": {
        "ContentSHA256": {"shape": "ETag", "location": "header", "locationName": "x-amz-content-sha256"},
        "Trailer": {"shape": "ETag", "location": "header", "locationName": "x-amz-trailer"},
    }
}

# numbers that an operation reads from the text itself: they may be empty, and a wrong one is InvalidArgument
_TEXT = {"shape": "Marker"}
_NUMBERS_AS_TEXT: dict[str, Any] = {
    "ListObjectsRequest": {"members": {"MaxKeys": _TEXT}},
    "ListObjectsV2Request": {"members": {"MaxKeys": _TEXT}},
    "ListObjectVersionsRequest": {"members": {"MaxKeys": _TEXT}},
    "ListMultipartUploadsRequest": {"members": {"MaxUploads": _TEXT}},
    "ListPartsRequest": {"members": {"MaxParts": _TEXT, "PartNumberMarker": _TEXT}},
}
# the digests of a DeleteObjects' body, which the model leaves to its trait
_DIGESTS: dict[str, Any] = {
    "members": {
        "ContentMD5": {"shape": "ETag", "location": "header", "locationName": "Content-MD5"},
        **{
            f"Checksum{name}": {"shape": "ETag", "location": "header", "locationName": f"x-amz-checksum-{name.lower()}"}
            for name in (*ALGORITHMS, "MD5", "SHA512", "XXHASH3", "XXHASH64", "XXHASH128")
        },
    }
}
# Expires is passed on as it was given, be it a date or not
_STATUS = {"StatusCode": {"shape": "MaxKeys", "location": "statusCode"}, "Expires": {"shape": "ETag"}}
_EXPIRES = {"Expires": {"shape": "ETag"}}
# conditions on time are read by `conditions`, as S3 does not look at one that is no date
_READ = {"members": {name: {"shape": "ETag"} for name in ("ResponseExpires", "IfModifiedSince", "IfUnmodifiedSince")}}
_SOURCE = {name: {"shape": "ETag"} for name in ("CopySourceIfModifiedSince", "CopySourceIfUnmodifiedSince")}


def location_document(constraint: str | None) -> str:
    """GetBucketLocation's answer, whose root element holds the text itself, which the model cannot say."""
    inner = f">{constraint}</LocationConstraint>" if constraint else "/>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="{NAMESPACE}"{inner}'


def _host_id(request_id: str) -> list[tuple[str, str]]:
    return [("x-amz-id-2", base64.b64encode(f"cloudlet {request_id} {request_id}".encode()).decode())]


WIRE: dict[str, Any] = {
    "errors": {code: (code, status) for status, codes in _STATUSES.items() for code in codes},
    "shapes": {
        **_NUMBERS_AS_TEXT,
        "DeleteObjectsRequest": _DIGESTS,
        "PutObjectRequest": {"members": _BODY_HEADERS["members"] | _EXPIRES},
        "UploadPartRequest": {"members": _BODY_HEADERS["members"] | {"PartNumber": _TEXT}},
        "CopyObjectRequest": {"members": _EXPIRES | _SOURCE},
        "UploadPartCopyRequest": {"members": _SOURCE | {"PartNumber": _TEXT}},
        "CreateMultipartUploadRequest": {"members": _EXPIRES},
        "GetObjectRequest": _READ,
        "HeadObjectRequest": _READ,
        "GetObjectOutput": {"members": _STATUS},
        "HeadObjectOutput": {"members": _STATUS},
        "GetBucketLocationOutput": {
            "payload": "LocationConstraint",
            "members": {
                "LocationConstraint": {"shape": "ETag"},
                "ContentType": {"shape": "ETag", "location": "header", "locationName": "Content-Type"},
            },
        },
    },
    "new_shapes": {
        "PostObjectRequest": {
            "type": "structure",
            "required": ["Bucket"],
            "members": {
                "Bucket": {"shape": "BucketName", "location": "uri", "locationName": "Bucket"},
                "ContentType": {"shape": "ContentType", "location": "header", "locationName": "Content-Type"},
                "Body": {"shape": "Body", "streaming": True},
            },
            "payload": "Body",
        },
        "PostObjectOutput": {
            "type": "structure",
            "members": {
                "StatusCode": {"shape": "MaxKeys", "location": "statusCode"},
                "ETag": {"shape": "ETag", "location": "header", "locationName": "ETag"},
                "Location": {"shape": "Location", "location": "header", "locationName": "Location"},
                "VersionId": {"shape": "ObjectVersionId", "location": "header", "locationName": "x-amz-version-id"},
                "ContentType": {"shape": "ContentType", "location": "header", "locationName": "Content-Type"},
                "Body": {"shape": "Body", "streaming": True},
            },
            "payload": "Body",
        },
    },
    "operations": {
        "PutBucketTagging": {
            "name": "PutBucketTagging",
            "http": {"method": "PUT", "requestUri": "/{Bucket}?tagging", "responseCode": 204},
            "input": {"shape": "PutBucketTaggingRequest"},
        },
        "PostObject": {
            "name": "PostObject",
            "http": {"method": "POST", "requestUri": "/{Bucket}"},
            "input": {"shape": "PostObjectRequest"},
            "output": {"shape": "PostObjectOutput"},
        },
    },
    "dialect": None,
    "roots": _ROOTS,
    "text_roots": {"GetBucketLocation": "LocationConstraint"},
    "xml_namespace": NAMESPACE,
    "unrouted": frozenset(
        {
            "ListDirectoryBuckets",
            "WriteGetObjectResponse",
            "CreateSession",
            "RenameObject",
            # older forms of operations at the same paths
            "GetBucketLifecycle",
            "GetBucketNotification",
            "PutBucketLifecycle",
            "PutBucketNotification",
        }
    ),
    "body_members": {"DeleteObjects": "RawBody"},
    "malformed_head": "InvalidArgument",
    "malformed_body": ("MalformedXML", MALFORMED_XML),
    "request_id": "x-amz-request-id",
    "short_request_ids": True,
    "extra_headers": _host_id,
    "bare_errors": True,
}
