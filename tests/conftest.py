"""Fixtures of all tests: a cloud in this process, and boto3 clients that talk to it.

With AWS=1 the clients talk to real AWS instead, and tests that ask for `cloud` itself are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cloudlet.testing.server import InProcessServer

ON_AWS = os.environ.get("AWS") == "1"
for name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)

Client = Callable[..., Any]


@pytest.fixture(scope="session")
def _shared_cloud() -> Iterator[InProcessServer | None]:
    if ON_AWS:
        yield None
        return
    with InProcessServer() as cloud:
        yield cloud


@pytest.fixture
def _emptied(_shared_cloud: InProcessServer | None) -> InProcessServer | None:
    """Emptied once a test, its clock on real time."""
    if _shared_cloud is not None:
        _shared_cloud.reset()
    return _shared_cloud


@pytest.fixture
def cloud(_emptied: InProcessServer | None) -> InProcessServer:
    """The in-process cloud."""
    if _emptied is None:
        pytest.skip("it moves the clock or looks inside, which AWS does not allow")
    return _emptied


@pytest.fixture
def client(_emptied: InProcessServer | None) -> Client:
    """A boto3 client: `client("sqs")`, `client("s3", region="eu-west-1", account="111122223333")`."""
    if _emptied is None:
        return lambda service, region="us-east-1", account=None, **kw: boto3.client(service, region_name=region, **kw)
    return lambda service, **kw: connect(_emptied.endpoint, service, **kw)


def connect(
    endpoint: str, service: str, *, region: str = "us-east-1", account: str = "test", config: Config | None = None
) -> Any:
    """A client without retries, so that a test sees the first answer. An account id as access key chooses the account."""
    quick = Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=60)
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="test",
        config=quick.merge(config) if config else quick,
    )
