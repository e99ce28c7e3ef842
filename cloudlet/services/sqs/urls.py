"""Queue URLs: the form that answers give, and all the forms that requests may bring.

http://localhost:4566/000000000000/orders                                  off (the default)
http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/orders    standard
http://us-east-1.queue.localhost.localstack.cloud:4566/000000000000/orders  domain
http://localhost.localstack.cloud:4566/queue/us-east-1/000000000000/orders  path
https://sqs.us-east-1.amazonaws.com/000000000000/orders                    only read
"""

from __future__ import annotations

import re

from cloudlet.kernel.context import Context
from cloudlet.kernel.fault import Fault
from cloudlet.services.sqs.layer import QUEUES, Queue

_REGION = re.compile(r"(?:^|[.-])([a-z]{2}(?:-[a-z]+)+-\d)(?=\.)")
_DEFAULT_HOST = "localhost.localstack.cloud:4566"


def queue_url(ctx: Context, queue: Queue) -> str:
    """The URL that answers give: SQS_ENDPOINT_STRATEGY chooses the form, LOCALSTACK_HOST the host of all but `off`."""
    tail = f"{queue.account}/{queue.name}"
    strategy = ctx.kernel.options.get("SQS_ENDPOINT_STRATEGY", "off")
    if strategy == "off":
        return f"{ctx.endpoint}/{tail}"
    scheme, _, asked = ctx.endpoint.partition("://")
    if strategy == "dynamic":
        strategy = _form_of(asked)
        host = asked.split(".", 2)[2] if strategy in ("standard", "domain") else asked
    else:
        host = ctx.kernel.options.get("LOCALSTACK_HOST") or _DEFAULT_HOST
        host = host if ":" in host else f"{host}:{asked.rpartition(':')[2] if ':' in asked else 4566}"
    if strategy == "standard":
        return f"{scheme}://sqs.{queue.region}.{host}/{tail}"
    if strategy == "domain":
        return f"{scheme}://{queue.region}.queue.{host}/{tail}"
    if strategy == "path":
        return f"{scheme}://{host}/queue/{queue.region}/{tail}"
    return f"{ctx.endpoint}/{tail}"


def open_queue(ctx: Context, url: str) -> Queue:
    """The queue of a URL or, where it is no URL, of that name. Raises Fault QueueDoesNotExist or InvalidAddress."""
    account, region, name = _located(ctx, url)
    queue = QUEUES.get(ctx.tx, account, region, name)
    if queue is None:
        raise no_such_queue()
    return queue


def no_such_queue() -> Fault:
    return Fault("QueueDoesNotExist", "The specified queue does not exist.")


def _located(ctx: Context, url: str) -> tuple[str, str, str]:
    """Account, region and name. The region is the URL's where it tells one, else the request's."""
    parts = url.split("/")
    if len(parts) == 5:
        host = parts[2]
        if "." not in host or host[0].isdigit():
            return parts[3], ctx.region, parts[4]
        found = _REGION.search(host)
        return parts[3], found[1] if found else ctx.region, parts[4]
    if len(parts) == 1 and url:
        return ctx.account, ctx.region, url
    if len(parts) == 7 and parts[3] == "queue":
        return parts[5], parts[4], parts[6]
    raise Fault("InvalidAddress", f"The address {url} is not valid for this endpoint.")


def _form_of(host: str) -> str:
    if host.startswith("sqs."):
        return "standard"
    return "domain" if ".queue." in host else "path"
