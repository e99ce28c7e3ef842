"""Which service, operation and protocol a request means. Tried in this order: X-Amz-Target, Smithy's RPC path, the credential
scope, the host, a form's Action, and at last S3's paths."""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudlet.gateway.identity import Credential
from cloudlet.wire.message import Request

_RPC_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")
_BUCKET_HOST = re.compile(
    r"(?P<bucket>.+)\.s3(?:[.-][a-z0-9-]+)?\.(?:amazonaws\.com(?:\.cn)?|localhost|localhost\.localstack\.cloud)"
)
_BUCKET_SUFFIXES = (".s3.localhost.localstack.cloud", ".s3.localhost", ".s3.amazonaws.com")
_HOST_SUFFIXES = (".localhost.localstack.cloud", ".localhost", ".amazonaws.com", ".amazonaws.com.cn")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_FORM = "application/x-www-form-urlencoded"
# credential scopes and host names whose service has another name in botocore
SIGNING_NAMES = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "email": "ses",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "tagging": "resourcegroupstaggingapi",
    "execute-api": "apigateway",
    "queue": "sqs",
    "cognito-idp": "cognito-idp",
    "aps": "amp",
    "es": "opensearch",
    "resource-groups": "resource-groups",
    "s3express": "s3",
    "servicecatalog": "servicecatalog",
    "wafv2": "wafv2",
}


class Guess(NamedTuple):
    """service: botocore's name, or None. operation: where the head tells it. protocol: None where it is the model's own.

    target: the prefix of X-Amz-Target or of an RPC path. bucket: from a virtual host, to be put before the path.
    """

    service: str | None
    operation: str | None
    protocol: str | None
    target: str = ""
    bucket: str = ""


def guess(request: Request, credential: Credential) -> Guess:
    """What the request's head tells. It never fails: what is wrong is answered when the operation is looked for."""
    headers = request.headers
    target = headers.get("x-amz-target")
    kind = headers.get("content-type", "")
    scoped = SIGNING_NAMES.get(credential.service, credential.service) or None
    if target is not None:
        prefix, _, name = target.rpartition(".")
        return Guess(scoped, name, _target_protocol(kind), prefix)
    if headers.get("smithy-protocol") == "rpc-v2-cbor" and (found := _RPC_PATH.fullmatch(request.path)):
        return Guess(scoped, found[2], "smithy-rpc-v2-cbor", found[1])
    host = headers.get("host", "").partition(":")[0].lower()
    bucket = _bucket(host) if scoped in (None, "s3") else ""
    if bucket:
        return Guess("s3", None, None, bucket=bucket)
    if scoped:
        return Guess(scoped, None, "query" if kind.startswith(_FORM) else None)
    service, _ = _service_and_region(host)
    if service:
        return Guess(SIGNING_NAMES.get(service, service), None, "query" if kind.startswith(_FORM) else None)
    if kind.startswith(_FORM) or "Action=" in request.query_string:
        return Guess(None, None, "query")
    return Guess("s3", None, None)


def region_in(request: Request) -> str | None:
    """The region in the host's name."""
    return _service_and_region(request.headers.get("host", "").partition(":")[0].lower())[1]


def _service_and_region(host: str) -> tuple[str | None, str | None]:
    """What a host's labels say: `sqs.eu-west-1.amazonaws.com`, `eu-west-1.queue.localhost.localstack.cloud`."""
    for suffix in _HOST_SUFFIXES:
        if host.endswith(suffix):
            labels = host[: -len(suffix)].split(".")
            region = next((label for label in labels if _REGION.fullmatch(label)), None)
            service = next((label for label in labels if label not in (region, "localhost")), None)
            return service, region
    return None, None


def is_region(text: str) -> bool:
    """Some tools sign with `US` or `aws-global`, which are no regions."""
    return bool(_REGION.fullmatch(text))


def _target_protocol(kind: str) -> str:
    if kind.startswith("application/x-amz-json-1.0"):
        return "json-1.0"
    return "amz-cbor-1.1" if kind.startswith("application/x-amz-cbor") else "json"


def _bucket(host: str) -> str:
    for suffix in _BUCKET_SUFFIXES:
        if host.endswith(suffix):
            return host[: -len(suffix)]
    if ".s3" not in host:
        return ""
    found = _BUCKET_HOST.fullmatch(host)
    return found["bucket"] if found else ""
