"""Generated values for a model's shapes, and the two forms they have: ours (timestamps as milliseconds) and botocore's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from cloudlet.wire.model import Shape

_DEEPEST = 5
_EMPTIES: tuple[Any, ...] = ({}, [], "", b"")
_TEXT = st.text(alphabet="abcXYZ019 -_.:/<>&\"'é€中😀", min_size=1, max_size=12).map(lambda text: "k" + text.strip() + "z")
_ASCII = st.text(alphabet="abcXYZ019-_.", min_size=1, max_size=12)


def values(shape: Shape, *, depth: int = 0, located: bool = False) -> st.SearchStrategy[Any]:
    """Values of a shape in our own form."""
    if shape.name == "Expires":  # text in the model, a date to botocore
        return st.just("Thu, 01 Jan 2026 00:00:00 GMT")
    made = _SCALARS.get(shape.type)
    if made is not None:
        if shape.type == "string" and shape.traits.get("enum"):
            return st.sampled_from(shape.traits["enum"])
        return _ASCII if located and shape.type == "string" else made
    if shape.traits.get("document"):
        return st.fixed_dictionaries({"any": st.integers(0, 9)})
    if shape.type == "list":
        return st.lists(values(shape.element, depth=depth + 1, located=located), min_size=1, max_size=2)
    if shape.type == "map":
        keys = _ASCII if shape.key.type == "string" and not shape.key.traits.get("enum") else values(shape.key)
        keys = keys.map(str.lower) if located else keys  # a header's name has no case
        return st.dictionaries(keys, values(shape.value, depth=depth + 1, located=located), min_size=1, max_size=2)
    return structures(shape, depth)


@st.composite
def structures(draw: st.DrawFn, shape: Shape, depth: int = 0) -> dict[str, Any]:
    names = [n for n, m in shape.members.items() if not m.traits.get("eventstream")]
    required = set(shape.required)
    if shape.traits.get("union"):
        names = names[:1]
        required = set(names)
    out = {}
    for name in names:
        member = shape.members[name]
        deep = depth >= _DEEPEST and member.type in ("structure", "list", "map")
        if deep or (name not in required and draw(st.integers(0, 3)) == 0):
            continue
        out[name] = draw(values(member, depth=depth + 1, located=bool(member.location)))
    return out


_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXT,
    "character": st.just("x"),
    "integer": st.integers(0, 2**31 - 1),
    "long": st.integers(0, 2**53),
    "bigint": st.integers(0, 2**53),
    "float": st.integers(0, 4000).map(lambda n: n / 4),
    "double": st.integers(0, 4000).map(lambda n: n / 4),
    "boolean": st.booleans(),
    "timestamp": st.integers(0, 4_000_000_000).map(lambda n: n * 1000),
    "blob": st.text(alphabet="\0\n\x7fab=", min_size=1, max_size=20).map(str.encode),
}


def for_botocore(shape: Shape, value: Any) -> Any:
    """The form that botocore takes and gives: timestamps are datetimes."""
    if shape.name == "Expires":
        return datetime(2026, 1, 1, tzinfo=UTC)
    if shape.type == "timestamp":
        return datetime.fromtimestamp(value / 1000, UTC)
    if shape.traits.get("document"):
        return value
    if shape.type == "structure":
        return {name: for_botocore(shape.members[name], item) for name, item in value.items()}
    if shape.type == "list":
        return [for_botocore(shape.element, item) for item in value]
    if shape.type == "map":
        return {key: for_botocore(shape.value, item) for key, item in value.items()}
    return value


def without_empties(value: Any) -> Any:
    """Some protocols cannot tell an empty structure or list from an absent one; and botocore gives some blobs as text."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        kept = {key: without_empties(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in _EMPTIES}
    if isinstance(value, list):
        return [kept for item in value if (kept := without_empties(item)) not in _EMPTIES]
    return value
