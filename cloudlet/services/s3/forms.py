"""PostObject: the upload that a browser makes with an HTML form."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from cloudlet.kernel.context import Context, Conversation
from cloudlet.services.s3 import bodies, configs, postpolicy, tagging
from cloudlet.services.s3.acl import ALL_USERS
from cloudlet.services.s3.buckets import _open_bucket
from cloudlet.services.s3.checksums import ALGORITHMS
from cloudlet.services.s3.completion import _location
from cloudlet.services.s3.faults import access_denied, invalid_argument, malformed_xml
from cloudlet.services.s3.formdata import Form, read_form
from cloudlet.services.s3.objects import _check_put, _store
from cloudlet.services.s3.postpolicy import Policy
from cloudlet.services.s3.rows import Bucket

_META = "x-amz-meta-"
_FILENAME = "${filename}"
_V4_FIELDS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_V2_FIELDS = ("AWSAccessKeyId", "Signature")
_MEMBERS = {
    "acl": "ACL",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-type": "ContentType",
    "expires": "Expires",
    "x-amz-checksum-algorithm": "ChecksumAlgorithm",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "x-amz-server-side-encryption-customer-key": "SSECustomerKey",
    "x-amz-server-side-encryption-customer-key-md5": "SSECustomerKeyMD5",
    "x-amz-storage-class": "StorageClass",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
    **{f"x-amz-checksum-{name.lower()}": f"Checksum{name}" for name in ALGORITHMS},
}


async def post_object(conversation: Conversation, req: dict[str, Any]) -> dict[str, Any]:
    """Store the file of a form. The fields before it say under which key and with what; those after it are not read.

    A form's policy is checked; its signature is not. Without a policy, only a bucket that lets everybody write takes it.
    """
    form = await read_form(req["Body"], req.get("ContentType", ""))
    fields = {name.lower(): value for name, value in form.fields.items()}
    policy = await conversation.transact(lambda ctx: _allowed(ctx, req["Bucket"], fields))
    put = _put_request(req["Bucket"], fields, form)
    await conversation.transact(lambda ctx: _check_put(ctx, put))
    received = await bodies.receive(conversation, form.file, bodies.Promises(put))
    try:
        if policy:
            postpolicy.check_size(policy, received.size)
        return await conversation.transact(lambda ctx: _answer(ctx, put, fields, _store(ctx, put, received)))
    except Exception:
        received.discard(conversation)
        raise


def _allowed(ctx: Context, name: str, fields: dict[str, str]) -> Policy | None:
    """The form's policy, which allows its fields. Raises Fault."""
    bucket = _open_bucket(ctx, name)
    version_4 = any(field.lower() in fields for field in _V4_FIELDS)
    if not version_4 and "policy" not in fields and not any(field.lower() in fields for field in _V2_FIELDS):
        if not _everybody_may_write(ctx, bucket):
            raise access_denied()
        _require(fields, "key")
        return None
    for field in ("key", *(_V4_FIELDS if version_4 else _V2_FIELDS), "policy"):
        _require(fields, field)
    policy = postpolicy.parse(fields["policy"])
    postpolicy.check_fields(policy, fields, name, ctx.kernel.clock.machine_time())
    return policy


def _require(fields: dict[str, str], name: str) -> None:
    if name.lower() not in fields:
        told = f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
        raise invalid_argument(name, "", told)


def _everybody_may_write(ctx: Context, bucket: Bucket) -> bool:
    """Whether the bucket's access control list says so. A bucket policy may: where there is one, it is not read."""
    if configs.read(ctx, bucket, configs.POLICY) is not None:
        return True
    grants = (configs.read(ctx, bucket, configs.ACL) or {}).get("Grants", ())
    return any(g["Grantee"].get("URI") == ALL_USERS and g["Permission"] in ("WRITE", "FULL_CONTROL") for g in grants)


def _put_request(bucket: str, fields: dict[str, str], form: Form) -> dict[str, Any]:
    """The PutObject that the form amounts to. Raises InvalidArgument or MalformedXML."""
    if form.file is None:
        raise invalid_argument("file", "0", "POST requires exactly one file upload per request.")
    put: dict[str, Any] = {_MEMBERS[name]: _latin(value) for name, value in fields.items() if name in _MEMBERS}
    put |= {"Bucket": bucket, "Key": fields["key"].replace(_FILENAME, form.filename)}
    if not put["Key"]:
        raise invalid_argument("key", "", "User key must have a length greater than 0.")
    metadata = {name.removeprefix(_META): value for name, value in fields.items() if name.startswith(_META)}
    if metadata:
        put["Metadata"] = metadata
    if "tagging" in fields:
        put["Tagging"] = urlencode(_tags(fields["tagging"]), quote_via=quote)
    return put


def _latin(text: str) -> str:
    """A header's text: what Latin-1 lacks becomes a space."""
    return "".join(letter if letter <= "\xff" else " " for letter in text)


def _tags(text: str) -> dict[str, str]:
    """The tags of the `tagging` field, which is XML as PutObjectTagging takes it. Raises MalformedXML or InvalidTag."""
    if "<!" in text:
        raise malformed_xml()
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        raise malformed_xml() from None
    tag_set = [{_local(part.tag): part.text or "" for part in tag} for tag in root.iter() if _local(tag.tag) == "Tag"]
    return tagging.of_object({"TagSet": tag_set})


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _answer(ctx: Context, put: dict[str, Any], fields: dict[str, str], stored: dict[str, Any]) -> dict[str, Any]:
    """What the form asks to be told: a redirect, a document (201), or nothing (200, 204)."""
    bucket, key, etag = put["Bucket"], put["Key"], stored["ETag"]
    location = _location(ctx, _open_bucket(ctx, bucket), key)
    answer = {"StatusCode": 204, "ETag": etag, "Location": location, "VersionId": stored.get("VersionId")}
    redirect = _redirect(fields, bucket, key, etag)
    if redirect:
        return answer | {"StatusCode": 303, "Location": redirect}
    status = fields.get("success_action_status")
    if status == "201":
        parts = {"Location": location, "Bucket": bucket, "Key": key, "ETag": etag}
        inner = "".join(f"<{name}>{escape(text, {chr(34): '&quot;'})}</{name}>" for name, text in parts.items())
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inner}</PostResponse>'
        return answer | {"StatusCode": 201, "ContentType": "application/xml", "Body": document.encode()}
    return answer | {"StatusCode": 200 if status == "200" else 204}


def _redirect(fields: dict[str, str], bucket: str, key: str, etag: str) -> str | None:
    """The URL to send the browser to, with what was stored in its query; None where none is asked for, or it is no URL."""
    asked = fields.get("success_action_redirect") or fields.get("redirect")
    if not asked:
        return None
    try:
        scheme, host, path, query, fragment = urlsplit(asked)
    except ValueError:
        return None
    if scheme not in ("http", "https") or not host:
        return None
    told = [*parse_qsl(query, keep_blank_values=True), ("bucket", bucket), ("key", key), ("etag", etag)]
    return urlunsplit((scheme, host, path, urlencode(told), fragment))
