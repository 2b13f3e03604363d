from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.codec.klv import checksum, write_length
from flow.codec.misb_values import Count, Imapb, Signed, Text, Unsigned
from flow.codec.st0601 import ST0601_KEY, St0601, decode_st0601, encode_st0601
from flow.errors import MalformedError
from tests.fakes.klv_sets import FLIGHT, flight, read_by_klvdata

EXAMPLES = {
    2: ("0004 59f4 a6aa 4aa8", "utc_us", 1_224_807_209_913_000),
    3: ("4d495353494f4e3031", "mission_id", "MISSION01"),
    5: ("71c2", "platform_heading_deg", 159.9744),
    6: ("fd3d", "platform_pitch_deg", -0.4315317),
    7: ("08b8", "platform_roll_deg", 3.4058657),
    8: ("93", "true_airspeed_ms", 147),
    9: ("9f", "indicated_airspeed_ms", 159),
    13: ("5595b66d", "sensor_lat_deg", 60.17682296697833),
    14: ("5b5360c4", "sensor_lon_deg", 128.42675904204452),
    15: ("c221", "sensor_alt_msl_m", 14190.7195),
    16: ("cd9c", "hfov_deg", 144.5713),
    17: ("d917", "vfov_deg", 152.6436),
    18: ("724a0a20", "sensor_azimuth_deg", 160.71921143697557),
    19: ("87f84b86", "sensor_elevation_deg", -168.79232483394085),
    20: ("7dc55ece", "sensor_roll_deg", 176.86543764939194),
    21: ("03830926", "slant_range_m", 68590.98),
    22: ("1281", "target_width_m", 722.8199),
    23: ("f101a229", "frame_centre_lat_deg", -10.54238863314613),
    24: ("14bc082b", "frame_centre_lon_deg", 29.15789012292302),
    25: ("34f3", "frame_centre_alt_msl_m", 3216.037),
    51: ("d3fe", "climb_ms", -61.88788),
    56: ("8c", "ground_speed_ms", 140),
    75: ("c221", "sensor_alt_hae_m", 14190.7195),
    78: ("0bb3", "frame_centre_alt_hae_m", 9.445334),
    90: ("ff62e2f2", "platform_pitch_deg", -0.4315251),
    91: ("04d804df", "platform_roll_deg", 3.4058140),
    96: ("00d92a", "target_width_m", 13898.5),
    104: ("2f921e", "sensor_alt_hae_m", 23456.24),
    113: ("05f500", "sensor_alt_agl_m", 2150.0),
}
"""Tag: the bytes and value that ST 0601.17 gives as its example, or that a fixture made by others holds."""


def sealed(items: bytes, *, wrong: int = 0) -> bytes:
    """A set of these items, its checksum off by `wrong`."""
    data = ST0601_KEY + write_length(len(items) + 4) + items + b"\x01\x02"
    return data + ((checksum(data) + wrong) & 0xFFFF).to_bytes(2, "big")


def item(tag: int, data: bytes) -> bytes:
    return bytes((tag, len(data))) + data


@pytest.mark.parametrize("tag", EXAMPLES)
def test_the_examples_of_the_standard(tag: int) -> None:
    data, field, value = EXAMPLES[tag]
    got = getattr(decode_st0601(sealed(item(tag, bytes.fromhex(data)))), field)
    assert got == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value)


@pytest.mark.parametrize("tag", [6, 7, 13, 14, 19, 23, 24, 51, 90, 91])
def test_the_indicator_of_an_error_is_unknown(tag: int) -> None:
    data, field, _ = EXAMPLES[tag]
    error = b"\x80" + bytes(len(bytes.fromhex(data)) - 1)
    assert getattr(decode_st0601(sealed(item(tag, error))), field) is None
    assert getattr(decode_st0601(sealed(item(tag, b""))), field) is None
    assert getattr(decode_st0601(sealed(item(tag, b"\0" * 9))), field) is None


def test_the_full_range_counts_before_the_short_one_and_is_written_where_that_ends() -> None:
    both = sealed(item(90, bytes.fromhex("ff62e2f2")) + item(6, b"\x80\0"))
    assert decode_st0601(both).platform_pitch_deg == pytest.approx(-0.4315251)
    steep = decode_st0601(encode_st0601(replace(FLIGHT, platform_pitch_deg=-45.0, sensor_alt_hae_m=25_000.0)))
    assert steep.platform_pitch_deg == pytest.approx(-45, abs=1e-6)
    assert steep.sensor_alt_hae_m == pytest.approx(25_000, abs=0.01)


def test_corners_are_whole_or_offsets_from_the_centre() -> None:
    corners = ((49.5, 7.7), (49.5, 7.8), (49.4, 7.8), (49.4, 7.7))
    got = decode_st0601(encode_st0601(replace(FLIGHT, corners=corners))).corners
    assert [pytest.approx(point, abs=1e-7) for point in corners] == list(got)
    offsets = b"".join(item(26 + n, b"\x40\x00" if n % 2 else b"\xc0\x01") for n in range(8))
    centre = item(23, bytes.fromhex("f101a229")) + item(24, bytes.fromhex("14bc082b"))
    assert decode_st0601(sealed(offsets)).corners == ()
    assert decode_st0601(sealed(centre + offsets[:-1] + b"\x00")).corners[0] == pytest.approx(
        (-10.54238863 - 0.0375, 29.15789012 + 0.0375), abs=1e-5
    )
    missing = centre + offsets[4:]
    assert decode_st0601(sealed(missing)).corners == ()


