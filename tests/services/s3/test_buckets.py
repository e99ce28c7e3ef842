"""Buckets: names, regions, re-creation, listing, location, deletion, and what an unconfigured one answers."""

from __future__ import annotations

import pytest
from s3answers import failure, failure_headers, plain

OTHER_ACCOUNT = "111122223333"


def test_create_head_delete(client):
    s3 = client("s3")
    assert plain(s3.create_bucket(Bucket="orders")) == {"Location": "/orders", "BucketArn": "arn:aws:s3:::orders"}
    head = plain(s3.head_bucket(Bucket="orders"))
    assert head == {"BucketArn": "arn:aws:s3:::orders", "BucketRegion": "us-east-1", "AccessPointAlias": False}
    assert s3.delete_bucket(Bucket="orders")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert failure(s3.head_bucket, Bucket="orders") == {"Code": "404", "Message": "Not Found", "status": 404}
    assert failure(s3.delete_bucket, Bucket="orders") == {
        "Code": "NoSuchBucket",
        "Message": "The specified bucket does not exist",
        "BucketName": "orders",
        "status": 404,
    }


@pytest.mark.parametrize(
    "name", ["Orders", "or", "a" * 64, "-orders", "orders-", "or..ders", "192.168.1.1", "xn--orders", "orders-s3alias", "or_ders"]
)
def test_invalid_names(client, name):
    s3 = client("s3")
    # botocore refuses some of these itself
    s3.meta.events.unregister("before-parameter-build.s3", None)
    for event in list(s3.meta.events._emitter._handlers.prefix_search("before-parameter-build.s3")):
        if event.__name__ == "validate_bucket_name":
            s3.meta.events.unregister("before-parameter-build.s3", event)
    assert failure(s3.create_bucket, Bucket=name) == {
        "Code": "InvalidBucketName",
        "Message": "The specified bucket is not valid.",
        "BucketName": name,
        "status": 400,
    }


