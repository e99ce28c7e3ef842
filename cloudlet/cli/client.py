"""The commands that talk to a running server."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cloudlet import __version__

_POLL_SECONDS = 0.05
_STOP_SECONDS = 20.0
Environment = Mapping[str, str]


class _Unreachable(Exception):
    pass


def stop(given: Namespace, environment: Environment) -> int:
    """End the server and wait until its process is gone."""
    endpoint = _endpoint(given, environment)
    try:
        pid = _ask(endpoint, "GET", "/_cloudlet/info").get("pid")
        _ask(endpoint, "POST", "/_localstack/health", {"action": "kill"})
    except _Unreachable:
        return _complain(f"no server answers at {endpoint}")
    deadline = time.monotonic() + _STOP_SECONDS
    while pid and _is_alive(pid):
        if time.monotonic() > deadline:
            return _complain(f"the server (process {pid}) has not ended after {_STOP_SECONDS:.0f} seconds")
        time.sleep(_POLL_SECONDS)
    print("stopped")
    return 0


def status(given: Namespace, environment: Environment) -> int:
    endpoint = _endpoint(given, environment)
    try:
        health = _ask(endpoint, "GET", "/_cloudlet/health")
        info = _ask(endpoint, "GET", "/_cloudlet/info")
    except _Unreachable:
        return _complain(f"no server answers at {endpoint}")
    if given.what == "services":
        for name, state in health["services"].items():
            print(f"{name:24} {state}")
        return 0
    print(f"Cloudlet {info['version']} at {endpoint}, process {info['pid']}, state in {info['data']}")
    return 0


def wait(given: Namespace, environment: Environment) -> int:
    """Until the server answers and its ready hooks have run."""
    endpoint, deadline = _endpoint(given, environment), time.monotonic() + given.timeout
    while time.monotonic() < deadline:
        try:
            if _ask(endpoint, "GET", "/_localstack/init").get("completed", {}).get("READY"):
                print("ready")
                return 0
        except _Unreachable:
            pass
        time.sleep(_POLL_SECONDS)
    return _complain(f"the server at {endpoint} is not ready after {given.timeout:g} seconds")


def logs(given: Namespace, environment: Environment) -> int:
    endpoint = _endpoint(given, environment)
    try:
        path = _ask(endpoint, "GET", "/_cloudlet/info").get("log")
    except _Unreachable:
        path = str(Path(".cloudlet/cloudlet.log")) if Path(".cloudlet/cloudlet.log").exists() else None
        if path is None:
            return _complain(f"no server answers at {endpoint}")
    if not path or not Path(path).exists():
        return _complain("the server was not started with -d: its log is where it was started")
    with open(path, encoding="utf-8", errors="replace") as file:
        while True:
            while text := file.read(65536):
                sys.stdout.write(text)
            sys.stdout.flush()
            if not given.follow:
                return 0
            time.sleep(0.2)


def reset(given: Namespace, environment: Environment) -> int:
    return _say(given, environment, "POST", "/_cloudlet/reset", lambda found: "all state is gone")


def services(given: Namespace, environment: Environment) -> int:
    def table(found: dict[str, Any]) -> str:
        lines = []
        for name, cover in sorted(found.items()):
            done, missing = cover["operations"], cover["missing"]
            lines.append(f"{name}: {len(done)} of {len(done) + len(missing)} operations")
            lines += [f"  {operation}" for operation in done] + [f"  {operation}  (missing)" for operation in missing]
        return "\n".join(lines)

    return _say(given, environment, "GET", "/_cloudlet/services", table)


def clock(given: Namespace, environment: Environment) -> int:
    def show(found: dict[str, Any]) -> str:
        moment = datetime.fromtimestamp(found["now"] / 1000, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{found['now'] % 1000:03d}Z{' (frozen)' if found['frozen'] else ''}"

    if given.action == "show":
        return _say(given, environment, "GET", "/_cloudlet/clock", show)
    if given.action == "advance" and not given.duration:
        return _complain("say by how much: cloudlet clock advance 15m")
    body = {"by": given.duration} if given.action == "advance" else {}
    return _say(given, environment, "POST", f"/_cloudlet/clock/{given.action}", show, body)


def env(given: Namespace, environment: Environment) -> int:
    """The variables that point every AWS SDK and tool at the server; values the user has set already are left alone."""
    endpoint = _endpoint(given, environment)
    print(f"export AWS_ENDPOINT_URL={endpoint}")
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_DEFAULT_REGION", "us-east-1")):
        print(f"export {name}={environment.get(name) or value}")
    try:
        ca = _ask(endpoint, "GET", "/_cloudlet/info").get("ca")
    except _Unreachable:
        ca = None
    if ca:
        print(f"# for https:// on the same port: export AWS_CA_BUNDLE={ca}")
    return 0


def version(given: Namespace, environment: Environment) -> int:
    print(__version__)
    return 0


def _say(given: Namespace, environment: Environment, method: str, path: str, show: Any, body: Any = None) -> int:
    endpoint = _endpoint(given, environment)
    try:
        found = _ask(endpoint, method, path, body)
    except _Unreachable:
        return _complain(f"no server answers at {endpoint}")
    if found.get("code"):
        return _complain(found["message"])
    print(show(found))
    return 0


def _endpoint(given: Namespace, environment: Environment) -> str:
    return given.endpoint or environment.get("CLOUDLET_ENDPOINT") or "http://localhost:4566"


def _ask(endpoint: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    parts = urlsplit(endpoint if "//" in endpoint else f"http://{endpoint}")
    connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port or 4566, timeout=300)
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body))
        found: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Unreachable from error
    finally:
        connection.close()
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _complain(text: str) -> int:
    print(f"cloudlet: {text}", file=sys.stderr)
    return 1
