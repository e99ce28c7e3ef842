"""What the wire knows of HTTP: a request to read and a response to write."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl


class Request:
    """method, raw path (still percent-encoded), raw query, headers (names in lower case) and body.

    body: the bytes; for a streaming operation the gateway's stream object.
    """

    def __init__(self, method: str, path: str, query_string: str, headers: dict[str, str], body: Any = b""):
        self.method = method
        self.path = path
        self.query_string = query_string
        self.headers = headers
        self.body = body

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """The query's items, decoded, in order."""
        return parse_qsl(self.query_string, keep_blank_values=True) if self.query_string else []

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's items by name, the last of each."""
        return dict(self.pairs) if self.query_string else {}


class Response:
    """body: bytes, or for a streaming result whatever the operation gave (the gateway knows how to send it)."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[str, str]], body: Any = b""):
        self.status = status
        self.headers = headers
        self.body = body


_OF_VALUES = ("SerializationException", "MalformedInput")


class Malformed(Exception):
    """The message cannot be read as its shape. `code` is AWS's for the protocol, or for the kind of value."""

    def __init__(self, message: str, code: str = "SerializationException"):
        super().__init__(message)
        self.message = message
        self.code = code

    def called(self, code: str) -> Malformed:
        """The same under a service's own code, where it has one and the error is about a value."""
        return Malformed(self.message, code) if code and self.code in _OF_VALUES else self
