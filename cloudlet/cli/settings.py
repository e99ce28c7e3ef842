"""How a server runs: from the command line's options and the environment variables that LocalStack has (ours override them).

A variable counts only where the command line is silent. Variables are read here and nowhere else.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import msgspec

DEFAULT_PORT = 4566
_PASSED_ON = ("LOCALSTACK_HOST", "SQS_ENDPOINT_STRATEGY", "SQS_DELAY_RECENTLY_DELETED", "SQS_DELAY_PURGE_RETRY")
_FALSE = ("", "0", "false", "no", "off")


class Options(msgspec.Struct, frozen=True):
    """listen: (host, port) pairs. ephemeral: the data folder goes with the server. secrets: by access key."""

    listen: list[tuple[str, int]]
    data: Path
    ephemeral: bool
    durability: str
    workers: int
    services: frozenset[str] | None
    verify_signatures: bool
    secrets: dict[str, str]
    debug: bool
    eager: bool
    options: dict[str, str]

    @property
    def endpoint(self) -> str:
        host, port = self.listen[0]
        return f"http://{'localhost' if host in ('0.0.0.0', '::', '127.0.0.1', '') else host}:{port}"


class Wrong(Exception):
    """An option or variable that cannot be; the text is what the user is told."""


def read(given: Namespace, environment: Mapping[str, str]) -> Options:
    """Raises Wrong."""
    ephemeral = given.ephemeral or (given.data is None and _is_off(environment, "PERSISTENCE"))
    data = given.data or environment.get("CLOUDLET_DATA")
    if ephemeral and given.data:
        raise Wrong("--ephemeral and --data exclude each other.")
    folder = Path(tempfile.mkdtemp(prefix="cloudlet-")) if ephemeral else Path(data or ".cloudlet")
    durability = given.durability or environment.get("CLOUDLET_DURABILITY", "process")
    if durability not in ("process", "disk"):
        raise Wrong(f"The durability must be process or disk, not {durability}.")
    if given.workers < 1 or given.workers > 64:
        raise Wrong("--workers takes a number from 1 to 64.")
    named = given.services or environment.get("SERVICES", "")
    services = frozenset(name.strip() for name in named.split(",") if name.strip()) or None
    return Options(
        listen=_listen(given, environment),
        data=folder.absolute(),
        ephemeral=ephemeral,
        durability=durability,
        workers=given.workers,
        services=services,
        verify_signatures=given.verify_signatures,
        secrets=_secrets(environment.get("CLOUDLET_SECRETS", "")),
        debug=given.debug or _is_on(environment, "DEBUG") or environment.get("LS_LOG") in ("debug", "trace"),
        eager=_is_on(environment, "EAGER_SERVICE_LOADING"),
        options={name: environment[name] for name in _PASSED_ON if name in environment},
    )


def _listen(given: Namespace, environment: Mapping[str, str]) -> list[tuple[str, int]]:
    pairs: list[tuple[str, int]] = []
    if given.host or given.port is not None:
        pairs.append((given.host or "localhost", DEFAULT_PORT if given.port is None else given.port))
    else:
        for entry in environment.get("GATEWAY_LISTEN", "").split(","):
            if entry.strip():
                host, _, port = entry.strip().rpartition(":")
                pairs.append((host or "0.0.0.0", _port(port)))
        pairs = pairs or [("localhost", _port(environment.get("EDGE_PORT", str(DEFAULT_PORT))))]
    if given.s3_port is not None:
        pairs.append((pairs[0][0], given.s3_port))
    return pairs


def _secrets(text: str) -> dict[str, str]:
    """`AKIDONE:secret,AKIDTWO:secret`: the access keys that --verify-signatures knows, besides test."""
    pairs = [entry.strip().partition(":") for entry in text.split(",") if entry.strip()]
    if any(not key or not secret for key, _, secret in pairs):
        raise Wrong("CLOUDLET_SECRETS holds access keys and secrets as KEY:SECRET,KEY:SECRET.")
    return {"test": "test", **{key: secret for key, _, secret in pairs}}


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise Wrong(f"{text!r} is not a port.")
    return int(text)


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() not in _FALSE


def _is_off(environment: Mapping[str, str], name: str) -> bool:
    return name in environment and environment[name].lower() in _FALSE
