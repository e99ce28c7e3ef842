"""Access control lists as requests bring them: canned, as grants in headers, or as a policy in the body; checked and kept.

A kept list is {"Owner": account, "Grants": [...]} with grants as answers show them; None stands for the owner's alone.
"""

from __future__ import annotations

from typing import Any

from cloudlet.kernel.fault import Fault, not_implemented
from cloudlet.services.s3.faults import access_denied, invalid_argument, invalid_request
from cloudlet.services.s3.owner import canonical_id
from cloudlet.services.s3.rows import Bucket

Acl = dict[str, Any] | None
ENFORCED = "BucketOwnerEnforced"
_GROUPS = "http://acs.amazonaws.com/groups/"
ALL_USERS, AUTHENTICATED, LOG_DELIVERY = (
    _GROUPS + "global/AllUsers",
    _GROUPS + "global/AuthenticatedUsers",
    _GROUPS + "s3/LogDelivery",
)
_KNOWN_GROUPS = frozenset((ALL_USERS, AUTHENTICATED, LOG_DELIVERY))
_PERMISSIONS = frozenset(("FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"))
_CANNED: dict[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED, "READ"),),
    "log-delivery-write": ((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
    "aws-exec-read": (),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}
_OF_BUCKETS = frozenset(
    ("private", "public-read", "public-read-write", "authenticated-read", "log-delivery-write", "aws-exec-read")
)
_OF_OBJECTS = frozenset(_CANNED) - {"log-delivery-write"}
_HEADERS = {
    "GrantFullControl": ("FULL_CONTROL", "x-amz-grant-full-control"),
    "GrantRead": ("READ", "x-amz-grant-read"),
    "GrantReadACP": ("READ_ACP", "x-amz-grant-read-acp"),
    "GrantWrite": ("WRITE", "x-amz-grant-write"),
    "GrantWriteACP": ("WRITE_ACP", "x-amz-grant-write-acp"),
}
_ASKING = ("ACL", *_HEADERS)


def asks(req: dict[str, Any]) -> bool:
    """Whether a request's headers say anything of access control."""
    return not req.keys().isdisjoint(_ASKING)


def of_new_object(req: dict[str, Any], bucket: Bucket, account: str, blocked: bool) -> Acl:
    """The list that a write's headers ask for. Raises Fault; AccessControlListNotSupported where the bucket has lists disabled.

    blocked: the bucket's public access block refuses public lists.
    """
    if not asks(req):
        return None
    acl = from_headers(req, account, bucket=False, bucket_owner=bucket.account)
    if bucket.ownership == ENFORCED and not harmless(req, acl, bucket):
        raise not_supported()
    refuse_public(acl, blocked)
    return acl


def not_supported() -> Fault:
    return Fault("AccessControlListNotSupported", "The bucket does not allow ACLs")


def refuse_public(acl: Acl, blocked: bool) -> None:
    """Raises AccessDenied for a list that grants the public anything where that is blocked."""
    if blocked and acl and any(grant["Grantee"].get("URI") in (ALL_USERS, AUTHENTICATED) for grant in acl["Grants"]):
        raise access_denied()


def harmless(req: dict[str, Any], acl: Acl, bucket: Bucket) -> bool:
    """Whether a list gives nobody but the bucket's owner anything; only such ones are taken where lists are disabled."""
    if req.get("ACL") is not None:
        return req["ACL"] == "bucket-owner-full-control"
    owner = {"Grantee": _user(canonical_id(bucket.account)), "Permission": "FULL_CONTROL"}
    return acl is None or acl["Grants"] == [owner]


def from_headers(req: dict[str, Any], account: str, *, bucket: bool, bucket_owner: str = "") -> Acl:
    """The list of `x-amz-acl` or of the `x-amz-grant-...` headers. Raises InvalidArgument or InvalidRequest."""
    canned = req.get("ACL")
    granted = [name for name in _HEADERS if name in req]
    if canned is None and not granted:
        return None
    if canned is not None and granted:
        raise invalid_request("Specifying both Canned ACLs and Header Grants is not allowed")
    if granted:
        grants = [grant for name in granted for grant in _header_grants(req[name], *_HEADERS[name])]
        return {"Owner": account, "Grants": grants}
    if canned not in (_OF_BUCKETS if bucket else _OF_OBJECTS):
        raise invalid_argument("x-amz-acl", canned, None)
    assert canned is not None
    grants = [{"Grantee": _user(canonical_id(account)), "Permission": "FULL_CONTROL"}]
    grants += [{"Grantee": _group(uri), "Permission": permission} for uri, permission in _CANNED[canned]]
    if bucket_owner and bucket_owner != account and canned.startswith("bucket-owner-"):
        permission = "READ" if canned == "bucket-owner-read" else "FULL_CONTROL"
        grants.append({"Grantee": _user(canonical_id(bucket_owner)), "Permission": permission})
    return {"Owner": account, "Grants": grants}


def from_policy(policy: Any, account: str) -> Acl:
    """The list of a body's AccessControlPolicy. Raises MalformedACLError or InvalidArgument."""
    owner = policy.get("Owner") if isinstance(policy, dict) else None
    if not isinstance(owner, dict) or "Grants" not in policy:
        raise _malformed()
    grants = [_policy_grant(grant) for grant in policy["Grants"]]
    _check_id(owner.get("ID"), "CanonicalUser/ID")
    if owner.get("ID") != canonical_id(account):
        raise access_denied()
    return {"Owner": account, "Grants": grants}


def shown(acl: Acl, account: str) -> dict[str, Any]:
    """GetBucketAcl's and GetObjectAcl's answer. account: the owner, where no list was ever set."""
    owner = {"ID": canonical_id(acl["Owner"] if acl else account)}
    if acl is None:
        return {"Owner": owner, "Grants": [{"Grantee": _user(owner["ID"]), "Permission": "FULL_CONTROL"}]}
    return {"Owner": owner, "Grants": acl["Grants"]}


def _header_grants(text: str, permission: str, header: str) -> list[dict[str, Any]]:
    grants = []
    for part in text.split(","):
        kind, equals, value = part.strip().partition("=")
        value = value.strip().strip('"')
        if not equals or kind not in ("uri", "id", "emailAddress"):
            raise invalid_argument(header, part.strip(), "Argument format not recognized")
        if kind == "emailAddress":
            raise not_implemented("s3's grants to an e-mail address")
        if kind == "uri":
            _check_group(value, "uri")
            grants.append({"Grantee": _group(value), "Permission": permission})
        else:
            _check_id(value, "id")
            grants.append({"Grantee": _user(value), "Permission": permission})
    return grants


def _policy_grant(grant: Any) -> dict[str, Any]:
    grantee = grant.get("Grantee") if isinstance(grant, dict) else None
    if not isinstance(grantee, dict) or grant.get("Permission") not in _PERMISSIONS:
        raise _malformed()
    kind = grantee.get("Type")
    if kind == "Group":
        if "URI" not in grantee:
            raise _malformed()
        _check_group(grantee["URI"], "Group/URI")
        return {"Grantee": _group(grantee["URI"]), "Permission": grant["Permission"]}
    if kind == "AmazonCustomerByEmail":
        raise not_implemented("s3's grants to an e-mail address")
    if kind != "CanonicalUser" or "ID" not in grantee:
        raise _malformed()
    _check_id(grantee["ID"], "CanonicalUser/ID")
    return {"Grantee": _user(grantee["ID"]), "Permission": grant["Permission"]}


def _check_group(uri: str, argument: str) -> None:
    if uri not in _KNOWN_GROUPS:
        raise invalid_argument(argument, uri, "Invalid group uri")


def _check_id(identity: Any, argument: str) -> None:
    """Any 64 hex digits may be some account's canonical id."""
    if not isinstance(identity, str) or len(identity) != 64 or set(identity) - set("0123456789abcdef"):
        raise invalid_argument(argument, identity, "Invalid id")


def _user(identity: str) -> dict[str, str]:
    return {"ID": identity, "Type": "CanonicalUser"}


def _group(uri: str) -> dict[str, str]:
    return {"Type": "Group", "URI": uri}


def _malformed() -> Fault:
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return Fault("MalformedACLError", text)
