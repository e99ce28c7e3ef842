from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.kernel.keys import Space, after, pack, unpack

parts = st.lists(
    st.one_of(st.none(), st.binary(max_size=6), st.text(max_size=6), st.integers(-(2**63), 2**63 - 1)), max_size=4
).map(tuple)


def _rank(part: object) -> tuple[int, object]:
    """Python cannot compare parts of different types; packed, they sort by type: None, bytes, str, int."""
    if part is None:
        return (0, 0)
    if isinstance(part, bytes):
        return (1, part)
    return (2, part.encode("utf-8", "surrogatepass")) if isinstance(part, str) else (3, part)


@given(parts)
def test_a_tuple_comes_back_as_it_was(value: tuple[object, ...]) -> None:
    assert unpack(pack(value)) == value


@given(parts, parts)
def test_packed_tuples_sort_as_tuples_do(a: tuple[object, ...], b: tuple[object, ...]) -> None:
    assert (pack(a) < pack(b)) == ([_rank(p) for p in a] < [_rank(p) for p in b])


@given(st.binary(min_size=1, max_size=4), st.binary(max_size=4))
def test_after_is_past_every_key_with_the_prefix(prefix: bytes, rest: bytes) -> None:
    assert prefix + rest < after(prefix)


@given(st.text(max_size=4), st.text(max_size=4))
def test_holding_is_the_range_of_texts_that_begin_so(begin: str, text: str) -> None:
    space = Space("s")
    start, end = space.holding(begin)
    assert (start <= space.key(text, 1) < end) == text.startswith(begin)


def test_a_part_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="not float"):
        pack((1.5,))
    with pytest.raises(OverflowError):
        pack((2**63,))


def test_spaces_nest() -> None:
    space = Space("sqs", "000000000000")("us-east-1")
    assert space.parts(space.key("orders", 7)) == ("orders", 7)
    assert repr(space) == "Space('sqs', '000000000000', 'us-east-1')"
