"""The recorder on a bus: what it makes of pictures and telemetry, and that it loses none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pymavlink import mavutil

from flow.bus import LOSSLESS_LIMIT_BYTES
from flow.clock import NS_PER_S
from flow.flights import Alarm, FlightEnded, FlightStarted, Marker, RecordingSwitch
from flow.recording import RecordingStatus
from flow.samples import Metadata, MetadataKind, TelemetrySample
from recordings.flight_file import read_flight
from recordings.flight_writer import FlightWriter
from recordings.folders import EVENTS_FILE, FLIGHT_FILE, METADATA_FILE, SAMPLES_FILE, TLOG_FILE, segments_in
from recordings.protocol import flight_detector
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.unit.recordings.tower import (
    FRITZ,
    OTTMAR,
    film,
    flights,
    in_epoch,
    lines,
    merged,
    raw,
    recorded,
    recording,
    same_pictures,
    sample,
    so_far,
    watched_disks,
)

__all__ = ["watched_disks"]
pytestmark = pytest.mark.usefixtures("watched_disks")


async def test_every_picture_is_kept_as_it_was(tmp_path: Path) -> None:
    day, night = film("fritz-tag", 5.0), film("fritz-waerme", 4.0, 0.5)
    async with recording(tmp_path) as tower:
        await tower.fly(*merged(day, night))
        assert tower.state().status is RecordingStatus.RECORDING
        assert tower.state().lost == 0
    (folder,) = flights(tmp_path)
    assert folder.name == "20261122t064640z-fritz"
    assert same_pictures(recorded(folder, "fritz-tag"), day)
    assert same_pictures(recorded(folder, "fritz-waerme"), night)


async def test_within_a_second_it_is_on_the_disk(tmp_path: Path) -> None:
    """Also the newest pictures, though no next one comes: the folder as a power cut would leave it."""
    day = film(seconds=1.2)
    async with recording(tmp_path) as tower:
        await tower.fly(*day)
        await tower.pass_time(0.75)
        folder = flights(tmp_path)[0]
        await tower.until(lambda: len(so_far(folder, "fritz-tag")) == len(day), "all pictures", passing_s=0.0)
        await tower.until(lambda: set(tower.changed) == {folder.name}, "that it is told")


async def test_growth_is_told_though_the_disk_is_never_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several cameras there is always something that waits for it."""
    monkeypatch.setattr(FlightWriter, "is_settled", False)
    async with recording(tmp_path) as tower:
        await tower.fly(*film(seconds=25.0))
        assert (flights(tmp_path)[0] / FLIGHT_FILE).exists()
        assert len(tower.changed) == 3


async def test_a_reconnect_goes_on_in_the_same_segment_and_keeps_its_gap(tmp_path: Path) -> None:
    day = [*film(seconds=2.0), *in_epoch(2, film(seconds=2.0, start_s=30.0))]
    async with recording(tmp_path) as tower:
        await tower.fly(*day)
    (folder,) = flights(tmp_path)
    assert len(segments_in(folder)) == 1
    assert same_pictures(recorded(folder, "fritz-tag"), day)


async def test_another_resolution_is_another_segment_of_the_same_flight(tmp_path: Path) -> None:
    day = [
        *film(seconds=1.0),
        *film(seconds=1.0, start_s=1.0, size=(160, 128)),
        *film(seconds=1.0, start_s=2.0),
    ]
    async with recording(tmp_path) as tower:
        await tower.fly(*day)
    (folder,) = flights(tmp_path)
    assert [number for _, number, _ in segments_in(folder)] == [1, 2, 3]
    assert same_pictures(recorded(folder, "fritz-tag"), day)


async def test_a_flight_begins_with_the_keyframe_before_it(tmp_path: Path) -> None:
    day = film(seconds=4.0)
    async with recording(tmp_path) as tower:
        await tower.fly(sample(0, armed=False), *merged(day, [sample(2.5, armed=True)]))
    (folder,) = flights(tmp_path)
    assert same_pictures(recorded(folder, "fritz-tag"), day[60:])  # from second 2.0
    assert read_flight(folder).started_ns == START_NS + 2 * NS_PER_S


