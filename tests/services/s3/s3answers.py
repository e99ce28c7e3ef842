"""What the tests of S3 look at: an answer without its metadata, and the error of a call that must fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer's own members."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def failure(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    """The Error of a call that must fail, with its HTTP status."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    answer = raised.value.response
    return answer["Error"] | {"status": answer["ResponseMetadata"]["HTTPStatusCode"]}


def failure_headers(call: Callable[..., Any], *names: str, **parameters: Any) -> dict[str, str | None]:
    """Those headers of the answer to a call that must fail."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    headers = raised.value.response["ResponseMetadata"]["HTTPHeaders"]
    return {name: headers.get(name) for name in names}


NO_SUCH_KEY = "The specified key does not exist."
PRECONDITION = "At least one of the pre-conditions you specified did not hold"
MALFORMED_XML = "The XML you provided was not well-formed or did not validate against our published schema"
