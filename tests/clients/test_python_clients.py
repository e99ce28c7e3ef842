"""Libraries that bring S3 or SQS clients of their own: C++ (pyarrow), Rust (obstore), kombu (celery), and boto3 with the CRT."""

from __future__ import annotations

import io
import os
import sys
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from tests.clients.conftest import Program
from tests.conftest import connect

pytestmark = pytest.mark.client
MB = 1 << 20


def test_pyarrow(endpoint: str) -> None:
    """The AWS C++ SDK: aws-chunked bodies with checksum trailers, multipart uploads."""
    fs = pytest.importorskip("pyarrow.fs", reason="pyarrow is not installed")
    s3 = fs.S3FileSystem(
        access_key="test",
        secret_key="test",
        region="us-east-1",
        scheme="http",
        endpoint_override=endpoint.removeprefix("http://"),
        allow_bucket_creation=True,
    )
    s3.create_dir("arrow")
    data = os.urandom(12 * MB)
    with s3.open_output_stream("arrow/folder/big.bin") as out:
        for start in range(0, len(data), MB):
            out.write(data[start : start + MB])
    with s3.open_output_stream("arrow/folder/small.txt") as out:
        out.write(b"hello")
    assert s3.get_file_info("arrow/folder/big.bin").size == len(data)
    with s3.open_input_file("arrow/folder/big.bin") as file:
        file.seek(7 * MB)
        assert file.read(100) == data[7 * MB : 7 * MB + 100]
    with s3.open_input_stream("arrow/folder/big.bin") as stream:
        assert stream.read() == data
    s3.copy_file("arrow/folder/small.txt", "arrow/copy.txt")
    listed = s3.get_file_info(fs.FileSelector("arrow", recursive=True))
    assert sorted(info.path for info in listed) == [
        "arrow/copy.txt",
        "arrow/folder",
        "arrow/folder/big.bin",
        "arrow/folder/small.txt",
    ]
    s3.delete_dir("arrow/folder")
    assert [info.path for info in s3.get_file_info(fs.FileSelector("arrow"))] == ["arrow/copy.txt"]
    assert connect(endpoint, "s3").head_object(Bucket="arrow", Key="copy.txt")["ContentLength"] == 5


