"""Real clients against a real server process. Each is skipped, with the reason, where its program is absent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudlet.testing.server import InProcessServer

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv" / "tools"


@pytest.fixture(scope="module")
def server() -> Iterator[InProcessServer]:
    with InProcessServer() as cloud:
        yield cloud


@pytest.fixture
def endpoint(server: InProcessServer) -> str:
    server.reset()
    return server.endpoint


class Program:
    """A program with the AWS_* variables set; `run` gives what it printed and fails the test where it fails."""

    def __init__(self, path: str, endpoint: str, folder: Path):
        self.path = path
        self.endpoint = endpoint
        self.folder = folder

    def run(self, *arguments: str, expect: int = 0, text: str | None = None, **variables: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_PAGER": "",
            **variables,
        }
        done = subprocess.run(
            [self.path, *arguments],
            cwd=self.folder,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == expect, f"{self.path} {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def find(*names: str) -> str | None:
    """The first of these programs that is there: beside this Python, among the installed tools, or on the path."""
    for name in names:
        for folder in (Path(sys.executable).parent, *sorted(TOOLS.glob("*/bin"))):
            if (folder / name).exists():
                return str(folder / name)
        if found := shutil.which(name):
            return found
    return None