def test_region_of_constraint(client):
    s3 = client("s3")
    made = s3.create_bucket(Bucket="orders-eu", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert made["Location"] == "http://orders-eu.s3.amazonaws.com/"
    assert s3.get_bucket_location(Bucket="orders-eu")["LocationConstraint"] == "eu-west-1"
    assert s3.head_bucket(Bucket="orders-eu")["BucketRegion"] == "eu-west-1"


def test_old_constraint_eu(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders-eu", CreateBucketConfiguration={"LocationConstraint": "EU"})
    assert s3.get_bucket_location(Bucket="orders-eu")["LocationConstraint"] == "EU"
    assert s3.head_bucket(Bucket="orders-eu")["BucketRegion"] == "eu-west-1"


def test_home_region_has_no_constraint(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    assert s3.get_bucket_location(Bucket="orders")["LocationConstraint"] is None


def test_constraint_and_endpoint_disagree(client):
    home, abroad = client("s3"), client("s3", region="eu-west-1")
    assert failure(abroad.create_bucket, Bucket="orders")["Code"] == "IllegalLocationConstraintException"
    wrong = failure(abroad.create_bucket, Bucket="orders", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    text = "The us-west-2 location constraint is incompatible for the region specific endpoint this request was sent to."
    assert wrong == {"Code": "IllegalLocationConstraintException", "Message": text, "status": 400}
    nowhere = failure(home.create_bucket, Bucket="orders", CreateBucketConfiguration={"LocationConstraint": "us-east-1"})
    assert nowhere["Code"] == "InvalidLocationConstraint"


def test_creating_it_again(client):
    home = client("s3")
    abroad = client("s3", region="eu-west-1")
    home.create_bucket(Bucket="orders")
    assert home.create_bucket(Bucket="orders")["Location"] == "/orders"
    there = {"LocationConstraint": "eu-west-1"}
    abroad.create_bucket(Bucket="orders-eu", CreateBucketConfiguration=there)
    again = failure(abroad.create_bucket, Bucket="orders-eu", CreateBucketConfiguration=there)
    assert again == {
        "Code": "BucketAlreadyOwnedByYou",
        "Message": "Your previous request to create the named bucket succeeded and you already own it.",
        "BucketName": "orders-eu",
        "status": 409,
    }


def test_names_are_shared_by_all_accounts(client):
    client("s3").create_bucket(Bucket="orders")
    other = client("s3", account=OTHER_ACCOUNT)
    assert failure(other.create_bucket, Bucket="orders")["Code"] == "BucketAlreadyExists"
    assert other.list_buckets()["Buckets"] == []


def test_list_buckets(client, cloud):
    s3 = client("s3")
    for name in ("orders-2", "orders-1", "other"):
        s3.create_bucket(Bucket=name)
    s3.create_bucket(Bucket="orders-eu", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    found = s3.list_buckets(Prefix="orders", MaxBuckets=2)
    assert [bucket["Name"] for bucket in found["Buckets"]] == ["orders-1", "orders-2"]
    assert found["Prefix"] == "orders"
    rest = s3.list_buckets(Prefix="orders", MaxBuckets=2, ContinuationToken=found["ContinuationToken"])
    assert [bucket["Name"] for bucket in rest["Buckets"]] == ["orders-eu"]
    assert "ContinuationToken" not in rest
    abroad = s3.list_buckets(BucketRegion="eu-west-1")["Buckets"]
    assert [(bucket["Name"], bucket["BucketRegion"]) for bucket in abroad] == [("orders-eu", "eu-west-1")]
    assert failure(s3.list_buckets, BucketRegion="eu-east-1") == {
        "Code": "InvalidArgument",
        "Message": "Argument value eu-east-1 is not a valid AWS Region",
        "ArgumentName": "bucket-region",
        "status": 400,
    }


def test_delete_needs_an_empty_bucket(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    s3.put_object(Bucket="orders", Key="a", Body=b"1")
    told = {
        "Code": "BucketNotEmpty",
        "Message": "The bucket you tried to delete is not empty",
        "BucketName": "orders",
        "status": 409,
    }
    assert failure(s3.delete_bucket, Bucket="orders") == told
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    marker = s3.delete_object(Bucket="orders", Key="a")["VersionId"]
    told["Message"] += ". You must delete all versions in the bucket."
    assert failure(s3.delete_bucket, Bucket="orders") == told
    s3.delete_object(Bucket="orders", Key="a", VersionId="null")
    assert failure(s3.delete_bucket, Bucket="orders") == told
    s3.delete_object(Bucket="orders", Key="a", VersionId=marker)
    s3.delete_bucket(Bucket="orders")


def test_a_bucket_made_anew_is_empty(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    s3.put_bucket_tagging(Bucket="orders", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_bucket(Bucket="orders")
    s3.create_bucket(Bucket="orders")
    assert failure(s3.get_bucket_tagging, Bucket="orders")["Code"] == "NoSuchTagSet"


def test_expected_owner(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    s3.head_bucket(Bucket="orders", ExpectedBucketOwner="000000000000")
    told = failure_headers(s3.head_bucket, "x-amz-bucket-region", Bucket="orders", ExpectedBucketOwner=OTHER_ACCOUNT)
    assert told == {"x-amz-bucket-region": "us-east-1"}
    denied = failure(s3.get_bucket_versioning, Bucket="orders", ExpectedBucketOwner=OTHER_ACCOUNT)
    assert denied == {"Code": "AccessDenied", "Message": "Access Denied", "status": 403}
    wrong = failure(s3.get_bucket_versioning, Bucket="orders", ExpectedBucketOwner="abcd")
    text = "The value of the expected bucket owner parameter must be an AWS Account ID... [abcd]"
    assert wrong == {"Code": "InvalidBucketOwnerAWSAccountID", "Message": text, "status": 400}


def test_what_an_unconfigured_bucket_answers(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    for call, code in (
        (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
        (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
        (s3.get_bucket_policy, "NoSuchBucketPolicy"),
        (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
        (s3.get_bucket_tagging, "NoSuchTagSet"),
        (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
        (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
    ):
        told = failure(call, Bucket="orders")
        assert (told["Code"], told["status"], told["BucketName"]) == (code, 404, "orders")
    for call in (
        s3.get_bucket_accelerate_configuration,
        s3.get_bucket_logging,
        s3.get_bucket_notification_configuration,
        s3.get_bucket_versioning,
    ):
        assert plain(call(Bucket="orders")) == {}
    assert s3.get_bucket_request_payment(Bucket="orders")["Payer"] == "BucketOwner"
    assert s3.get_bucket_ownership_controls(Bucket="orders")["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }
    assert set(s3.get_public_access_block(Bucket="orders")["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_encryption(Bucket="orders")["ServerSideEncryptionConfiguration"] == {
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    }


def test_policy(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    assert failure(s3.put_bucket_policy, Bucket="orders", Policy="") == {
        "Code": "MalformedPolicy",
        "Message": "Policies must be valid JSON and the first byte must be '{'",
        "status": 400,
    }
    assert failure(s3.put_bucket_policy, Bucket="orders", Policy="{}")["Message"] == "Missing required field Statement"
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}'
    s3.put_bucket_policy(Bucket="orders", Policy=text)
    assert s3.get_bucket_policy(Bucket="orders")["Policy"] == text
    assert failure(s3.put_bucket_policy, Bucket="orders", Policy=text.replace("Deny", "Allow"))["Code"] == "AccessDenied"
    assert s3.get_bucket_policy_status(Bucket="orders")["PolicyStatus"] == {"IsPublic": False}
    s3.delete_bucket_policy(Bucket="orders")
    assert failure(s3.get_bucket_policy, Bucket="orders")["Code"] == "NoSuchBucketPolicy"


def test_public_access_block(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    s3.put_public_access_block(Bucket="orders", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert s3.get_public_access_block(Bucket="orders")["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    for _ in range(2):
        s3.delete_public_access_block(Bucket="orders")
    assert failure(s3.get_public_access_block, Bucket="orders") == {
        "Code": "NoSuchPublicAccessBlockConfiguration",
        "Message": "The public access block configuration was not found",
        "BucketName": "orders",
        "status": 404,
    }


def test_encryption(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="orders")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket="orders", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket="orders")["ServerSideEncryptionConfiguration"] == {"Rules": [rule]}
    put = s3.put_object(Bucket="orders", Key="a", Body=b"1")
    assert (put["ServerSideEncryption"], put["BucketKeyEnabled"]) == ("aws:kms", True)
    head = s3.head_object(Bucket="orders", Key="a")
    assert (head["SSEKMSKeyId"], head["ETag"]) == (put["SSEKMSKeyId"], put["ETag"])
    both = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"}}]
    wrong = failure(s3.put_bucket_encryption, Bucket="orders", ServerSideEncryptionConfiguration={"Rules": both})
    assert (wrong["Code"], wrong["ArgumentName"]) == ("InvalidArgument", "ApplyServerSideEncryptionByDefault")
    s3.delete_bucket_encryption(Bucket="orders")
    assert s3.put_object(Bucket="orders", Key="a", Body=b"1")["ServerSideEncryption"] == "AES256"
