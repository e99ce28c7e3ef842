"""The policy document of a form upload: what its signer allows the form to hold.

Source: the S3 API reference, "Creating a POST policy". Names of fields are compared without regard to case.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from cloudlet.kernel.fault import Fault
from cloudlet.services.s3.faults import access_denied

_UNSIGNED_FIELDS = frozenset(("policy", "x-amz-signature", "signature", "awsaccesskeyid", "file"))
_IGNORED = "x-ignore-"
_RANGE = "content-length-range"


class Policy(NamedTuple):
    """expires: in milliseconds. conditions: each as (operator, first argument, second argument)."""

    expires: int
    conditions: list[tuple[Any, Any, Any]]


def parse(text: str) -> Policy:
    """Raises InvalidPolicyDocument."""
    try:
        document = orjson.loads(base64.b64decode(text, validate=False))
    except ValueError:
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    if "expiration" not in document:
        raise _invalid("Policy missing expiration.")
    if not isinstance(document.get("conditions"), list):
        raise _invalid("Policy missing conditions.")
    conditions: list[tuple[Any, Any, Any]] = []
    for condition in document["conditions"]:
        if isinstance(condition, dict):
            conditions += [("eq", f"${name}", value) for name, value in condition.items()]
        elif isinstance(condition, list) and len(condition) == 3:
            conditions.append((condition[0], condition[1], condition[2]))
        else:
            raise _invalid("Invalid Condition.")
    return Policy(_instant(document["expiration"]), conditions)


def check_fields(policy: Policy, fields: dict[str, str], bucket: str, now: int) -> None:
    """Raises AccessDenied for an expired policy, a condition that does not hold, or a field that no condition names.

    fields: by name in lower case. now: by the clock that the signer used.
    """
    if policy.expires <= now:
        raise access_denied("Invalid according to Policy: Policy expired.")
    held = {**fields, "bucket": bucket}
    named = set()
    for condition in policy.conditions:
        operator, first, second = condition
        if operator == _RANGE:
            if _bounds(condition) is None:
                raise _failed(condition)
            continue
        name = str(first).removeprefix("$").lower()
        named.add(name)
        if not _holds(str(operator).lower(), name, held.get(name), second):
            raise _failed(condition)
    extra = [name for name in fields if name not in named and name not in _UNSIGNED_FIELDS and not name.startswith(_IGNORED)]
    if extra:
        raise access_denied(f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")


def check_size(policy: Policy, size: int) -> None:
    """Raises EntityTooSmall or EntityTooLarge."""
    for condition in policy.conditions:
        bounds = _bounds(condition) if condition[0] == _RANGE else None
        if bounds is None:
            continue
        if size < bounds[0]:
            text = "Your proposed upload is smaller than the minimum allowed size"
            raise Fault("EntityTooSmall", text, ProposedSize=size, MinSizeAllowed=bounds[0])
        if size > bounds[1]:
            text = "Your proposed upload exceeds the maximum allowed size"
            raise Fault("EntityTooLarge", text, ProposedSize=size, MaxSizeAllowed=bounds[1])


def _holds(operator: str, name: str, held: str | None, wanted: Any) -> bool:
    if operator == "eq":
        return held == str(wanted)
    if operator != "starts-with":
        return False
    if name == "content-type":  # a list of types: each must begin so
        return all(part.strip().startswith(str(wanted)) for part in (held or "").split(","))
    return (held or "").startswith(str(wanted))


def _bounds(condition: tuple[Any, Any, Any]) -> tuple[int, int] | None:
    """The sizes of a content-length-range; None where they are no numbers."""
    low, high = str(condition[1]), str(condition[2])
    return (int(low), int(high)) if low.isascii() and low.isdigit() and high.isascii() and high.isdigit() else None


def _failed(condition: tuple[Any, Any, Any]) -> Fault:
    shown = ", ".join(f'"{part}"' for part in condition)
    return access_denied(f"Invalid according to Policy: Policy Condition failed: [{shown}]")


def _invalid(why: str) -> Fault:
    return Fault("InvalidPolicyDocument", f"Invalid Policy: {why}")


def _instant(text: Any) -> int:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise _invalid("Invalid 'expiration' value.") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
