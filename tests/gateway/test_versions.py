"""HTTP/2 by prior knowledge and by ALPN, and TLS, all on the one port."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import boto3
import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.gateway.tls import ca_file
from cloudlet.testing.server import InProcessServer
from tests.gateway.raw import JSON_1_0, resident_bytes, scope, settle

LARGE = 8 * 1024 * 1024
S3 = {"authorization": scope("s3")}


class Answer:
    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ended = False

    @property
    def status(self) -> str:
        return self.headers[":status"]


class Client:
    """An HTTP/2 connection, driven by hand."""

    def __init__(self, connected: socket.socket, *, window: int = 65_535):
        self.socket = connected
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        self.h2.initiate_connection()
        if window != 65_535:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
            self.h2.increment_flow_control_window(window - 65_535)
        self.answers: dict[int, Answer] = {}
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def open(self, method: str, path: str, *, end: bool = True, **headers: str) -> int:
        number = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "localhost")]
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.h2.send_headers(number, fields, end_stream=end)
        self.answers[number] = Answer()
        self.flush()
        return number

    def upload(self, number: int, body: bytes) -> None:
        view = memoryview(body)
        while view:
            room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            if not room:
                self.receive()
                continue
            self.h2.send_data(number, bytes(view[:room]))
            view = view[room:]
            self.flush()
        self.h2.end_stream(number)
        self.flush()

    def receive(self, *, take: bool = True) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server has closed")
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.answers[event.stream_id].headers = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id].body += event.data
                if take:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.answers[event.stream_id].ended = True
        self.flush()

    def wait(self, number: int) -> Answer:
        while not self.answers[number].ended:
            self.receive()
        return self.answers[number]

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        number = self.open(method, path, end=not body, **headers)
        if body:
            self.upload(number, body)
        return self.wait(number)

    def sqs(self, operation: str, **req: Any) -> int:
        body = json.dumps(req).encode()
        target = f"AmazonSQS.{operation}"
        number = self.open("POST", "/", end=False, x_amz_target=target, content_type=JSON_1_0, authorization=scope("sqs"))
        self.upload(number, body)
        return number


def _connected(cloud: InProcessServer, receive_buffer: int | None = None) -> socket.socket:
    made = socket.socket()
    made.settimeout(10)
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.connect(("127.0.0.1", cloud.port))
    return made


@pytest.fixture
def http2(cloud: InProcessServer) -> Iterator[Client]:
    with _connected(cloud) as connected:
        yield Client(connected)


def _secured(cloud: InProcessServer, *protocols: str) -> ssl.SSLSocket:
    _certify(cloud)
    context = ssl.create_default_context(cafile=str(ca_file(cloud.cloud.settings.data)))
    context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(_connected(cloud), server_hostname="localhost")


def _certify(cloud: InProcessServer) -> None:
    """The certificate is made when the first client comes with TLS; that one need not trust it."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    trusting.wrap_socket(_connected(cloud)).close()


def test_http2_by_prior_knowledge(http2: Client) -> None:
    assert json.loads(http2.wait(http2.sqs("CreateQueue", QueueName="q")).body) == {"QueueUrl": "http://localhost/000000000000/q"}
    assert http2.ask("HEAD", "/none", **S3).status == "404"
    assert http2.ask("OPTIONS", "*").status in ("400", "405")
    assert http2.ask("GET", "/_localstack/health").status == "200"


def test_many_streams_at_once(http2: Client) -> None:
    url = json.loads(http2.wait(http2.sqs("CreateQueue", QueueName="q")).body)["QueueUrl"]
    poll = http2.sqs("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
    numbers = [http2.sqs("SendMessage", QueueUrl=url, MessageBody=str(number)) for number in range(50)]
    assert {http2.wait(number).status for number in numbers} == {"200"}
    assert json.loads(http2.wait(poll).body)["Messages"][0]["Body"] == "0"


def test_a_stream_that_is_reset_takes_no_message(cloud: InProcessServer, http2: Client, client: Any) -> None:
    url = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    poll = http2.sqs("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
    settle(cloud)
    http2.h2.reset_stream(poll)
    http2.flush()
    assert http2.ask("GET", "/_localstack/health").status == "200"
    client("sqs").send_message(QueueUrl=url, MessageBody="kept")
    assert client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"


def test_large_bodies_both_ways(http2: Client, client: Any) -> None:
    client("s3").create_bucket(Bucket="bucket")
    body = hashlib.sha256(b"seed").digest() * (LARGE // 32)
    assert http2.ask("PUT", "/bucket/key", body, content_length=str(LARGE), **S3).status == "200"
    answer = http2.ask("GET", "/bucket/key", **S3)
    assert (answer.headers["content-length"], answer.body == body) == (str(LARGE), True)


def test_an_early_error_while_the_body_comes(http2: Client) -> None:
    number = http2.open("PUT", "/no-bucket/key", end=False, content_length=str(LARGE), **S3)
    http2.upload(number, bytes(LARGE))
    assert b"NoSuchBucket" in http2.wait(number).body
    assert http2.ask("GET", "/_localstack/health").status == "200"


def test_a_window_opened_by_settings(cloud: InProcessServer, client: Any) -> None:
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="key", Body=bytes(50_000))
    with _connected(cloud) as connected:
        made = Client(connected)
        made.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1000})
        made.flush()
        number = made.open("GET", "/bucket/key", **S3)
        while len(made.answers[number].body) < 1000:
            made.receive(take=False)
        made.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 65_535})
        made.flush()
        assert made.wait(number).body == bytes(50_000)


