from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import MalformedError
from ingest.protocol.rtmp import amf0

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: st.SearchStrategy[amf0.Value] = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS.filter(bool), inner, max_size=4),
    max_leaves=8,
)


def depth(value: amf0.Value) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=-1)
        case list():
            return 1 + max(map(depth, value), default=-1)
    return 0


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(VALUES, max_size=5))
def test_what_is_written_is_read(values: list[amf0.Value]) -> None:
    if max(map(depth, values), default=0) <= amf0.DEPTH_MOST:
        assert amf0.read(amf0.write(*values)) == values
    else:
        with pytest.raises(MalformedError, match="deep"):
            amf0.read(amf0.write(*values))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00 3ff0000000000000", 1.0),
        ("01 01", True),
        ("02 0004 6c697665", "live"),
        ("03 0003617070 0200046c697665 000009", {"app": "live"}),
        ("05", None),
        ("06", None),
        ("07 0001", None),
        ("08 000000ff 000161 0500 0009", {"a": None}),  # the count is a hint
        ("0a 00000002 05 0100", [None, False]),
        ("0b 4059000000000000 0000", 100.0),
        ("0c 00000001 61", "a"),
        ("0f 00000004 3c612f3e", "<a/>"),
        ("10 000154 000161 0101 000009", {"a": True}),
        ("02 0001 ff", "\N{REPLACEMENT CHARACTER}"),
        ("03 0000 05 000009", {"": None}),  # a name may be empty
    ],
)
def test_every_kind_of_value(data: str, value: amf0.Value) -> None:
    assert amf0.read(bytes.fromhex(data)) == [value]


@pytest.mark.parametrize(
    "data",
    [
        "00 3ff0",
        "01",
        "02 0004 6c69",
        "03 0003617070",
        "03 0000",
        "04",
        "0a ffffffff 05",
        "0c ffffffff",
        "11 0a",
        "ff",
    ],
)
def test_what_is_no_value_is_refused(data: str) -> None:
    with pytest.raises(MalformedError):
        amf0.read(bytes.fromhex(data))


def test_depth_is_bounded() -> None:
    nested = b"\x03\x00\x01a" * 5000
    with pytest.raises(MalformedError, match="deep"):
        amf0.read(nested)


def test_long_texts_are_long_strings() -> None:
    assert amf0.write("a" * 70_000)[:5] == b"\x0c\x00\x01\x11\x70"
    assert amf0.read(amf0.write("a" * 70_000)) == ["a" * 70_000]
