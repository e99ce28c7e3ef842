"""The JavaScript SDK v3."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.conftest import Program, find

pytestmark = pytest.mark.client
HERE = Path(__file__).parent / "js"


def test_the_javascript_sdk(endpoint: str) -> None:
    node = find("node") or pytest.skip("node is not installed")
    if not (HERE / "node_modules" / "@aws-sdk" / "client-s3").is_dir():
        pytest.skip("the JavaScript SDK is not installed (npm ci in tests/clients/js)")
    assert Program(node, endpoint, HERE).run("s3_and_sqs.mjs") == "all good\n"