async def test_a_flight_ends_a_minute_after_landing(tmp_path: Path) -> None:
    armed = [sample(second, second < 20) for second in range(0, 90, 5)]
    async with recording(tmp_path) as tower:
        await tower.fly(*merged(armed, film(seconds=2.0, start_s=1.0)))
        await tower.until(lambda: read_flight(flights(tmp_path)[0]).ended_ns is not None, "the end")
        (started,), (ended,) = tower.heard(FlightStarted), tower.heard(FlightEnded)
        assert tower.state().reason == "no_flight"
    flight = read_flight(flights(tmp_path)[0])
    assert flight.ended_ns == START_NS + 80 * NS_PER_S == ended.utc_ns
    assert (started.id, ended.id) == (f"{flight.id}-started", f"{flight.id}-ended")
    noted = [event for event in lines(flights(tmp_path)[0] / EVENTS_FILE) if not isinstance(event, Alarm)]
    assert noted == [started, ended]


async def test_a_long_recording_is_split_without_losing_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each feed changes over at its own keyframe."""
    monkeypatch.setattr(flight_detector, "SPLIT_NS", 120 * NS_PER_S)
    day = [*film(seconds=1.0), *film(seconds=1.0, start_s=60.0), *film(seconds=3.0, start_s=120.0)]
    night = [*film("fritz-waerme", 1.0, 0.5), *film("fritz-waerme", 3.0, 119.5)]
    async with recording(tmp_path) as tower:
        await tower.fly(*merged(day, night))
        (ended,) = tower.heard(FlightEnded)
    first, second = flights(tmp_path)
    assert ended.flight_id == first.name
    for feed_id, published in (("fritz-tag", day), ("fritz-waerme", night)):
        assert same_pictures(recorded(first, feed_id) + recorded(second, feed_id), published)
        assert recorded(first, feed_id)
        assert recorded(second, feed_id)[0].keyframe


async def test_a_person_switches(tmp_path: Path) -> None:
    def switch(second: float, on: bool) -> RecordingSwitch:
        utc_ns = START_NS + round(second * NS_PER_S)
        return RecordingSwitch(f"switch-{second}", "fritz", utc_ns, on, "Weber")

    ground = [sample(second, armed=False) for second in range(8)]
    async with recording(tmp_path) as tower:
        day = film(seconds=6.0)
        await tower.fly(*merged(ground, day, [switch(1.0, True), switch(3.5, False)]))
        assert tower.state().reason == "switched_off"
    (folder,) = flights(tmp_path)
    assert same_pictures(recorded(folder, "fritz-tag"), day[30:106])
    assert [event for event in lines(folder / EVENTS_FILE) if isinstance(event, RecordingSwitch)] == [
        switch(1.0, True),
        switch(3.5, False),
    ]


async def test_telemetry_lies_beside_the_pictures(tmp_path: Path) -> None:
    autopilot = FakeAircraft()
    messages = [raw(n / 10, autopilot.attitude(n * 100)) for n in range(40)]
    beats = [raw(n + 0.55, autopilot.heartbeat()) for n in range(4)]
    samples = [sample(n / 30, armed=n > 60) for n in range(120)]
    klv = [Metadata("fritz-tag", MetadataKind.KLV, START_NS + n * NS_PER_S, b"\x06\x0e") for n in range(4)]
    async with recording(tmp_path) as tower:
        await tower.fly(*merged(messages, beats, samples, klv))
    (folder,) = flights(tmp_path)
    log = mavutil.mavlink_connection(str(folder / TLOG_FILE))
    kinds = []
    while (message := log.recv_match()) is not None:
        kinds.append((message.get_type(), round(message._timestamp - START_NS / NS_PER_S, 2)))
    log.close()
    assert kinds[0] == ("HEARTBEAT", 0.55)  # before the flight begins, at 2.0
    assert kinds[-1] == ("ATTITUDE", 3.9)
    assert len(kinds) == 34 + 4
    kept = [item.utc_ns for item in lines(folder / SAMPLES_FILE) if isinstance(item, TelemetrySample)]
    assert 19 <= len(kept) <= 21  # of the last two seconds, ten a second
    assert lines(folder / METADATA_FILE) == klv[3:]


async def test_telemetry_of_long_ago_is_of_no_flight_that_begins_now(tmp_path: Path) -> None:
    beats = [raw(n, FakeAircraft().heartbeat()) for n in range(4)]
    async with recording(tmp_path) as tower:
        await tower.fly(*beats)
        await tower.pass_time(120)
        await tower.fly(*film(seconds=1.0, start_s=123.5))
    (folder,) = flights(tmp_path)
    assert not (folder / TLOG_FILE).exists()


async def test_markers_and_alarms_are_kept_of_their_aircraft(tmp_path: Path) -> None:
    def marker(name: str, aircraft_id: str, second: float) -> Marker:
        return Marker(name, aircraft_id, START_NS + round(second * NS_PER_S), 49.4, 7.6, "Glut", "Weber")

    house = Alarm("house", "", START_NS + NS_PER_S, "disk_low")
    mine, other = marker("mine", "fritz", 1.5), marker("other", "ottmar", 1.5)
    old = marker("old", "fritz", -3600)
    async with recording(tmp_path, FRITZ, OTTMAR) as tower:
        tower.bus.publish(old)
        await tower.fly(*merged(film(seconds=2.0), film("ottmar-tag", 2.0), [house, mine, other]))
    first, second = flights(tmp_path)
    assert lines(first / EVENTS_FILE)[1:] == [house, mine]
    assert lines(second / EVENTS_FILE)[1:] == [house, other]


async def test_pictures_that_nobody_read_in_time_are_a_gap(tmp_path: Path) -> None:
    """The recorder cannot run while a test publishes without a pause: its reader overflows."""
    day = film(seconds=12.0)
    async with recording(tmp_path) as tower:
        await tower.fly(*day[:30])
        padding = bytes(LOSSLESS_LIMIT_BYTES // 20)
        for unit in day[30:60]:
            tower.bus.publish(replace(unit, data=unit.data + padding))
        await tower.fly(*day[60:])
        await tower.pass_time(1.0)
        lost = tower.state().lost
        assert 0 < lost <= 30
    (folder,) = flights(tmp_path)
    assert len(recorded(folder, "fritz-tag")) == len(day) - lost
    (gap,) = (event for event in lines(folder / EVENTS_FILE) if isinstance(event, Alarm))
    assert (gap.code, gap.values["pictures"], gap.active) == ("recording_gap", str(lost), False)


async def test_a_second_flight_in_the_same_second_has_another_name(tmp_path: Path) -> None:
    def switch(name: str, on: bool) -> RecordingSwitch:
        return RecordingSwitch(name, "fritz", START_NS, on, "Weber")

    async with recording(tmp_path) as tower:
        await tower.fly(*film(seconds=0.2), switch("a", False), switch("b", True))
    assert [folder.name for folder in flights(tmp_path)] == [
        "20261122t064640z-fritz",
        "20261122t064641z-fritz",
    ]


async def test_an_aircraft_for_training_is_never_recorded(tmp_path: Path) -> None:
    training = type(FRITZ)("uebung", "Übung", FRITZ.feeds, training=True)
    async with recording(tmp_path, training) as tower:
        await tower.fly(*film(seconds=1.0))
    assert flights(tmp_path) == []


async def test_after_a_defect_the_same_flight_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = FlightWriter.metadata

    def fails(writer: FlightWriter, metadata: Metadata) -> None:
        monkeypatch.setattr(FlightWriter, "metadata", write)
        raise ZeroDivisionError

    monkeypatch.setattr(FlightWriter, "metadata", fails)
    before = film(seconds=1.0)
    async with recording(tmp_path) as tower:
        await tower.fly(*before, Metadata("fritz-tag", MetadataKind.KLV, START_NS + NS_PER_S, b""))
        await tower.until(lambda: tower.state().since_ns > START_NS + NS_PER_S, "a recorder anew")
        after = film(seconds=1.0, start_s=(tower.clock.now_ns() - START_NS) / NS_PER_S + 0.1)
        await tower.fly(*after)
    (folder,) = flights(tmp_path)
    assert same_pictures(recorded(folder, "fritz-tag"), before + after)
