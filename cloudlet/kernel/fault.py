"""The two ways an operation ends other than by returning: a Fault is its answer, a Wait puts it off."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """An error in AWS's terms. The transaction is discarded and the wire renders code, text and members.

    code: the error's code as SDKs see it (`NoSuchBucket`). Where the model has a shape of that code, or of that name, its
    status and query code are used; `status` overrides. headers: more of the response's. members: further fields of its body.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        /,
        *,
        status: int | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        **members: Any,
    ):
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers
        self.members = members

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def not_implemented(what: str) -> Fault:
    """The one answer for what Cloudlet cannot do. `what` names the operation and, where it is one, the parameter."""
    return Fault("NotImplemented", f"Cloudlet does not implement {what}.", status=501)


class Wait(Exception):
    """Raised by a transaction that has nothing to answer yet.

    The kernel discards the transaction, and runs it again when one of `keys` is touched (`tx.touch`) or the clock
    reaches `until` (milliseconds). A key is whatever the writer touches: a str or a tuple. keep: what was written so far
    is committed instead of discarded.
    """

    def __init__(self, keys: list[Any], until: int, *, keep: bool = False):
        super().__init__()
        self.keys = keys
        self.until = until
        self.keep = keep
