"""The clocks inside MAVLink messages move and scale; nothing else in a message changes."""

from __future__ import annotations

from typing import Any

import pytest
from pymavlink.dialects.v20 import all as dialect

from recordings.protocol.mavlink_frames import parse_header, seal
from recordings.protocol.source_clocks import SourceClocks, time_fields
from tests.unit.recordings.flights import MS, START_NS, Aircraft, decode

UNIX_2015_US = 1_436_056_003_000_000


def test_the_places_of_times_are_those_of_pymavlink() -> None:
    checked = 0
    for message_id, message in dialect.mavlink_map.items():
        for field in time_fields(message_id):
            payload = bytearray(message.unpacker.size)
            field.write(payload, 0x01020304)
            head = b"\xfd" + bytes((len(payload), 0, 0, 0, 1, 1)) + message_id.to_bytes(3, "little")
            header = parse_header(head)
            assert header is not None
            assert getattr(decode(seal(head + payload, header)), field.name) == 0x01020304
            checked += 1
    assert checked > 100


def test_which_times_are_moved() -> None:
    def names(message: Any) -> list[str]:
        return [field.name for field in time_fields(message.id)]

    assert names(dialect.MAVLink_attitude_message) == ["time_boot_ms"]
    assert names(dialect.MAVLink_system_time_message) == ["time_unix_usec", "time_boot_ms"]
    assert names(dialect.MAVLink_gps_raw_int_message) == ["time_usec"]
    assert names(dialect.MAVLink_camera_image_captured_message) == ["time_utc", "time_boot_ms"]
    assert names(dialect.MAVLink_high_latency2_message) == ["timestamp"]
    assert names(dialect.MAVLink_vision_position_delta_message) == ["time_usec"]  # not time_delta_usec
    assert names(dialect.MAVLink_heartbeat_message) == []


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_boot_time_scales_and_the_rest_stays(version: int, speed: float) -> None:
    aircraft = Aircraft(version, system_id=3, component_id=4)
    aircraft.mav.seq = 200
    clocks = SourceClocks(speed)
    for boot_ms in (60_000, 61_000):
        data = aircraft.attitude(boot_ms)
        moved = clocks.rewrite(data, START_NS)
        before, after = decode(data), decode(moved)
        assert after.time_boot_ms == boot_ms / speed
        assert moved[0] == data[0]
        assert after.get_header().seq == before.get_header().seq
        assert (after.get_srcSystem(), after.get_srcComponent()) == (3, 4)
        assert (after.roll, after.pitch, after.yaw) == (before.roll, before.pitch, before.yaw)


def test_at_life_speed_a_boot_clock_is_left_byte_for_byte() -> None:
    data = Aircraft().attitude(60_000)
    assert SourceClocks(1.0).rewrite(data, START_NS) == data


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_wall_time_is_that_of_sending_and_runs_with_it(speed: float) -> None:
    aircraft, clocks = Aircraft(), SourceClocks(speed)
    for second in range(4):
        utc_ns = START_NS + int(second * 1e9 / speed)
        data = aircraft.system_time(UNIX_2015_US + second * 1_000_000, 5000 + second * 1000)
        assert decode(clocks.rewrite(data, utc_ns)).time_unix_usec == utc_ns // 1000


def test_unknown_times_stay_unknown() -> None:
    aircraft, clocks = Aircraft(), SourceClocks(2.0)
    for data in (aircraft.system_time(0, 0), aircraft.attitude(0)):
        assert clocks.rewrite(data, START_NS) == data


def test_a_second_lap_goes_on_where_the_first_ended() -> None:
    aircraft, clocks = Aircraft(), SourceClocks(1.0)
    clocks.begin_lap()
    for boot_ms in (60_000, 70_000):
        clocks.rewrite(aircraft.attitude(boot_ms), START_NS + (boot_ms - 60_000) * MS)
    clocks.begin_lap()
    second = [
        decode(clocks.rewrite(aircraft.attitude(boot_ms), START_NS + (boot_ms - 60_000 + 10_500) * MS))
        for boot_ms in (60_000, 70_000)
    ]
    assert [message.time_boot_ms for message in second] == [70_500, 80_500]


def test_a_reboot_in_the_recording_is_a_reboot_again() -> None:
    aircraft, clocks = Aircraft(), SourceClocks(2.0)
    times = [decode(clocks.rewrite(aircraft.attitude(ms), START_NS)).time_boot_ms for ms in (600_000, 4_000)]
    assert times == [300_000, 2_000]


def test_each_component_has_its_own_clocks() -> None:
    clocks = SourceClocks(1.0)
    first, second = Aircraft(system_id=1), Aircraft(system_id=2)
    clocks.rewrite(first.system_time(UNIX_2015_US, 10), START_NS)
    later = decode(clocks.rewrite(second.system_time(UNIX_2015_US + 99_000_000, 10), START_NS + 5 * MS))
    assert later.time_unix_usec == (START_NS + 5 * MS) // 1000


def test_a_count_of_32_bits_keeps_scaling_past_its_wrap() -> None:
    aircraft, clocks = Aircraft(), SourceClocks(2.0)
    wrap_ms = (1 << 32) // 1000
    clocks.rewrite(aircraft.attitude(wrap_ms - 100), START_NS)
    before = decode(clocks.rewrite(aircraft.servo_output((wrap_ms - 90) * 1000), START_NS))
    clocks.rewrite(aircraft.attitude(wrap_ms + 100), START_NS)
    after = decode(clocks.rewrite(aircraft.servo_output(110_000), START_NS))
    assert after.time_usec - before.time_usec == pytest.approx(100_000, abs=1000)


def test_a_time_cut_off_at_its_zero_bytes_may_grow_and_never_shrinks_the_message() -> None:
    aircraft = Aircraft()
    message = dialect.MAVLink_system_time_message(0, 0x0100_0000)
    data = aircraft.pack(message)
    moved = SourceClocks(0.5).rewrite(data, START_NS)
    assert decode(moved).time_boot_ms == 0x0200_0000
    short = aircraft.system_time(UNIX_2015_US, 0xFF)  # boot time cut off after one byte
    grown = SourceClocks(0.5).rewrite(short, START_NS)
    assert decode(grown).time_boot_ms == 0x1FE
    assert len(grown) == len(short) + 1


def test_what_cannot_be_rewritten_passes_as_it_is() -> None:
    clocks = SourceClocks(2.0)
    data = Aircraft().attitude(60_000)
    header = parse_header(data)
    assert header is not None
    damaged = data[:12] + bytes((data[12] ^ 1,)) + data[13:]
    signed = data[:2] + b"\x01" + data[3 : header.payload_end]
    signed = seal(signed, header) + b"\x00" * 13
    unknown = b"\xfd\x01\x00\x00\x00\x01\x01\xff\xff\xff\x07\x12\x34"
    for same in (damaged, signed, unknown, data[:-1], data + b"x", b"junk", b""):
        assert clocks.rewrite(same, START_NS) == same


def test_a_short_message_of_version_1_is_not_lengthened() -> None:
    full = Aircraft(version=1).system_time(UNIX_2015_US, 0xFF)
    cut = full[:1] + b"\x08" + full[2:14]
    header = parse_header(cut)
    assert header is not None
    moved = SourceClocks(0.5).rewrite(seal(cut, header), START_NS)
    assert len(moved) == len(seal(cut, header))
