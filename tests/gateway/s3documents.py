"""S3's documents: one of each that a request can carry, and bodies that are none."""

from __future__ import annotations

# target -> document; those of POSTED go by POST, the others by PUT
DOCUMENTS = {
    "/bucket?tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    "/bucket/key?tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    "/bucket?versioning": "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
    "/bucket?acl": (
        "<AccessControlPolicy><Owner><ID>x</ID></Owner><AccessControlList><Grant><Grantee><URI>u</URI>"
        "</Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
    ),
    "/bucket/key?acl": "<AccessControlPolicy><Owner><ID>x</ID></Owner><AccessControlList/></AccessControlPolicy>",
    "/bucket?cors": (
        "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
        "<MaxAgeSeconds>1</MaxAgeSeconds></CORSRule></CORSConfiguration>"
    ),
    "/bucket?lifecycle": (
        "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>a</Prefix></Filter>"
        "<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"
    ),
    "/bucket?encryption": (
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
        "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
        "</ServerSideEncryptionConfiguration>"
    ),
    "/bucket?website": (
        "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument><RoutingRules><RoutingRule>"
        "<Redirect><HttpRedirectCode>301</HttpRedirectCode></Redirect></RoutingRule></RoutingRules>"
        "</WebsiteConfiguration>"
    ),
    "/bucket?notification": (
        "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:000000000000:q</Queue>"
        "<Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>"
    ),
    "/bucket?object-lock": (
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
        "<Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
    ),
    "/bucket/key?retention": (
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>"
    ),
    "/bucket/key?legal-hold": "<LegalHold><Status>ON</Status></LegalHold>",
    "/bucket?publicAccessBlock": (
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
    ),
    "/bucket?ownershipControls": (
        "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
    ),
    "/bucket?logging": (
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>bucket</TargetBucket>"
        "<TargetPrefix>p</TargetPrefix></LoggingEnabled></BucketLoggingStatus>"
    ),
    "/bucket?requestPayment": "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
    "/bucket?accelerate": "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>",
    "/bucket?replication": (
        "<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Destination>"
        "<Bucket>b</Bucket></Destination></Rule></ReplicationConfiguration>"
    ),
    "/other-bucket": (
        "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>"
    ),
    "/bucket?delete": "<Delete><Object><Key>a</Key><VersionId>v</VersionId></Object><Quiet>true</Quiet></Delete>",
    "/bucket/key?uploadId={upload}": (
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>"
    ),
    "/bucket/key?restore": "<RestoreRequest><Days>1</Days></RestoreRequest>",
}
POSTED = ("/bucket?delete", "/bucket/key?uploadId={upload}", "/bucket/key?restore")
BROKEN_XML = [
    b"",
    b"x",
    b"<",
    b"<a/>",
    b"<a></b>",
    b"\xff\xfe",
    b"<a>\x00</a>",
    b"<a>&undefined;</a>",
    b"{}",
    b"<a>" * 10_000 + b"</a>" * 10_000,
    b"<?xml version='1.0' encoding='idna'?><a/>",
    b"<?xml version='1.0' encoding='none'?><a/>",
    b"<?xml version='1.0' encoding='utf-7'?><a/>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-16"),
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "<?xml version='1.0' encoding='cp037'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("cp037"),
]
