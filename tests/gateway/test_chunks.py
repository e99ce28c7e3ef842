"""`aws-chunked` bodies, however the network cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.gateway.body import AwsChunked
from cloudlet.kernel.fault import Fault


def _encoded(chunks: list[bytes], trailers: dict[str, str], signed: bool) -> bytes:
    extension = b";chunk-signature=" + b"0" * 64 if signed else b""
    out = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks if chunk)
    out += b"0" + extension + b"\r\n"
    return out + b"".join(f"{name}:{value}\r\n".encode() for name, value in trailers.items()) + b"\r\n"


def _feed(raw: bytes, cuts: list[int]) -> tuple[bytes, AwsChunked]:
    decoder, out, at = AwsChunked(), b"", 0
    for cut in [*sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]:
        out += b"".join(decoder.feed(raw[at:cut]))
        at = cut
    return out, decoder


@given(
    st.lists(st.binary(max_size=40), max_size=5),
    st.dictionaries(st.sampled_from(["x-amz-checksum-crc32", "x-amz-trailer-signature"]), st.just("abc="), max_size=2),
    st.booleans(),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_a_body_is_decoded_however_it_is_cut(
    chunks: list[bytes], trailers: dict[str, str], signed: bool, cuts: list[int]
) -> None:
    decoded, decoder = _feed(_encoded(chunks, trailers, signed), cuts)
    assert (decoded, decoder.trailers, decoder.ended) == (b"".join(chunks), trailers, True)


@pytest.mark.parametrize("raw", [b"zz\r\n", b"-5\r\n", b"\r\n", b"5\r\nhelloworld\r\n", b"1" * 2000, b"0x5\r\n" + b"!" * 2000])
def test_what_is_no_chunk_is_refused(raw: bytes) -> None:
    with pytest.raises(Fault, match="IncompleteBody"):
        AwsChunked().feed(raw)


def test_a_body_without_its_end_has_not_ended() -> None:
    decoder = AwsChunked()
    assert decoder.feed(b"5\r\nhello\r\n") == [b"hello"]
    decoder.finish()
    assert not decoder.ended


def test_a_last_chunk_without_its_empty_line_is_an_end() -> None:
    decoder = AwsChunked()
    decoder.feed(b"5\r\nhello\r\n0\r\n")
    decoder.finish()
    assert decoder.ended
