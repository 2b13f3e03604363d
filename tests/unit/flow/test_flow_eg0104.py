from __future__ import annotations

import struct

import pytest

from flow.codec.eg0104 import EG0104_KEY, decode_eg0104
from flow.codec.st0601 import St0601
from flow.errors import MalformedError
from tests.fakes.klv_sets import universal

SENSOR: dict[str, bytes | float | int] = {
    "0702010101050000": 1_221_515_219_356_000,
    "0701020102040200": 38.25,
    "0701020102060200": -77.37,
    "0701020102020000": struct.pack(">f", 1054.4),
    "0101200100000000": b"ABCD",
}


def test_items_become_those_of_st_0601() -> None:
    items = decode_eg0104(universal(SENSOR)).items
    assert (items.utc_us, items.platform_designation) == (1_221_515_219_356_000, "ABCD")
    assert (items.sensor_lat_deg, items.sensor_lon_deg) == (38.25, -77.37)
    assert items.sensor_alt_msl_m == pytest.approx(1054.4)
    assert items.hfov_deg is None


@pytest.mark.parametrize(
    ("told", "pitch"),
    [(-37.5, -37.5), (0.0, 0.0), (180.0, 0.0), (217.5, -37.5), (270.0, -90.0), (300.0, None)],
)
def test_the_camera_looks_in_the_earth_frame(told: float, pitch: float | None) -> None:
    got = decode_eg0104(universal({"0701100102000000": 124.5, "0701100103000000": told}))
    assert (got.look_yaw_deg, got.look_pitch_deg, got.look_roll_deg) == (124.5, pitch, None)


def test_corners_and_what_is_no_number() -> None:
    latitudes = {f"07010201030{n}0100": 38.0 + place for place, n in enumerate("789a")}
    longitudes = {f"07010201030{n}0100": -77.0 + place for place, n in enumerate("bcde")}
    got = decode_eg0104(universal({**latitudes, **longitudes}))
    assert got.items.corners == ((38.0, -77.0), (39.0, -76.0), (40.0, -75.0), (41.0, -74.0))
    spoiled = {**latitudes, **longitudes, "0701020103070100": float("nan"), "0701080101000000": float("inf")}
    got = decode_eg0104(universal(spoiled))
    assert (got.items.corners, got.items.slant_range_m) == ((), None)
    beyond = universal({"0701020102040200": 91.0, "0701020102020000": 1e30, "0420020101080000": -1.0})
    assert decode_eg0104(beyond).items == St0601()


def test_unknown_items_are_skipped_and_broken_sets_refused() -> None:
    assert decode_eg0104(universal({"ffffffffffffffff": b"?"})).items.sensor_lat_deg is None
    good = universal(SENSOR)
    for bad in (good[:-1], good + b"\0", b"", EG0104_KEY + b"\x02ab"):
        with pytest.raises(MalformedError):
            decode_eg0104(bad)
    with pytest.raises(MalformedError) as caught:
        decode_eg0104(bytes.fromhex("060e2b34020b01010e0103010100000000"))
    assert caught.value.code == "unknown_set"
