"""Multipart uploads: created, listed, completed, aborted. Expected answers were recorded from AWS where not said otherwise."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awscrt import checksums as crt
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudlet.testing.server import InProcessServer

Client = Callable[..., Any]
KEY = "test-key"
MIB = 1024 * 1024
BIG = b"a" * (5 * MIB + 1)
NO_UPLOAD = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
NO_PART = (
    "One or more of the specified parts could not be found.  The part may not have been uploaded, "
    "or the specified entity tag may not match the part's entity tag."
)


@pytest.fixture
def s3(client: Client) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="shelf")
    return s3


def fault(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call()
    found = raised.value.response
    return {k: v for k, v in found["Error"].items() if k not in ("HostId", "RequestId")}


def plain(answer: dict[str, Any], *without: str) -> dict[str, Any]:
    for name in ("ResponseMetadata", *without):
        answer.pop(name)
    return answer


def begin(s3: Any, **options: Any) -> dict[str, Any]:
    """Bucket, Key and UploadId of a new upload."""
    upload = s3.create_multipart_upload(Bucket="shelf", Key=KEY, **options)["UploadId"]
    return {"Bucket": "shelf", "Key": KEY, "UploadId": upload}


def upload(s3: Any, to: dict[str, Any], number: int, body: bytes, **options: Any) -> dict[str, Any]:
    """Upload a part; what completing needs of it."""
    answer = plain(s3.upload_part(**to, PartNumber=number, Body=body, **options), "ServerSideEncryption")
    return {"PartNumber": number, **answer}


def complete(s3: Any, to: dict[str, Any], *parts: dict[str, Any], **options: Any) -> dict[str, Any]:
    return s3.complete_multipart_upload(**to, MultipartUpload={"Parts": list(parts)}, **options)


def etag(part: dict[str, Any]) -> dict[str, Any]:
    return {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}


def crc64(data: bytes) -> str:
    return base64.b64encode(crt.crc64nvme(data).to_bytes(8, "big")).decode()


def test_from_creation_to_completion(s3: Any) -> None:
    owner = s3.list_buckets()["Owner"]["ID"]
    to = begin(s3)
    none = {
        **to,
        "Initiator": {"DisplayName": "000000000000", "ID": owner},
        "IsTruncated": False,
        "MaxParts": 1000,
        "NextPartNumberMarker": 0,
        "Owner": {"ID": owner},
        "PartNumberMarker": 0,
        "StorageClass": "STANDARD",
    }
    assert plain(s3.list_parts(**to)) == none
    body = b"upload-part-1" * 5
    part = s3.upload_part(**to, PartNumber=1, Body=body)
    assert plain(part) == {
        "ChecksumCRC32": "axEe0A==",
        "ETag": '"3237c18681adb6a9d843c733ce249480"',
        "ServerSideEncryption": "AES256",
    }
    listed = plain(s3.list_parts(**to))
    assert listed["Parts"][0].pop("LastModified")
    shown = {"ETag": part["ETag"], "PartNumber": 1, "Size": 65}
    assert listed == none | {"NextPartNumberMarker": 1, "Parts": [shown]}
    expected = {
        "Bucket": "shelf",
        "ChecksumCRC64NVME": "CTXktO4pIQs=",
        "ChecksumType": "FULL_OBJECT",
        "ETag": '"e747540af6911dbc890f8d3e0b48549b-1"',
        "Key": KEY,
        "ServerSideEncryption": "AES256",
    }
    done = complete(s3, to, {"PartNumber": 1, "ETag": part["ETag"]})
    assert done["Location"].endswith(f"/shelf/{KEY}")
    assert plain(done, "Location") == expected
    assert plain(complete(s3, to, {"PartNumber": 1, "ETag": part["ETag"]}), "Location") == expected, "the same again"
    assert fault(lambda: s3.list_parts(**to)) == {"Code": "NoSuchUpload", "Message": NO_UPLOAD, "UploadId": to["UploadId"]}
    head = s3.head_object(Bucket="shelf", Key=KEY, ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["ETag"], head["ChecksumCRC64NVME"]) == (65, expected["ETag"], "CTXktO4pIQs=")
    assert s3.get_object(Bucket="shelf", Key=KEY)["Body"].read() == body


def test_parts_in_order_make_the_object(s3: Any) -> None:
    to = begin(s3, ContentType="text/plain", Metadata={"a": "b"}, Tagging="c=d", StorageClass="STANDARD_IA")
    bodies = {1: BIG, 3: b"c" * (6 * MIB), 7: b"end"}
    parts = [upload(s3, to, number, body) for number, body in reversed(bodies.items())]
    upload(s3, to, 9, b"not listed")
    done = complete(s3, to, *(etag(part) for part in reversed(parts)))
    whole = b"".join(bodies.values())
    md5s = b"".join(hashlib.md5(body).digest() for body in bodies.values())
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert done["ChecksumCRC64NVME"] == crc64(whole)
    got = s3.get_object(Bucket="shelf", Key=KEY)
    assert got["Body"].read() == whole
    assert (got["ContentType"], got["Metadata"], got["TagCount"], got["StorageClass"]) == (
        "text/plain",
        {"a": "b"},
        1,
        "STANDARD_IA",
    )
    ranged = s3.get_object(Bucket="shelf", Key=KEY, Range=f"bytes={len(BIG) - 2}-{len(BIG) + 1}")
    assert ranged["Body"].read() == b"aacc"
    part = s3.get_object(Bucket="shelf", Key=KEY, PartNumber=3)
    assert (part["Body"].read(), part["PartsCount"]) == (b"end", 3)


def test_a_part_is_replaced_by_the_next_of_its_number(s3: Any, cloud: InProcessServer) -> None:
    s3.create_bucket(Bucket="shelf")
    to = begin(s3)
    first = upload(s3, to, 1, BIG)
    second = upload(s3, to, 1, b"second")
    expected = {"Code": "InvalidPart", "Message": NO_PART, "ETag": first["ETag"].strip('"'), "PartNumber": "1"}
    assert fault(lambda: complete(s3, to, etag(first))) == expected | {"UploadId": to["UploadId"]}
    complete(s3, to, etag(second))
    assert s3.get_object(Bucket="shelf", Key=KEY)["Body"].read() == b"second"
    assert references(cloud) == 0


def references(cloud: InProcessServer) -> int:
    """How many blobs are named."""
    store = cloud.cloud.kernel.store
    return cloud.run(lambda: store.count(b"\x02blobs\x00", b"\x02blobs\x01"))


def test_abort(s3: Any, cloud: InProcessServer) -> None:
    s3.create_bucket(Bucket="shelf")
    to = begin(s3)
    part = upload(s3, to, 1, BIG)
    assert references(cloud) == 1
    assert s3.abort_multipart_upload(**to)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert references(cloud) == 0
    expected = {"Code": "NoSuchUpload", "Message": NO_UPLOAD, "UploadId": to["UploadId"]}
    for call in (
        lambda: s3.abort_multipart_upload(**to),
        lambda: s3.list_parts(**to),
        lambda: s3.upload_part(**to, PartNumber=2, Body=b""),
        lambda: s3.upload_part(**to, PartNumber=2, Body=BIG),
        lambda: complete(s3, to, etag(part)),
    ):
        assert fault(call) == expected
    assert references(cloud) == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="shelf")


def test_an_upload_belongs_to_its_key(s3: Any) -> None:
    to = begin(s3) | {"Key": "another"}
    assert fault(lambda: s3.list_parts(**to))["Code"] == "NoSuchUpload"
    assert fault(lambda: complete(s3, to, {"PartNumber": 1, "ETag": "x"}))["Code"] == "NoSuchUpload"


def test_part_numbers(s3: Any) -> None:
    to = begin(s3)
    for number in (0, 10001):
        assert fault(lambda number=number: s3.upload_part(**to, PartNumber=number, Body=b"")) == {
            "ArgumentName": "partNumber",
            "ArgumentValue": str(number),
            "Code": "InvalidArgument",
            "Message": "Part number must be an integer between 1 and 10000, inclusive",
        }
    upload(s3, to, 10000, b"last")


def test_pages_of_parts(s3: Any) -> None:
    to = begin(s3)
    for number in (1, 2, 5):
        upload(s3, to, number, b"part")
    page = s3.list_parts(**to, MaxParts=2)
    assert ([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"], page["NextPartNumberMarker"]) == (
        [1, 2],
        True,
        2,
    )
    page = s3.list_parts(**to, MaxParts=2, PartNumberMarker=2)
    assert ([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]) == ([5], False)
    assert [part["PartNumber"] for p in s3.get_paginator("list_parts").paginate(**to) for part in p["Parts"]] == [1, 2, 5]


def test_completing_checks_the_parts(s3: Any) -> None:
    to = begin(s3)
    small = [upload(s3, to, number, b"data") for number in (1, 2)]
    md5 = "8d777f385d3dfec8815d20f7496026dc"
    missing = {"Code": "InvalidPart", "Message": NO_PART, "UploadId": to["UploadId"]}
    assert fault(lambda: complete(s3, to)) == {"Code": "InvalidRequest", "Message": "You must specify at least one part"}
    assert fault(lambda: complete(s3, to, *map(etag, small))) == {
        "Code": "EntityTooSmall",
        "ETag": md5,
        "Message": "Your proposed upload is smaller than the minimum allowed size",
        "MinSizeAllowed": "5242880",
        "PartNumber": "1",
        "ProposedSize": "4",
    }
    gone = {"PartNumber": 3, "ETag": md5}
    assert fault(lambda: complete(s3, to, gone)) == missing | {"ETag": md5, "PartNumber": "3"}
    wrong = {"PartNumber": 1, "ETag": "d41d8cd98f00b204e9800998ecf8427e"}
    assert fault(lambda: complete(s3, to, wrong)) == missing | {"ETag": wrong["ETag"], "PartNumber": "1"}
    for order in (reversed(small), (small[0], small[0])):
        assert fault(lambda order=order: complete(s3, to, *map(etag, order)))["Code"] == "InvalidPartOrder"
    assert fault(lambda: complete(s3, to, etag(small[0]), MpuObjectSize=5))["Code"] == "InvalidRequest"
    complete(s3, to, {"PartNumber": 1, "ETag": md5}, MpuObjectSize=4)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_full_object_checksums_are_combined(s3: Any, algorithm: str) -> None:
    recorded = {"CRC32": "qSEQSA==", "CRC32C": "eTdAQA==", "CRC64NVME": "ZMNX55lZurA="}[algorithm]
    created = s3.create_multipart_upload(Bucket="shelf", Key=KEY, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    assert (created["ChecksumAlgorithm"], created["ChecksumType"]) == (algorithm, "FULL_OBJECT")
    to = {name: created[name] for name in ("Bucket", "Key", "UploadId")}
    parts = [upload(s3, to, n, body, ChecksumAlgorithm=algorithm) for n, body in ((1, BIG), (2, BIG), (3, b"a" * 10))]
    listed = s3.list_parts(**to)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, "FULL_OBJECT")
    assert [part[f"Checksum{algorithm}"] for part in listed["Parts"]] == [part[f"Checksum{algorithm}"] for part in parts]
    wrong = [parts[0], parts[1] | {f"Checksum{algorithm}": parts[2][f"Checksum{algorithm}"]}, parts[2]]
    assert fault(lambda: complete(s3, to, *wrong)) == {
        "Code": "InvalidPart",
        "ETag": "c4c753e69bb853187f5854c46cf801c6",
        "Message": NO_PART,
        "PartNumber": "2",
        "UploadId": to["UploadId"],
    }
    told = {f"Checksum{algorithm}": recorded, "ChecksumType": "FULL_OBJECT"}
    assert plain(complete(s3, to, *parts, **told), "Location") == {
        "Bucket": "shelf",
        "ETag": '"4d45984fc3feb2ac9b22683c49674b56-3"',
        "Key": KEY,
        "ServerSideEncryption": "AES256",
        **told,
    }


def test_composite_checksums(s3: Any) -> None:
    to = begin(s3, ChecksumAlgorithm="SHA256")
    parts = [upload(s3, to, number, BIG, ChecksumAlgorithm="SHA256") for number in (1, 2)]
    assert parts[0]["ChecksumSHA256"] == "DjU70AB1bON8k0n0fVHv2PJQVWcA/jWsITp6ti20Tbs="
    assert fault(lambda: complete(s3, to, *map(etag, parts)))["Message"] == (
        "The upload was created using a sha256 checksum. The complete request must include the checksum for each part. "
        "It was missing for part 1 in the request."
    )
    done = complete(s3, to, *parts)
    assert (done["ChecksumSHA256"], done["ChecksumType"]) == ("2Wjxbc3N6c1y3Eqve6x8X+xPy4qXhB1vAMgge0qeZJM=-2", "COMPOSITE")
    assert done["ETag"] == '"14cb3f95b2dfe6bd47fb59d47949e00e-2"'


@pytest.mark.parametrize(
    ("algorithm", "kind", "message"),
    [
        ("CRC64NVME", "COMPOSITE", "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."),
        ("SHA1", "FULL_OBJECT", "The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm."),
        ("SHA256", "FULL_OBJECT", "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."),
        (None, "COMPOSITE", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."),
    ],
)
def test_types_that_an_algorithm_lacks(s3: Any, algorithm: str | None, kind: str, message: str) -> None:
    asked = {"ChecksumType": kind} | ({"ChecksumAlgorithm": algorithm} if algorithm else {})
    assert fault(lambda: begin(s3, **asked)) == {"Code": "InvalidRequest", "Message": message}


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        ("CRC32", "COMPOSITE"),
        ("CRC32C", "COMPOSITE"),
        ("SHA1", "COMPOSITE"),
        ("SHA256", "COMPOSITE"),
        ("CRC64NVME", "FULL_OBJECT"),
    ],
)
def test_default_types(s3: Any, algorithm: str, kind: str) -> None:
    created = s3.create_multipart_upload(Bucket="shelf", Key=KEY, ChecksumAlgorithm=algorithm)
    assert (created["ChecksumAlgorithm"], created["ChecksumType"]) == (algorithm, kind)
    listed = s3.list_multipart_uploads(Bucket="shelf")["Uploads"][0]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, kind)


def test_a_full_object_checksum_that_does_not_fit(client: Client) -> None:
    s3 = client("s3", config=Config(request_checksum_calculation="when_required"))
    s3.create_bucket(Bucket="shelf")
    to = begin(s3, ChecksumAlgorithm="CRC32C", ChecksumType="FULL_OBJECT")
    part = upload(s3, to, 1, b"abc")
    assert part["ChecksumCRC32C"] == "Nks/tw=="
    mode = "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum mode."
    assert fault(lambda: complete(s3, to, etag(part), ChecksumType="COMPOSITE")) == {"Code": "InvalidRequest", "Message": mode}
    digest = {"Code": "BadDigest", "Message": "The crc32c you specified did not match the calculated checksum."}
    crc32 = base64.b64encode(zlib.crc32(b"abc").to_bytes(4, "big")).decode()
    for told in ({"ChecksumCRC32C": "AAAAAA=="}, {"ChecksumCRC32": crc32}):
        assert fault(lambda told=told: complete(s3, to, etag(part), **told)) == digest
    assert fault(lambda: s3.upload_part(**to, PartNumber=2, Body=b"abc", ChecksumCRC32=crc32)) == {
        "Code": "InvalidRequest",
        "Message": "Checksum Type mismatch occurred, expected checksum Type: crc32c, actual checksum Type: crc32",
    }
    assert complete(s3, to, etag(part), ChecksumCRC32C="Nks/tw==", ChecksumType="FULL_OBJECT")["ChecksumCRC32C"] == "Nks/tw=="


def test_a_wrong_digest_leaves_nothing(client: Client, cloud: InProcessServer) -> None:
    s3 = client("s3", config=Config(request_checksum_calculation="when_required"))
    s3.create_bucket(Bucket="shelf")
    to = begin(s3)
    for body in (b"small", BIG):
        md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        assert (
            fault(lambda body=body, md5=md5: s3.upload_part(**to, PartNumber=1, Body=body, ContentMD5=md5))["Code"] == "BadDigest"
        )
    assert "Parts" not in s3.list_parts(**to)
    assert references(cloud) == 0


def test_conditions(s3: Any) -> None:
    put = s3.put_object(Bucket="shelf", Key=KEY, Body=b"test")["ETag"]
    to = begin(s3)
    part = etag(upload(s3, to, 1, b"data"))
    failed = {"Code": "PreconditionFailed", "Message": "At least one of the pre-conditions you specified did not hold"}
    assert fault(lambda: complete(s3, to, part, IfMatch='"wrong"')) == failed | {"Condition": "If-Match"}
    assert fault(lambda: complete(s3, to, part, IfNoneMatch="*")) == failed | {"Condition": "If-None-Match"}
    done = complete(s3, to, part, IfMatch=put)
    to = begin(s3)
    part = etag(upload(s3, to, 1, b"data"))
    assert fault(lambda: complete(s3, to, part, IfMatch=put)) == failed | {"Condition": "If-Match"}
    assert complete(s3, to, part, IfMatch=done["ETag"])["ETag"] == done["ETag"]


def test_a_write_during_the_upload_is_a_conflict(s3: Any) -> None:
    s3.put_object(Bucket="shelf", Key=KEY, Body=b"test")
    to = begin(s3)
    part = etag(upload(s3, to, 1, b"data"))
    put = s3.put_object(Bucket="shelf", Key=KEY, Body=b"test")["ETag"]
    assert fault(lambda: complete(s3, to, part, IfMatch=put)) == {
        "Code": "ConditionalRequestConflict",
        "Condition": "If-Match",
        "Key": KEY,
        "Message": "The conditional request cannot succeed due to a conflicting operation against this resource.",
    }
    to = begin(s3)
    complete(s3, to, etag(upload(s3, to, 1, b"data")), IfMatch=put)


def test_uploads_are_listed_in_pages(s3: Any) -> None:
    begun = []
    for key in ("b/1", "a", "b/2", "c", "a"):
        begun.append((key, s3.create_multipart_upload(Bucket="shelf", Key=key)["UploadId"]))
    ordered = sorted(begun, key=lambda pair: (pair[0], begun.index(pair)))
    answer = s3.list_multipart_uploads(Bucket="shelf")
    assert [(entry["Key"], entry["UploadId"]) for entry in answer["Uploads"]] == ordered
    assert (answer["NextKeyMarker"], answer["NextUploadIdMarker"], answer["IsTruncated"]) == (*ordered[-1], False)
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket="shelf", PaginationConfig={"PageSize": 1})
    assert [(entry["Key"], entry["UploadId"]) for page in pages for entry in page["Uploads"]] == ordered
    answer = s3.list_multipart_uploads(Bucket="shelf", Delimiter="/", MaxUploads=3)
    assert [entry["Key"] for entry in answer["Uploads"]] == ["a", "a"]
    assert (answer["CommonPrefixes"], answer["NextKeyMarker"], answer["IsTruncated"]) == ([{"Prefix": "b/"}], "b/", True)
    answer = s3.list_multipart_uploads(Bucket="shelf", Delimiter="/", KeyMarker="b/")
    assert [entry["Key"] for entry in answer["Uploads"]] == ["c"]
    answer = s3.list_multipart_uploads(Bucket="shelf", KeyMarker="a", Prefix="b", EncodingType="url")
    assert ([entry["Key"] for entry in answer["Uploads"]], answer["Prefix"]) == (["b/1", "b/2"], "b")


def test_with_versioning(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="shelf", Key=KEY, Body=b"test")["VersionId"]
    to = begin(s3)
    part = etag(upload(s3, to, 1, b"data"))
    new = complete(s3, to, part)["VersionId"]
    assert complete(s3, to, part)["VersionId"] == new
    listed = s3.list_object_versions(Bucket="shelf")["Versions"]
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in listed] == [(new, True), (old, False)]


def test_transfers_of_boto3(s3: Any, tmp_path: Path) -> None:
    """What `upload_file` and `download_file` do with a file above their threshold."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * (21 * MIB // 256))
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_file(str(source), "shelf", "big", Config=config)
    s3.download_file("shelf", "big", str(target), Config=config)
    assert target.read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket="shelf", Key="big")["ETag"].endswith('-5"')