def test_obstore(endpoint: str) -> None:
    """The Rust object_store: conditional writes, ranges, multipart uploads, signed URLs."""
    obstore = pytest.importorskip("obstore", reason="obstore is not installed")
    store_class = pytest.importorskip("obstore.store").S3Store
    connect(endpoint, "s3").create_bucket(Bucket="rust")
    store = store_class(
        "rust",
        endpoint=endpoint,
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    data = os.urandom(11 * MB)
    obstore.put(store, "big", io.BytesIO(data), chunk_size=5 * MB)
    assert bytes(obstore.get(store, "big").bytes()) == data
    assert bytes(obstore.get_range(store, "big", start=5, end=25)) == data[5:25]
    first = obstore.put(store, "once", b"1", mode="create")
    with pytest.raises(Exception, match="already exists"):
        obstore.put(store, "once", b"2", mode="create")
    obstore.put(store, "once", b"3", mode={"e_tag": first["e_tag"]})
    assert [entry["path"] for batch in obstore.list(store) for entry in batch] == ["big", "once"]
    obstore.copy(store, "once", "dir/copy")
    found = obstore.list_with_delimiter(store)
    assert (found["common_prefixes"], sorted(entry["path"] for entry in found["objects"])) == (["dir"], ["big", "once"])
    assert obstore.sign(store, "GET", "once", timedelta(minutes=5)).startswith(endpoint)
    obstore.delete(store, ["big", "once", "dir/copy"])
    assert list(obstore.list(store)) == []


def test_celery(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task goes through SQS to a worker, with a countdown and a retry."""
    celery = pytest.importorskip("celery", reason="celery is not installed")
    pytest.importorskip("pycurl", reason="celery[sqs] is not installed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    url = endpoint.removeprefix("http://")
    app = celery.Celery("orders", broker=f"sqs://test:test@{url}")
    app.conf.update(
        broker_transport_options={"region": "us-east-1", "is_secure": False, "wait_time_seconds": 1, "polling_interval": 0.1},
        task_default_queue="celery-orders",
        worker_enable_remote_control=False,
    )
    ran: list[int] = []

    @app.task(bind=True, max_retries=3, default_retry_delay=0)
    def add(self: object, number: int) -> None:
        ran.append(number)
        if number == 2 and ran.count(2) == 1:
            raise self.retry(countdown=0)  # type: ignore[attr-defined]

    for number in (1, 2, 3):
        add.delay(number)
    start_worker = pytest.importorskip("celery.contrib.testing.worker").start_worker
    sqs = connect(endpoint, "sqs")
    queue = sqs.get_queue_url(QueueName="celery-orders")["QueueUrl"]
    with start_worker(app, perform_ping_check=False, pool="solo", shutdown_timeout=30):
        for _ in range(200):
            counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
            if len(ran) >= 4 and counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0":
                break
            sqs.receive_message(QueueUrl=sqs.create_queue(QueueName="pause")["QueueUrl"], WaitTimeSeconds=1)
    assert sorted(ran) == [1, 2, 2, 3]


_TRANSFER = """
import sys, os
if sys.argv[1] == "without":
    sys.modules["awscrt"] = None
import boto3
from boto3.s3.transfer import TransferConfig
s3 = boto3.client("s3")
s3.create_bucket(Bucket="transfers")
data = os.urandom(20 << 20)
open("up", "wb").write(data)
algorithms = ["CRC32", "SHA1", "SHA256"] + (["CRC32C", "CRC64NVME"] if sys.argv[1] == "with" else [])
for algorithm in algorithms:
    extra = {"ChecksumAlgorithm": algorithm, "Metadata": {"kind": algorithm}}
    s3.upload_file("up", "transfers", algorithm, Config=TransferConfig(multipart_threshold=8 << 20), ExtraArgs=extra)
    s3.download_file("transfers", algorithm, "down")
    assert open("down", "rb").read() == data
    s3.put_object(Bucket="transfers", Key="small", Body=b"hello", ChecksumAlgorithm=algorithm)
    found = s3.get_object(Bucket="transfers", Key="small", ChecksumMode="ENABLED")
    assert found["Body"].read() == b"hello" and found["Checksum" + algorithm], found
print(len(algorithms))
"""


@pytest.mark.parametrize(("crt", "algorithms"), [("with", "5"), ("without", "3")])
def test_boto3_with_and_without_awscrt(endpoint: str, tmp_path: Path, crt: str, algorithms: str) -> None:
    """Large files up and down with every checksum that each kind of boto3 can make."""
    assert Program(sys.executable, endpoint, tmp_path).run("-c", _TRANSFER, crt).strip() == algorithms


def test_a_presigned_url_needs_no_credentials(endpoint: str) -> None:
    requests = pytest.importorskip("urllib3")
    s3 = connect(endpoint, "s3")
    s3.create_bucket(Bucket="presigned")
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "presigned", "Key": "a b/ü"}, ExpiresIn=60)
    assert requests.request("PUT", put, body=b"hello").status == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "a b/ü"}, ExpiresIn=60)
    assert requests.request("GET", get).data == b"hello"


def test_the_default_session_needs_only_the_endpoint(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the five systems do it: environment variables alone."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-2",
    }.items():
        monkeypatch.setenv(name, value)
    session = boto3.session.Session()
    s3 = session.resource("s3")
    s3.create_bucket(Bucket="stocktool-knowledge", CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    s3.Object("stocktool-knowledge", "a.txt").put(Body=b"hello")
    assert [summary.key for summary in s3.Bucket("stocktool-knowledge").objects.all()] == ["a.txt"]
    queue = session.resource("sqs").create_queue(QueueName="stocktool-analysis-queue")
    queue.send_message(MessageBody="hello")
    assert [message.body for message in queue.receive_messages()] == ["hello"]