def test_a_slow_reader_with_a_wide_window_costs_no_memory(cloud: InProcessServer, client: Any) -> None:
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="key", Body=bytes(8 * LARGE))
    with _connected(cloud, receive_buffer=4096) as connected:
        made = Client(connected, window=2**31 - 1)
        before = resident_bytes()
        made.open("GET", "/bucket/key", **S3)
        for _ in range(50):
            made.receive()
            settle(cloud)
        assert resident_bytes() - before < LARGE * 3


def test_headers_that_are_no_utf_8(http2: Client, client: Any) -> None:
    client("s3").create_bucket(Bucket="bucket")
    assert http2.ask("PUT", "/bucket/key", b"x", x_amz_meta_name=b"\xff\xe9", **S3).status == "200"  # type: ignore[arg-type]
    assert http2.ask("GET", "/bucket/key", **S3).headers["x-amz-meta-name"].startswith("=?UTF-8?")


@pytest.mark.parametrize("value", ["%20a%20", "a%00b", "a%0d%0aSet-Cookie:%20b", "%ff", "", "%7f"])
def test_whatever_a_header_holds_can_be_sent(http2: Client, client: Any, value: str) -> None:
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="key", Body=b"x")
    answer = http2.ask("GET", f"/bucket/key?response-content-type={value}&response-cache-control=a", **S3)
    assert answer.status in ("200", "400")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("sent", [b"\x00" * 100, b"\xff" * 9, b"GET / HTTP/1.1\r\n\r\n", b"\x00\xff\xff\x00\x00\x00\x00\x00\x01"])
def test_what_is_no_http2_closes_the_connection(cloud: InProcessServer, sent: bytes) -> None:
    with _connected(cloud) as connected:
        connected.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + sent)
        connected.shutdown(socket.SHUT_WR)
        while connected.recv(65_536):
            pass


def test_a_preface_byte_by_byte(cloud: InProcessServer) -> None:
    with _connected(cloud) as connected:
        made = Client.__new__(Client)
        made.socket, made.answers = connected, {}
        made.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        made.h2.initiate_connection()
        for byte in made.h2.data_to_send():
            connected.sendall(bytes([byte]))
            settle(cloud)
        assert made.ask("GET", "/_localstack/health").status == "200"


def test_tls_with_the_generated_authority(cloud: InProcessServer) -> None:
    with _secured(cloud, "http/1.1") as secured:
        assert secured.selected_alpn_protocol() == "http/1.1"
    sqs = boto3.client(
        "sqs",
        endpoint_url=f"https://localhost:{cloud.port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        verify=str(ca_file(cloud.cloud.settings.data)),
    )
    assert sqs.create_queue(QueueName="q")["QueueUrl"] == f"https://localhost:{cloud.port}/000000000000/q"
    s3 = boto3.client(
        "s3",
        endpoint_url=f"https://localhost:{cloud.port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        verify=str(ca_file(cloud.cloud.settings.data)),
    )
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=bytes(LARGE))
    assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == bytes(LARGE)


def test_http2_by_alpn(cloud: InProcessServer) -> None:
    with _secured(cloud, "h2", "http/1.1") as secured:
        assert secured.selected_alpn_protocol() == "h2"
        made = Client(secured)
        assert (
            json.loads(made.wait(made.sqs("CreateQueue", QueueName="q")).body)["QueueUrl"] == "https://localhost/000000000000/q"
        )


def test_a_handshake_that_fails_hurts_nobody(cloud: InProcessServer) -> None:
    with _connected(cloud) as connected:
        connected.sendall(b"\x16\x03\x01\x00\x05hello")
        while connected.recv(1000):
            pass
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(_connected(cloud), server_hostname="localhost")
    with _secured(cloud, "h2") as secured:
        assert Client(secured).ask("GET", "/_localstack/health").status == "200"


FRAME = st.tuples(st.integers(0, 12), st.integers(0, 255), st.sampled_from([0, 1, 2, 3, 2**31 - 1]), st.binary(max_size=40))


@settings(derandomize=True, database=None, deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(FRAME, max_size=6), st.booleans())
def test_random_frames(cloud: InProcessServer, frames: list[tuple[int, int, int, bytes]], started: bool) -> None:
    """They are answered in frames, or the connection is closed; the server lives on."""
    with _connected(cloud) as connected:
        if started:
            Client(connected).open("POST", "/", end=False, x_amz_target="AmazonSQS.ListQueues", authorization=scope("sqs"))
        else:
            connected.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        sent = (
            len(p).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + p for kind, flags, stream, p in frames
        )
        with contextlib.suppress(ConnectionError):
            connected.sendall(b"".join(sent))
            connected.shutdown(socket.SHUT_WR)
            while connected.recv(65_536):
                pass


def test_a_slow_reader_over_tls_costs_no_memory(cloud: InProcessServer, client: Any) -> None:
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="key", Body=bytes(8 * LARGE))
    with _secured(cloud, "http/1.1") as secured:
        before = resident_bytes()
        secured.sendall(f"GET /bucket/key HTTP/1.1\r\nhost: localhost\r\nauthorization: {scope('s3')}\r\n\r\n".encode())
        for _ in range(50):
            assert secured.recv(1000)
            settle(cloud)
        assert resident_bytes() - before < LARGE * 3
