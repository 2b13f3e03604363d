from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.codec.klv import (
    KEY_BYTES,
    LABEL,
    SET_LIMIT_BYTES,
    KlvSplitter,
    checksum,
    local_items,
    opened,
    read_length,
    read_tag,
    universal_items,
    write_length,
    write_tag,
)
from flow.errors import MalformedError

KEY = LABEL + bytes(range(12))


def item(value: bytes, key: bytes = KEY) -> bytes:
    return key + write_length(len(value)) + value


def split(data: bytes, *sizes: int) -> tuple[list[bytes], KlvSplitter]:
    """What comes out of a stream that is cut into pieces of these sizes, over and over."""
    splitter, sets, at, turn = KlvSplitter(), [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        sets += splitter.push(data[at : at + size])
        at, turn = at + size, turn + 1
    return sets, splitter


@pytest.mark.parametrize(
    ("length", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8180"), (241, "81f1"), (2403, "820963"), (70_000, "83011170")],
)
def test_lengths_of_both_forms(length: int, encoded: str) -> None:
    assert write_length(length).hex() == encoded
    assert read_length(b"?" + bytes.fromhex(encoded), 1) == (length, 1 + len(encoded) // 2)
    assert read_length(bytes.fromhex("8400000005"), 0) == (5, 5)  # longer than it need be


@pytest.mark.parametrize("bad", ["", "80", "81", "820a", "85ffffffffff", "ff"])
def test_lengths_that_are_none(bad: str) -> None:
    with pytest.raises(MalformedError):
        read_length(bytes.fromhex(bad), 0)


@given(st.integers(0, 2**21 - 1))
def test_tags_of_any_size(tag: int) -> None:
    assert read_tag(write_tag(tag), 0) == (tag, len(write_tag(tag)))


def test_a_tag_without_an_end_is_none() -> None:
    for bad in (b"", b"\x81", b"\xff\xff\xff\x01"):
        with pytest.raises(MalformedError):
            read_tag(bad, 0)


def test_items_of_both_kinds_of_set() -> None:
    local = b"\x05\x02\x12\x34" + b"\x81\x0d\x01\x07" + b"\x06\x00"
    assert list(local_items(local)) == [(5, 2, b"\x12\x34"), (141, 7, b"\x07"), (6, 10, b"")]
    assert list(universal_items(item(b"a") + item(b""))) == [(KEY, b"a"), (KEY, b"")]
    for bad in (local + b"\x07", local + b"\x07\x02\x00", b"\x07\x84\x00\x98\x96\x80"):
        with pytest.raises(MalformedError):
            list(local_items(bad))
    with pytest.raises(MalformedError):
        list(universal_items(item(b"a") + KEY))


def test_a_set_is_opened_only_whole() -> None:
    assert opened(item(b"abc")) == (KEY, KEY_BYTES + 1)
    for bad in (b"", item(b"abc")[:-1], item(b"abc") + b"\0", b"\x07" + item(b"abc")[1:], KEY):
        with pytest.raises(MalformedError):
            opened(bad)


def test_the_running_sum_counts_from_the_first_byte() -> None:
    assert checksum(b"\x01\x02\x03") == 0x0102 + 0x0300
    assert checksum(b"\xff" * 5) == (2 * 0xFFFF + 0xFF00) & 0xFFFF


@pytest.mark.parametrize("sizes", [(1,), (7,), (16, 1), (1000,)])
def test_sets_come_whole_out_of_any_pieces(sizes: tuple[int, ...]) -> None:
    sets = [item(bytes([n]) * n * 40) for n in range(9)]
    got, splitter = split(b"".join(sets), *sizes)
    assert got == sets
    assert (splitter.discarded_bytes, splitter.bad_sets) == (0, 0)


def test_what_is_no_klv_is_passed_over_and_counted() -> None:
    first, second = item(b"first"), item(b"second")
    junk = b"\x06\x0e\x2b" * 9
    for sizes in ((1,), (64,), (5000,)):
        got, splitter = split(junk + first + b"\x06\x0e" + second + junk, *sizes)
        assert got == [first, second]
        assert splitter.discarded_bytes == 27 + 2 + 24  # the last three bytes may yet become a label


@pytest.mark.parametrize("length", [b"\x80", b"\x85\0\0\0\0\1", b"\x84\x00\x98\x96\x80", b"\x83\x01\x00\x00"])
def test_a_length_beyond_all_sets_holds_nothing_up(length: bytes) -> None:
    """10 MB, indefinite, or of five bytes: what follows is read as if nothing had been."""
    good = item(b"good")
    for sizes in ((1,), (4096,)):
        got, splitter = split(KEY + length + b"rubbish" + good, *sizes)
        assert got == [good]
        assert splitter.bad_sets == 1


def test_the_longest_set_is_taken_and_a_longer_one_is_not() -> None:
    longest = item(bytes(SET_LIMIT_BYTES - KEY_BYTES - 4))
    assert split(longest, 1000)[0] == [longest]
    assert split(item(bytes(SET_LIMIT_BYTES)), 1000)[0] == []


def test_an_unfinished_set_is_given_up_where_the_next_begins() -> None:
    splitter, good = KlvSplitter(), item(b"good")
    assert splitter.push(item(bytes(200))[:150]) == []
    splitter.restart()
    assert splitter.push(good) == [good]
    assert (splitter.bad_sets, splitter.discarded_bytes) == (1, 150)


def test_a_set_in_a_set_is_part_of_it() -> None:
    nested = item(b"\x49\x20" + item(b"inner"))
    assert split(nested, 3)[0] == [nested]


def test_bad_bytes_cost_no_memory() -> None:
    chance, splitter = random.Random(5), KlvSplitter()
    for _ in range(300):
        splitter.push(LABEL + chance.randbytes(2000))
    assert len(splitter._rest) <= SET_LIMIT_BYTES
