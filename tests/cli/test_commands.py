"""The `cloudlet` command, as a user runs it: real processes, real ports."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from cloudlet import __version__
from cloudlet.kernel.store import FORMAT, Store
from tests.conftest import connect


class Shell:
    """Runs commands in a folder, against the server started there."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str, expect: int = 0, **variables: str) -> str:
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
        done = subprocess.run(
            [sys.executable, "-m", "cloudlet", *arguments],
            cwd=self.folder,
            env={**kept, "CLOUDLET_ENDPOINT": self.endpoint, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout if expect == 0 else done.stderr

    def start(self, *options: str, **variables: str) -> str:
        return self.run("start", "-d", "--host", "127.0.0.1", "--port", str(self.port), *options, **variables)

    def get(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoint + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    subprocess.run(
        [sys.executable, "-m", "cloudlet", "stop", "--endpoint", made.endpoint], capture_output=True, timeout=60, check=False
    )


def test_a_first_session(shell: Shell) -> None:
    told = shell.start()
    assert (
        told == f"Cloudlet {__version__}\nEndpoint: http://localhost:{shell.port}\nState:    {shell.folder}/.cloudlet\nReady.\n"
    )
    assert shell.run("wait", "-t", "10") == "ready\n"
    assert re.fullmatch(rf"Cloudlet {__version__} at .*, process \d+, state in .*\n", shell.run("status"))
    assert [line.split() for line in shell.run("status", "services").splitlines()] == [["s3", "running"], ["sqs", "running"]]
    sqs = connect(shell.endpoint, "sqs")
    sqs.create_queue(QueueName="kept")
    assert "sqs: 23 of 23 operations" in shell.run("services")
    assert shell.run("stop") == "stopped\n"
    shell.start()
    assert [url.rsplit("/")[-1] for url in sqs.list_queues()["QueueUrls"]] == ["kept"]
    assert shell.run("reset") == "all state is gone\n"
    assert "QueueUrls" not in sqs.list_queues()


def test_the_clock(shell: Shell) -> None:
    shell.start("--ephemeral")
    before = shell.get("/_cloudlet/clock")["now"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n", shell.run("clock", "show"))
    shell.run("clock", "advance", "36h")
    assert shell.get("/_cloudlet/clock")["now"] - before >= 36 * 3600 * 1000
    assert "(frozen)" in shell.run("clock", "freeze")
    stands = shell.get("/_cloudlet/clock")
    assert shell.get("/_cloudlet/clock") == stands == {"now": stands["now"], "frozen": True}
    shell.run("clock", "resume")
    assert shell.get("/_cloudlet/clock")["frozen"] is False
    assert "write 250ms, 90s, 15m" in shell.run("clock", "advance", "soon", expect=1)
    assert "say by how much" in shell.run("clock", "advance", expect=1)


def test_the_environment_for_other_tools(shell: Shell) -> None:
    shell.start("--ephemeral")
    lines = shell.run("env").splitlines()
    assert lines[:4] == [
        f"export AWS_ENDPOINT_URL={shell.endpoint}",
        "export AWS_ACCESS_KEY_ID=test",
        "export AWS_SECRET_ACCESS_KEY=test",
        "export AWS_DEFAULT_REGION=us-east-1",
    ]
    assert re.fullmatch(r"# for https:// on the same port: export AWS_CA_BUNDLE=/.*/tls/ca\.pem", lines[4])


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["start", "--wat"], 2, "cloudlet: unrecognized arguments: --wat (see cloudlet --help)\n"),
        (["dance"], 2, "invalid choice: 'dance'"),
        (["start", "--durability", "eternal"], 1, "cloudlet: The durability must be process or disk, not eternal.\n"),
        (["start", "--workers", "0"], 1, "cloudlet: --workers takes a number from 1 to 64.\n"),
        (["start", "--ephemeral", "--data", "x"], 1, "cloudlet: --ephemeral and --data exclude each other.\n"),
        (["start", "--host", "no.such.host.invalid"], 1, "cloudlet: The host no.such.host.invalid is not known.\n"),
        (["status"], 1, "cloudlet: no server answers at"),
        (["stop"], 1, "cloudlet: no server answers at"),
        (["wait", "-t", "0.2"], 1, "is not ready after 0.2 seconds\n"),
        (["logs"], 1, "cloudlet: no server answers at"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(shell: Shell, arguments: list[str], status: int, complaint: str) -> None:
    told = shell.run(*arguments, expect=status)
    assert complaint in told
    assert told.count("\n") == 1


def test_a_port_a_folder_and_a_store_that_cannot_be_used(shell: Shell) -> None:
    shell.start()
    taken = shell.run("start", "--host", "127.0.0.1", "--port", str(shell.port), "--data", "other", expect=1)
    why = "is taken or cannot be used (Address already in use); choose another with --port."
    assert taken == f"cloudlet: Port {shell.port} on 127.0.0.1 {why}\n"
    assert "is in use by another Cloudlet" in shell.run("start", "--host", "127.0.0.1", "--port", "0", expect=1)
    newer = shell.folder / "newer" / "state.db"
    Store(newer).close()
    db = apsw.Connection(str(newer))
    db.pragma("user_version", FORMAT + 1)
    db.close()
    told = shell.run("start", "--host", "127.0.0.1", "--port", "0", "--data", "newer", expect=1)
    assert "was written by a newer Cloudlet" in told.splitlines()[-1]


def test_localstacks_surface(shell: Shell) -> None:
    shell.start(SERVICES="sqs", PERSISTENCE="0", DEBUG="1", LOCALSTACK_HOST="cloud.example:4566", SQS_ENDPOINT_STRATEGY="path")
    health = shell.get("/_localstack/health")
    assert health == {"services": {"sqs": "running", "s3": "disabled"}, "edition": "cloudlet", "version": __version__}
    info = shell.get("/_localstack/info")
    assert (info["version"], info["is_license_activated"]) == (__version__, False)
    sqs = connect(shell.endpoint, "sqs")
    assert sqs.create_queue(QueueName="q")["QueueUrl"] == "http://cloud.example:4566/queue/us-east-1/000000000000/q"
    assert shell.get("/_localstack/state/reset", "POST") == {}
    assert "QueueUrls" not in sqs.list_queues()
    with pytest.raises(Exception, match="switched off"):
        connect(shell.endpoint, "s3").list_buckets()
    assert not (shell.folder / ".cloudlet").exists()


def test_init_hooks_run_in_order(shell: Shell) -> None:
    ready = shell.folder / "init" / "ready.d"
    ready.mkdir(parents=True)
    (ready / "01-queues.sh").write_text('echo "first, at $AWS_ENDPOINT_URL"; test "$AWS_ACCESS_KEY_ID" = test\n')
    script = "import boto3; print(boto3.client('sqs').create_queue(QueueName='made'))"
    (ready / "02-more.py").write_text(script)
    (ready / "03-broken.sh").write_text("exit 3\n")
    (ready / "notes.txt").write_text("not a script")
    shell.start("--ephemeral")
    shell.run("wait", "-t", "30")
    state = shell.get("/_localstack/init")
    assert state["completed"] == {"BOOT": True, "START": True, "READY": True, "SHUTDOWN": False}
    assert [(s["stage"], s["name"], s["state"]) for s in state["scripts"]] == [
        ("READY", "01-queues.sh", "SUCCESSFUL"),
        ("READY", "02-more.py", "SUCCESSFUL"),
        ("READY", "03-broken.sh", "ERROR"),
    ]
    assert shell.get("/_localstack/init/ready")["completed"] is True
    assert connect(shell.endpoint, "sqs").get_queue_url(QueueName="made")
    log = shell.run("logs")
    assert f"first, at http://localhost:{shell.port}" in log
    assert "03-broken.sh ended with status 3" in log
    assert log.index("01-queues.sh") < log.index("02-more.py") < log.index("03-broken.sh")


def test_a_second_port_for_s3(shell: Shell) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shell.start("--ephemeral", "--s3-port", str(port))
    s3 = connect(f"http://127.0.0.1:{port}", "s3")
    s3.create_bucket(Bucket="mlflow-artifacts")
    assert [b["Name"] for b in connect(shell.endpoint, "s3").list_buckets()["Buckets"]] == ["mlflow-artifacts"]


def test_workers_share_everything(shell: Shell) -> None:
    shell.start("--workers", "2", "--ephemeral")
    clients = [connect(shell.endpoint, "sqs") for _ in range(6)]  # a connection each, spread over the workers
    url = clients[0].create_queue(QueueName="shared")["QueueUrl"]
    for number in range(60):
        clients[number % 6].send_message(QueueUrl=url, MessageBody=str(number))
    bodies: list[str] = []
    while len(bodies) < 60:
        found = clients[len(bodies) % 6].receive_message(QueueUrl=url, MaxNumberOfMessages=7)
        bodies += [message["Body"] for message in found["Messages"]]
    assert sorted(bodies, key=int) == [str(number) for number in range(60)]
    shell.run("clock", "advance", "1h")
    counts = [client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]) for client in clients]
    assert {found["Attributes"]["ApproximateNumberOfMessages"] for found in counts} == {"60"}
