"""GPMF: what its entries hold, in the units of their streams, and what is no GPMF."""

from __future__ import annotations

import math
import struct

import pytest

from flow.codec import gpmf
from flow.errors import MalformedError
from tests.fakes.gpmf import attd, device, entry, glpi, gps5, nest, numbers, position, text


def test_a_stream_is_told_in_its_own_units() -> None:
    streams = gpmf.streams(device(glpi(position(1500, 49.25, -7.5), position(1750, 49.26, -7.5))))
    assert list(streams) == ["GLPI"]
    assert streams["GLPI"].name == "glpi"
    assert streams["GLPI"].rows[0] == pytest.approx((1.5, 49.25, -7.5, 10.0, 2.0, 3.0, 4.0, -0.5, 90.0))
    assert [row[0] for row in streams["GLPI"].rows] == [1.5, 1.75]


def test_one_scale_is_for_all_values() -> None:
    data = entry("ACCL", "s", 6, struct.pack("!6h", 4180, 0, -418, 1, 2, 3))
    streams = gpmf.streams(device(nest("STRM", numbers("SCAL", "h", 418), data)))
    assert streams["ACCL"].rows[0] == (10.0, 0.0, -1.0)


def test_streams_of_several_devices_are_found_together() -> None:
    both = device(gps5(3, (490000000, 75000000, 300000, 1500, 200))) + device(attd((1000, 0.0, 0.0, 1.0)))
    assert gpmf.streams(both).keys() == {"GPS5", "ATTD"}
    assert gpmf.streams(both, {"ATTD"}).keys() == {"ATTD"}


def test_what_stands_beside_measurements_is_told_with_them() -> None:
    stream = gpmf.streams(device(gps5(3, (490000000, 75000000, 300000, 1500, 200))))["GPS5"]
    assert stream.before["GPSF"] == (3,)
    assert stream.before["GPSU"] == ("261122140322.500",)
    assert stream.rows == ((49.0, 7.5, 300.0, 1.5, 2.0),)


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("b", b"\xff", -1),
        ("B", b"\xff", 255),
        ("s", b"\xff\xfe", -2),
        ("S", b"\xff\xfe", 65534),
        ("l", b"\xff\xff\xff\xfd", -3),
        ("L", b"\0\0\1\0", 256),
        ("j", b"\xff" * 8, -1),
        ("J", b"\0" * 7 + b"\7", 7),
        ("f", struct.pack("!f", 0.5), 0.5),
        ("d", struct.pack("!d", -0.25), -0.25),
        ("q", b"\0\1\x80\0", 1.5),
        ("Q", b"\0\0\0\2\x40\0\0\0", 2.25),
        ("F", b"GPS5", "GPS5"),
        ("U", b"261122140322.500", "261122140322.500"),
        ("G", bytes(range(16)), "000102030405060708090a0b0c0d0e0f"),
    ],
)
def test_every_type_of_value(kind: str, data: bytes, value: float | str) -> None:
    [read] = gpmf.parse(entry("TEST", kind, len(data), data))
    assert gpmf.rows(read) == [(value,)]


def test_texts_and_padding() -> None:
    first, second = gpmf.parse(text("STNM", "m/s\xb2!!") + text("UNIT", "deg") + bytes(8))
    assert gpmf.rows(first) == [("m/s\xb2!!",)]
    assert gpmf.rows(second) == [("deg",)]


def test_a_scale_of_nothing_is_no_number() -> None:
    data = entry("TEST", "s", 2, b"\0\5")
    [row] = gpmf.streams(device(nest("STRM", numbers("SCAL", "h", 0), data)))["TEST"].rows
    assert isinstance(row[0], float)
    assert math.isnan(row[0])


@pytest.mark.parametrize(
    "broken",
    [
        nest("STRM", entry("TEST", "?", 3, b"abc")),  # no TYPE
        nest("STRM", text("TYPE", "LL"), entry("TEST", "?", 3, b"abc")),
        nest("STRM", text("TYPE", "xy"), entry("TEST", "?", 2, b"ab")),
        nest("STRM", numbers("SCAL", "h", 1, 2), entry("TEST", "s", 6, bytes(6))),
        nest("STRM", entry("TEST", "s", 3, bytes(3))),
        nest("STRM", entry("TEST", "s", 2, b"")),
        nest("STRM"),
    ],
)
def test_a_stream_that_contradicts_itself_harms_no_other(broken: bytes) -> None:
    assert gpmf.streams(device(broken, attd((1000, 0.0, 0.0, 1.0)))).keys() == {"ATTD"}


def test_lengths_outside_what_holds_them_are_refused() -> None:
    whole = device(glpi(position(1500, 49.25, -7.5)))
    for size in range(9, len(whole)):
        with pytest.raises(MalformedError):
            gpmf.parse(whole[:size])
    longer_inside = nest("DEVC", entry("STRM", "\0", 1, bytes(8))[:-4])
    with pytest.raises(MalformedError):
        gpmf.parse(longer_inside)


def test_depth_entries_and_bytes_are_bounded() -> None:
    deep = text("STNM", "x")
    for _ in range(gpmf.DEPTH_MOST):
        deep = nest("STRM", deep)
    gpmf.parse(deep)
    with pytest.raises(MalformedError, match="deep"):
        gpmf.parse(nest("STRM", deep))
    gpmf.parse(entry("TEST", "b", 1, b"") * gpmf.ENTRIES_MOST)
    with pytest.raises(MalformedError, match="entries"):
        gpmf.parse(entry("TEST", "b", 1, b"") * (gpmf.ENTRIES_MOST + 1))
    with pytest.raises(MalformedError, match="bytes"):
        gpmf.parse(bytes(gpmf.PAYLOAD_LIMIT_BYTES + 1))