def test_what_is_written_is_read_back() -> None:
    back = decode_st0601(encode_st0601(FLIGHT))
    for field in fields(St0601):
        told, got = getattr(FLIGHT, field.name), getattr(back, field.name)
        assert got == (pytest.approx(told, abs=0.5, rel=1e-3) if isinstance(told, float) else told), (
            field.name
        )


def test_the_time_stamp_is_first_and_the_checksum_last() -> None:
    data = flight()
    body = data[16 + 2 :]
    assert (data[:16], data[16]) == (ST0601_KEY, 0x81)
    assert body[:2] == b"\x02\x08"
    assert body[-4:-2] == b"\x01\x02"
    with pytest.raises(ValueError, match="time stamp"):
        encode_st0601(St0601())


def test_what_has_no_place_is_left_out() -> None:
    beyond = replace(FLIGHT, sensor_lat_deg=91.0, mission_id="x" * 200, hfov_deg=float("nan"), version=300)
    got = decode_st0601(encode_st0601(beyond))
    assert (got.sensor_lat_deg, got.mission_id, got.hfov_deg, got.version) == (None, None, None, None)
    assert got.sensor_lon_deg is not None


def test_klvdata_reads_what_we_write() -> None:
    (told,) = read_by_klvdata([flight()])
    assert told[13] == pytest.approx(49.4401, abs=1e-6)
    assert told[14] == pytest.approx(7.7491, abs=1e-6)
    assert told[5] == pytest.approx(350.0, abs=0.01)
    assert told[15] == pytest.approx(331.5, abs=0.2)
    assert told[19] == pytest.approx(-40.0, abs=1e-6)
    assert told[3] == "Übung 7"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sealed(b"", wrong=1), "bad_checksum"),
        (flight()[:-1] + bytes((flight()[-1] ^ 1,)), "bad_checksum"),
        (flight().replace(b"Fritz", b"Franz"), "bad_checksum"),
        (ST0601_KEY + b"\x04" + item(5, b"\x71\xc2"), "no_checksum"),
        (ST0601_KEY + b"\x00", "no_checksum"),
        (sealed(b"")[:-2], "malformed"),
        (sealed(item(5, b"\x71\xc2"))[:-5], "malformed"),
        (sealed(b"\x05\x7f\x00"), "malformed"),
        (sealed(b"\x05\x84\x00\x98\x96\x80"), "malformed"),
        (b"", "malformed"),
        (flight() + flight(), "malformed"),
        (ST0601_KEY[:-1] + b"\x01\x00", "unknown_set"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_st0601(data)
    assert caught.value.code == code


def test_an_item_behind_the_checksum_is_not_covered_by_it() -> None:
    body = b"\x01\x02"
    data = ST0601_KEY + bytes((8,)) + body
    data += checksum(data).to_bytes(2, "big") + item(5, b"\x71\xc2")
    with pytest.raises(MalformedError, match="behind the checksum"):
        decode_st0601(data)


def test_unknown_and_nested_items_are_skipped() -> None:
    nested = item(48, flight()[:100]) + item(73, flight()[:50]) + b"\x81\x0e\x01\x07"
    got = decode_st0601(sealed(nested + item(5, b"\x71\xc2")))
    assert got == St0601(platform_heading_deg=got.platform_heading_deg)
    assert got.platform_heading_deg is not None


def test_text_that_cannot_be_shown_is_unknown() -> None:
    assert Text().decode("Übung".encode()) == "Übung"
    assert Text().decode(b"Fritz\0\0") == "Fritz"
    assert Text().decode(b"a\nb") is None
    assert Text().decode(b"") is None
    assert Count(8).encode(-1) is None


@given(st.floats(0, 1))
def test_every_mapping_is_its_own_inverse(share: float) -> None:
    for mapping, low, high, step in (
        (Unsigned(2, -900, 19_000), -900, 19_000, 19_900 / 65_535),
        (Unsigned(4, 0, 360), 0, 360, 1e-6),
        (Signed(2, 20), -20, 20, 40 / 65_534),
        (Signed(4, 180), -180, 180, 1e-6),
        (Imapb(3, -900, 40_000), -900, 40_000, 1 / 128),
        (Imapb(3, 0, 1_500_000), 0, 1_500_000, 1 / 4),
    ):
        value = low + share * (high - low)
        data = mapping.encode(value)
        assert data is not None
        assert mapping.decode(data) == pytest.approx(value, abs=step)


def test_imapb_knows_no_numbers_beyond_its_range() -> None:
    mapping = Imapb(3, -900, 40_000)
    assert mapping.decode(bytes.fromhex("c80000")) is None  # +infinity (ST 1201 table 3)
    assert mapping.decode(bytes.fromhex("7fffff")) is None  # beyond 40,000 m
    assert mapping.decode(b"") is None
    assert mapping.decode(bytes(9)) is None
    assert mapping.decode(bytes.fromhex("2f92")) == pytest.approx(23456, abs=2)  # as short as a sender likes
    assert mapping.encode(40_001) is None
