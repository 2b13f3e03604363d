"""Recorded messages come at their time, whoever sent them."""

from __future__ import annotations

from collections.abc import Iterable

from recordings.protocol.source_clocks import SourceClocks
from recordings.protocol.telemetry_track import LoggedMessage, TelemetryTrack, timed_by_boot
from recordings.protocol.timing import Lap, Send
from tests.unit.recordings.flights import MS, START_NS, Aircraft, decode


def log(count: int = 10) -> list[LoggedMessage]:
    aircraft = Aircraft()
    return [LoggedMessage(10**15 + n * 100_000, aircraft.attitude(60_000 + n * 100)) for n in range(count)]


def play(messages: Iterable[LoggedMessage], *, speed: float = 1.0, offset_ms: int = 0) -> list[Send]:
    track = TelemetryTrack(lambda: messages, SourceClocks(speed), 1, offset_ms * MS)
    return list(track.play(Lap(START_NS, speed)))


def after_start_ms(sends: Iterable[Send]) -> list[float]:
    return [(send.time_ns - START_NS) / MS for send in sends]


def test_messages_keep_their_distances() -> None:
    assert after_start_ms(play(log(4))) == [0, 100, 200, 300]
    assert after_start_ms(play(log(4), speed=2.0)) == [0, 50, 100, 150]
    assert after_start_ms(play(log(4), speed=0.5)) == [0, 200, 400, 600]


def test_times_inside_scale_with_the_times_of_sending() -> None:
    sends = play(log(4), speed=2.0)
    assert [decode(send.data).time_boot_ms for send in sends] == [30_000, 30_050, 30_100, 30_150]


def test_an_offset_is_time_of_the_recording() -> None:
    assert after_start_ms(play(log(2), offset_ms=500)) == [500, 600]
    assert after_start_ms(play(log(2), offset_ms=500, speed=2.0)) == [250, 300]


def test_a_negative_offset_leaves_out_the_beginning() -> None:
    sends = play(log(6), offset_ms=-250)
    assert after_start_ms(sends) == [50, 150, 250]
    assert decode(sends[0].data).time_boot_ms == 60_300


def test_ground_stations_and_damaged_messages_are_sent_too() -> None:
    station = Aircraft(system_id=255, component_id=190).heartbeat()
    damaged = log(1)[0].data[:-1] + b"\x00"
    sends = play([LoggedMessage(10, station), LoggedMessage(20, damaged)])
    assert [send.data for send in sends] == [station, damaged]


def test_a_raw_stream_is_paced_by_the_boot_time_of_its_aircraft() -> None:
    aircraft, station = Aircraft(), Aircraft(system_id=255, component_id=190)
    stream = [
        station.system_time(0, 999_999),
        aircraft.heartbeat(),
        aircraft.attitude(60_000),
        aircraft.heartbeat(),
        b"junk",
        Aircraft(system_id=2).attitude(5),
        aircraft.attitude(60_200),
        aircraft.system_time(0, 70_000),
    ]
    assert after_start_ms(play(timed_by_boot(stream))) == [0, 0, 0, 0, 0, 0, 200, 200]
    assert [send.data for send in play(timed_by_boot(stream))] == stream
