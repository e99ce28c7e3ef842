"""Buckets that keep versions, or did: versions, delete markers, the null version; object lock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from s3answers import NO_SUCH_KEY, failure, failure_headers, plain

NOT_ALLOWED = "The specified method is not allowed against this resource."
LOCKED = {"Code": "AccessDenied", "Message": "Access Denied because object protected by object lock.", "status": 403}


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="orders")
    return made


def switch(s3, status):
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": status})


def put(s3, body, key="a"):
    return s3.put_object(Bucket="orders", Key=key, Body=body).get("VersionId")


def get(s3, version=None, key="a"):
    return s3.get_object(Bucket="orders", Key=key, **({"VersionId": version} if version else {}))["Body"].read()


def delete(s3, version=None, key="a"):
    return plain(s3.delete_object(Bucket="orders", Key=key, **({"VersionId": version} if version else {})))


def test_states(s3):
    assert "Status" not in s3.get_bucket_versioning(Bucket="orders")
    for status in ("Enabled", "Suspended", "Enabled"):
        switch(s3, status)
        assert s3.get_bucket_versioning(Bucket="orders")["Status"] == status
    assert failure(switch, s3=s3, status="enabled")["Code"] == "MalformedXML"


@pytest.mark.parametrize("size", [10, 100_000])
def test_versions_are_kept(s3, size):
    switch(s3, "Enabled")
    bodies = [letter * size for letter in (b"1", b"2", b"3")]
    versions = [put(s3, body) for body in bodies]
    assert len(set(versions)) == 3
    assert s3.get_object(Bucket="orders", Key="a")["VersionId"] == versions[-1]
    assert [get(s3, version) for version in versions] == bodies
    assert delete(s3, versions[1]) == {"VersionId": versions[1]}
    assert delete(s3, versions[2]) == {"VersionId": versions[2]}
    assert get(s3) == bodies[0]
    gone = failure(get, s3=s3, version=versions[1])
    text = "The specified version does not exist."
    assert gone == {"Code": "NoSuchVersion", "Message": text, "Key": "a", "VersionId": versions[1], "status": 404}


def test_delete_markers(s3):
    switch(s3, "Enabled")
    version = put(s3, b"test-delete")
    marker = delete(s3)
    assert marker == {"DeleteMarker": True, "VersionId": marker["VersionId"]}
    assert failure(get, s3=s3) == {"Code": "NoSuchKey", "Message": NO_SUCH_KEY, "Key": "a", "status": 404}
    assert failure(s3.head_object, Bucket="orders", Key="a")["status"] == 404
    assert get(s3, version) == b"test-delete"
    of_marker = {"Message": NOT_ALLOWED, "Method": "GET", "ResourceType": "DeleteMarker", "status": 405}
    assert failure(get, s3=s3, version=marker["VersionId"]) == {"Code": "MethodNotAllowed"} | of_marker
    second = delete(s3)["VersionId"]
    assert delete(s3, marker["VersionId"]) == marker
    assert failure(get, s3=s3)["Code"] == "NoSuchKey"
    assert delete(s3, second) == {"DeleteMarker": True, "VersionId": second}
    assert get(s3) == b"test-delete"
    assert delete(s3, key="never-there")["DeleteMarker"] is True


def test_headers_name_the_delete_marker(s3):
    switch(s3, "Enabled")
    put(s3, b"1")
    marker = delete(s3)["VersionId"]
    modified = s3.list_object_versions(Bucket="orders")["DeleteMarkers"][0]["LastModified"]
    names = ("x-amz-delete-marker", "x-amz-version-id", "allow", "last-modified")
    hidden = {"x-amz-delete-marker": "true", "x-amz-version-id": marker, "allow": None, "last-modified": None}
    named = hidden | {"allow": "DELETE", "last-modified": modified.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    for call in (s3.get_object, s3.head_object):
        assert failure_headers(call, *names, Bucket="orders", Key="a") == hidden
        assert failure_headers(call, *names, Bucket="orders", Key="a", VersionId=marker) == named
    assert set(failure_headers(s3.get_object, *names, Bucket="orders", Key="never").values()) == {None}


def test_wrong_version_ids(s3):
    switch(s3, "Enabled")
    put(s3, b"1")
    for version in ("bad", "x" * 33, "#" * 32):
        told = failure(delete, s3=s3, version=version)
        assert told == {
            "Code": "InvalidArgument",
            "Message": "Invalid version id specified",
            "ArgumentName": "versionId",
            "ArgumentValue": version,
            "status": 400,
        }
    assert failure(get, s3=s3, version="HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")["Code"] == "NoSuchVersion"
    assert failure(get, s3=s3, version="_" * 32)["Code"] == "NoSuchVersion"


def test_the_null_version(s3):
    assert put(s3, b"before") is None
    assert "VersionId" not in s3.get_object(Bucket="orders", Key="a")
    switch(s3, "Enabled")
    assert s3.get_object(Bucket="orders", Key="a")["VersionId"] == "null"
    version = put(s3, b"with")
    assert (get(s3), get(s3, "null")) == (b"with", b"before")
    switch(s3, "Suspended")
    assert put(s3, b"suspended") is None
    assert (get(s3), get(s3, "null"), get(s3, version)) == (b"suspended", b"suspended", b"with")
    assert s3.get_object(Bucket="orders", Key="a")["VersionId"] == "null"
    assert put(s3, b"again") is None
    assert delete(s3) == {"DeleteMarker": True, "VersionId": "null"}
    assert failure(get, s3=s3)["Code"] == "NoSuchKey"
    assert put(s3, b"over the marker") is None
    assert delete(s3) == {"DeleteMarker": True, "VersionId": "null"}
    assert delete(s3, "null") == {"DeleteMarker": True, "VersionId": "null"}
    assert get(s3) == b"with"
    delete(s3, version)
    assert failure(get, s3=s3)["Code"] == "NoSuchKey"
    s3.delete_bucket(Bucket="orders")


def test_the_null_version_below_others(s3):
    put(s3, b"null" * 20_000)
    switch(s3, "Enabled")
    first, second = put(s3, b"1"), put(s3, b"2")
    delete(s3, second)
    delete(s3, first)
    assert get(s3) == b"null" * 20_000
    assert delete(s3, "null") == {"VersionId": "null"}
    assert failure(get, s3=s3)["Code"] == "NoSuchKey"


@pytest.fixture
def locked(client):
    made = client("s3")
    made.create_bucket(Bucket="orders", ObjectLockEnabledForBucket=True)
    return made


def test_retention(cloud, locked):
    assert locked.get_bucket_versioning(Bucket="orders")["Status"] == "Enabled"
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    version = locked.put_object(Bucket="orders", Key="a", Body=b"1", **lock)["VersionId"]
    head = locked.head_object(Bucket="orders", Key="a")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    assert locked.get_object_retention(Bucket="orders", Key="a")["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    assert failure(delete, s3=locked, version=version) == LOCKED
    assert delete(locked)["DeleteMarker"] is True
    sooner = {"Mode": "GOVERNANCE", "RetainUntilDate": until - timedelta(days=1)}
    assert failure(locked.put_object_retention, Bucket="orders", Key="a", VersionId=version, Retention=sooner) == LOCKED
    locked.put_object_retention(Bucket="orders", Key="a", VersionId=version, Retention=sooner, BypassGovernanceRetention=True)
    assert failure(delete, s3=locked, version=version) == LOCKED
    cloud.advance("10d")
    assert delete(locked, version) == {"VersionId": version}


def test_governance_can_be_bypassed_and_compliance_not(locked):
    until = datetime.now(UTC) + timedelta(days=10)
    versions = [
        locked.put_object(Bucket="orders", Key="a", ObjectLockMode=mode, ObjectLockRetainUntilDate=until)["VersionId"]
        for mode in ("GOVERNANCE", "COMPLIANCE")
    ]
    locked.delete_object(Bucket="orders", Key="a", VersionId=versions[0], BypassGovernanceRetention=True)
    told = failure(locked.delete_object, Bucket="orders", Key="a", VersionId=versions[1], BypassGovernanceRetention=True)
    assert told == LOCKED


def test_legal_hold(locked):
    version = put(locked, b"1")
    assert failure(locked.get_object_legal_hold, Bucket="orders", Key="a") == {
        "Code": "NoSuchObjectLockConfiguration",
        "Message": "The specified object does not have a ObjectLock configuration",
        "status": 404,
    }
    locked.put_object_legal_hold(Bucket="orders", Key="a", LegalHold={"Status": "ON"})
    assert locked.get_object_legal_hold(Bucket="orders", Key="a")["LegalHold"] == {"Status": "ON"}
    assert failure(delete, s3=locked, version=version) == LOCKED
    locked.put_object_legal_hold(Bucket="orders", Key="a", LegalHold={"Status": "OFF"})
    delete(locked, version)


def test_default_retention(locked):
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    locked.put_object_lock_configuration(Bucket="orders", ObjectLockConfiguration=configuration)
    assert locked.get_object_lock_configuration(Bucket="orders")["ObjectLockConfiguration"] == configuration
    version = put(locked, b"1")
    assert locked.head_object(Bucket="orders", Key="a")["ObjectLockMode"] == "GOVERNANCE"
    assert failure(delete, s3=locked, version=version) == LOCKED


def test_wrong_locks(s3, client):
    until = datetime.now(UTC) + timedelta(days=10)
    told = failure(s3.put_object, Bucket="orders", Key="a", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
    assert told == {"Code": "InvalidRequest", "Message": "Bucket is missing Object Lock Configuration", "status": 400}
    text = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
    told = failure(s3.put_object, Bucket="orders", Key="a", ObjectLockMode="GOVERNANCE")
    assert (told["Message"], told["ArgumentName"]) == (text, "x-amz-object-lock-retain-until-date")
    told = failure(s3.put_object, Bucket="orders", Key="a", ObjectLockMode="BAD", ObjectLockRetainUntilDate=until)
    assert (told["Message"], told["ArgumentValue"]) == ("Unknown wormMode directive.", "BAD")
