"""Command-line programs: awscli (v1 and v2), s3cmd, rclone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import Program, find

pytestmark = pytest.mark.client
MB = 1 << 20


def _aws(version: int, endpoint: str, folder: Path) -> Program:
    candidates = [find("aws")] if version == 1 else ["/usr/bin/aws", "/usr/local/bin/aws"]
    for path in candidates:
        if path and os.path.exists(path):
            told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            if f"aws-cli/{version}." in told.stdout + told.stderr:
                return Program(path, endpoint, folder)
    pytest.skip(f"awscli v{version} is not installed")


@pytest.mark.parametrize("version", [1, 2])
def test_awscli_s3(endpoint: str, tmp_path: Path, version: int) -> None:
    aws = _aws(version, endpoint, tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<p>hello</p>")
    (tmp_path / "site" / "big.bin").write_bytes(os.urandom(9 * MB))
    aws.run("s3", "mb", "s3://my-bucket")
    aws.run("s3", "sync", "site", "s3://my-bucket/site")
    assert "index.html" in aws.run("s3", "ls", "s3://my-bucket/site/")
    aws.run("s3", "cp", "s3://my-bucket/site/big.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == (tmp_path / "site" / "big.bin").read_bytes()
    aws.run("s3", "cp", "-", "s3://my-bucket/piped", text="from a pipe")
    assert aws.run("s3", "cp", "s3://my-bucket/piped", "-") == "from a pipe"
    aws.run("s3", "mv", "s3://my-bucket/piped", "s3://my-bucket/moved")
    head = json.loads(aws.run("s3api", "head-object", "--bucket", "my-bucket", "--key", "site/index.html", "--output", "json"))
    assert (head["ContentType"], head["ContentLength"]) == ("text/html", 12)
    aws.run("s3", "rb", "s3://my-bucket", expect=1)
    aws.run("s3", "rb", "--force", "s3://my-bucket")
    assert aws.run("s3", "ls") == ""


@pytest.mark.parametrize("version", [1, 2])
def test_awscli_sqs(endpoint: str, tmp_path: Path, version: int) -> None:
    """Old v2 releases speak the query protocol to SQS, new ones JSON."""
    aws = _aws(version, endpoint, tmp_path)

    def sqs(*arguments: str) -> dict[str, object]:
        # v1 leaves AWS_ENDPOINT_URL aside for SQS in us-east-1
        found: dict[str, object] = json.loads(aws.run("--endpoint-url", endpoint, "sqs", *arguments, "--output", "json") or "{}")
        return found

    dead = str(sqs("create-queue", "--queue-name", "dead")["QueueUrl"])
    attributes = sqs("get-queue-attributes", "--queue-url", dead, "--attribute-names", "QueueArn")["Attributes"]
    policy = json.dumps({"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": "3"})  # type: ignore[index]
    url = str(
        sqs(
            "create-queue",
            "--queue-name",
            "orders",
            "--attributes",
            json.dumps({"VisibilityTimeout": "0", "RedrivePolicy": policy}),
        )["QueueUrl"]
    )
    sqs(
        "send-message", "--queue-url", url, "--message-body", "hello", "--message-attributes", "n={DataType=Number,StringValue=7}"
    )
    received = sqs("receive-message", "--queue-url", url, "--attribute-names", "All", "--message-attribute-names", "All")
    message = received["Messages"][0]  # type: ignore[index]
    assert message["Body"] == "hello"
    assert message["MessageAttributes"] == {"n": {"StringValue": "7", "DataType": "Number"}}
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    batch = '[{"Id":"a","MessageBody":"1"},{"Id":"b","MessageBody":"2"}]'
    assert len(sqs("send-message-batch", "--queue-url", url, "--entries", batch)["Successful"]) == 2  # type: ignore[arg-type]
    sqs("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    sqs("tag-queue", "--queue-url", url, "--tags", "team=a")
    assert sqs("list-queue-tags", "--queue-url", url) == {"Tags": {"team": "a"}}
    assert sqs("list-queues") == {"QueueUrls": [dead, url]}
    sqs("purge-queue", "--queue-url", url)
    aws.run("--endpoint-url", endpoint, "sqs", "get-queue-url", "--queue-name", "missing", expect=254)
    sqs("delete-queue", "--queue-url", url)


def test_s3cmd(endpoint: str, tmp_path: Path) -> None:
    path = find("s3cmd") or pytest.skip("s3cmd is not installed")
    host = endpoint.removeprefix("http://")
    s3cmd = Program(path, endpoint, tmp_path)
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "big.bin").write_bytes(os.urandom(16 * MB))
    common = [
        "--access_key=test",
        "--secret_key=test",
        f"--host={host}",
        f"--host-bucket={host}",
        "--no-ssl",
        "--no-check-certificate",
    ]
    s3cmd.run(*common, "mb", "s3://cmd")
    s3cmd.run(*common, "put", "a.txt", "s3://cmd/a.txt", "--add-header=x-amz-meta-kind:test")
    s3cmd.run(*common, "put", "big.bin", "s3://cmd/big.bin", "--multipart-chunk-size-mb=5")
    s3cmd.run(*common, "get", "s3://cmd/big.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == (tmp_path / "big.bin").read_bytes()
    s3cmd.run(*common, "cp", "s3://cmd/a.txt", "s3://cmd/copy of a.txt")
    listed = s3cmd.run(*common, "ls", "s3://cmd")
    assert [line.split("s3://cmd/")[1] for line in listed.splitlines()] == ["a.txt", "big.bin", "copy of a.txt"]
    assert "5" in s3cmd.run(*common, "info", "s3://cmd/a.txt")
    s3cmd.run(*common, "del", "--recursive", "--force", "s3://cmd")
    s3cmd.run(*common, "rb", "s3://cmd")


def test_rclone(endpoint: str, tmp_path: Path) -> None:
    path = find("rclone") or pytest.skip("rclone is not installed")
    rclone = Program(path, endpoint, tmp_path)
    remote = f":s3,provider=Other,access_key_id=test,secret_access_key=test,region=us-east-1,endpoint='{endpoint}':"
    folder = tmp_path / "site"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(30):
        (folder / "deep" / f"file {number}.txt").write_text(f"content {number}")
    (folder / "deep" / "er" / "big.bin").write_bytes(os.urandom(12 * MB))
    rclone.run("mkdir", f"{remote}clone")
    rclone.run("sync", str(folder), f"{remote}clone/site", "--s3-chunk-size", "5M", "--s3-upload-cutoff", "5M")
    rclone.run("check", str(folder), f"{remote}clone/site", "--download")
    (folder / "deep" / "file 0.txt").write_text("changed")
    (folder / "deep" / "file 1.txt").unlink()
    rclone.run("sync", str(folder), f"{remote}clone/site")
    assert rclone.run("lsf", "-R", "--files-only", f"{remote}clone").count("\n") == 30
    assert rclone.run("cat", f"{remote}clone/site/deep/file 0.txt") == "changed"
    rclone.run("purge", f"{remote}clone")
