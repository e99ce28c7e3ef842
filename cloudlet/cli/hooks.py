"""Init hooks: the scripts of `/etc/localstack/init/<stage>.d` and `./init/<stage>.d`, run in the order of their names.

`.sh` files run with sh (bash where there is one), `.py` files with this Python; both with the AWS_* variables set, so that boto3,
aws and awslocal reach this server. Their output goes to the log. A script that fails is reported, and the next one runs.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STAGES = ("BOOT", "START", "READY", "SHUTDOWN")
_ROOTS = (Path("/etc/localstack/init"), Path("init"), Path("/etc/cloudlet/init"))
_log = logging.getLogger("cloudlet.init")


class Hooks:
    """state: what `/_localstack/init` shows."""

    def __init__(self, endpoint: str, environment: Mapping[str, str]):
        self._environment = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            **environment,
            "AWS_ENDPOINT_URL": endpoint,
        }
        self.state: dict[str, Any] = {"completed": dict.fromkeys(STAGES, False), "scripts": []}
        for stage in STAGES:
            for path in scripts(stage):
                self.state["scripts"].append({"stage": stage, "name": path.name, "path": str(path), "state": "UNKNOWN"})

    async def run(self, stage: str) -> None:
        """Run a stage's scripts one after another."""
        for script in self.state["scripts"]:
            if script["stage"] == stage:
                script["state"] = "RUNNING"
                script["state"] = "SUCCESSFUL" if await self._run(Path(script["path"])) else "ERROR"
        self.state["completed"][stage] = True

    async def _run(self, path: Path) -> bool:
        command = [sys.executable, str(path)] if path.suffix == ".py" else [shutil.which("bash") or "sh", str(path)]
        _log.info("init: running %s", path)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment,
            )
        except OSError as error:
            _log.error("init: %s cannot be run: %s", path, error)
            return False
        assert process.stdout
        async for line in process.stdout:
            _log.info("init: %s: %s", path.name, line.decode(errors="replace").rstrip())
        status = await process.wait()
        if status:
            _log.error("init: %s ended with status %d", path, status)
        return status == 0


def scripts(stage: str) -> list[Path]:
    """A stage's scripts in the order in which they run: by folder, then by path."""
    found: list[Path] = []
    for root in _ROOTS:
        folder = root / f"{stage.lower()}.d"
        if folder.is_dir():
            found += sorted(path.absolute() for path in folder.rglob("*") if path.suffix in (".sh", ".py") and path.is_file())
    return found
