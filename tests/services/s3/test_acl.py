"""Access control lists: where they are allowed, canned ones, grants, policies in the body."""

from __future__ import annotations

import pytest
from s3answers import failure, plain

ALL_USERS = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
LOG_DELIVERY = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}


@pytest.fixture
def s3(client):
    """A bucket with lists enabled and nothing blocked."""
    made = client("s3")
    made.create_bucket(Bucket="orders", ObjectOwnership="ObjectWriter")
    made.delete_public_access_block(Bucket="orders")
    return made


def owner(s3):
    return s3.list_buckets()["Owner"]["ID"]


def own(s3):
    return {"Grantee": {"ID": owner(s3), "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}


def test_default(s3):
    s3.put_object(Bucket="orders", Key="a")
    shown = {"Owner": {"ID": owner(s3)}, "Grants": [own(s3)]}
    assert len(owner(s3)) == 64
    assert plain(s3.get_bucket_acl(Bucket="orders")) == shown
    assert plain(s3.get_object_acl(Bucket="orders", Key="a")) == shown


def test_canned(s3):
    s3.put_object(Bucket="orders", Key="a", ACL="public-read")
    public = [own(s3), {"Grantee": ALL_USERS, "Permission": "READ"}]
    assert s3.get_object_acl(Bucket="orders", Key="a")["Grants"] == public
    s3.put_object_acl(Bucket="orders", Key="a", ACL="private")
    assert s3.get_object_acl(Bucket="orders", Key="a")["Grants"] == [own(s3)]
    s3.put_bucket_acl(Bucket="orders", ACL="public-read-write")
    assert s3.get_bucket_acl(Bucket="orders")["Grants"] == [*public, {"Grantee": ALL_USERS, "Permission": "WRITE"}]


def test_grants_in_headers(s3):
    s3.put_object(Bucket="orders", Key="a")
    s3.put_object_acl(Bucket="orders", Key="a", GrantRead=f'uri="{LOG_DELIVERY["URI"]}"')
    assert s3.get_object_acl(Bucket="orders", Key="a")["Grants"] == [{"Grantee": LOG_DELIVERY, "Permission": "READ"}]
    s3.put_bucket_acl(Bucket="orders", GrantFullControl=f"id={owner(s3)}", GrantWrite=f'uri="{LOG_DELIVERY["URI"]}"')
    assert s3.get_bucket_acl(Bucket="orders")["Grants"] == [own(s3), {"Grantee": LOG_DELIVERY, "Permission": "WRITE"}]


def test_policy_in_the_body(s3):
    s3.put_object(Bucket="orders", Key="a")
    policy = {"Owner": {"ID": owner(s3)}, "Grants": [own(s3), {"Grantee": LOG_DELIVERY, "Permission": "WRITE"}]}
    s3.put_object_acl(Bucket="orders", Key="a", AccessControlPolicy=policy)
    assert plain(s3.get_object_acl(Bucket="orders", Key="a")) == policy
    s3.put_bucket_acl(Bucket="orders", AccessControlPolicy=policy)
    assert plain(s3.get_bucket_acl(Bucket="orders")) == policy


def test_wrong_ones(s3):
    fake = "http://acs.amazonaws.com/groups/s3/FakeGroup"

    def told(**parameters):
        return failure(s3.put_bucket_acl, Bucket="orders", **parameters)

    def invalid(name, value, message):
        return {"Code": "InvalidArgument", "Message": message, "ArgumentName": name, "ArgumentValue": value, "status": 400}

    canned = told(ACL="fake-acl")
    assert canned.pop("Message", None) in (None, "")
    assert canned == {"Code": "InvalidArgument", "ArgumentName": "x-amz-acl", "ArgumentValue": "fake-acl", "status": 400}
    assert told(GrantWrite=f'uri="{fake}"') == invalid("uri", fake, "Invalid group uri")
    assert told(GrantWrite='fakekey="1234"') == invalid("x-amz-grant-write", 'fakekey="1234"', "Argument format not recognized")
    assert told(GrantWrite='id="wrong-id"') == invalid("id", "wrong-id", "Invalid id")
    assert told(AccessControlPolicy={"Owner": {"ID": "wrong-id"}, "Grants": []}) == invalid(
        "CanonicalUser/ID", "wrong-id", "Invalid id"
    )
    grants = [{"Grantee": {"Type": "Group", "URI": fake}, "Permission": "READ"}]
    assert told(AccessControlPolicy={"Owner": {"ID": owner(s3)}, "Grants": grants}) == invalid(
        "Group/URI", fake, "Invalid group uri"
    )
    assert told(AccessControlPolicy={"Owner": {"ID": owner(s3)}})["Code"] == "MalformedACLError"
    assert told(AccessControlPolicy={})["Code"] == "MalformedACLError"
    assert told()["MissingHeaderName"] == "x-amz-acl"
    both = told(ACL="private", GrantRead=f"id={owner(s3)}")
    assert both["Message"] == "Specifying both Canned ACLs and Header Grants is not allowed"
    with_body = told(ACL="private", AccessControlPolicy={"Owner": {"ID": owner(s3)}, "Grants": []})
    assert with_body == {"Code": "UnexpectedContent", "Message": "This request does not support content", "status": 400}


def test_where_lists_are_disabled(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    told = {"Code": "AccessControlListNotSupported", "Message": "The bucket does not allow ACLs", "status": 400}
    assert failure(s3.put_object, Bucket="orders", Key="a", ACL="public-read") == told
    assert failure(s3.put_bucket_acl, Bucket="orders", ACL="public-read") == told
    s3.put_object(Bucket="orders", Key="a", ACL="bucket-owner-full-control")
    s3.get_object_acl(Bucket="orders", Key="a")
    wrong = failure(s3.create_bucket, Bucket="public", ACL="public-read")
    assert wrong["Code"] == "InvalidBucketAclWithObjectOwnership"


def test_public_lists_are_blocked_by_default(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders", ObjectOwnership="BucketOwnerPreferred")
    assert failure(s3.put_object, Bucket="orders", Key="a", ACL="public-read")["Code"] == "AccessDenied"
    s3.put_object(Bucket="orders", Key="a", ACL="private")
    s3.put_public_access_block(Bucket="orders", PublicAccessBlockConfiguration={})
    s3.put_object(Bucket="orders", Key="a", ACL="public-read")


def test_lists_of_delete_markers(s3):
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="orders", Key="a")
    marker = s3.delete_object(Bucket="orders", Key="a")["VersionId"]
    assert failure(s3.get_object_acl, Bucket="orders", Key="a")["Code"] == "NoSuchKey"
    for method, call, more in (
        ("PUT", s3.put_object_acl, {"ACL": "public-read"}),
        ("PUT", s3.put_object_acl, {"ACL": "public-read", "VersionId": marker}),
        ("GET", s3.get_object_acl, {"VersionId": marker}),
    ):
        assert failure(call, Bucket="orders", Key="a", **more) == {
            "Code": "MethodNotAllowed",
            "Message": "The specified method is not allowed against this resource.",
            "Method": method,
            "ResourceType": "DeleteMarker",
            "status": 405,
        }
