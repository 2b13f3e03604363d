"""DJI's subtitles made samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.codec.subrip import cues
from flow.samples import Group, Metadata, MetadataKind, Place, TelemetrySample
from telemetry.protocol.places import compass_deg
from telemetry.protocol.track_dji import DjiTrack

START_NS = 1_795_330_000_000_000_000


def cue(text: str, at_ms: int = 0) -> Metadata:
    return Metadata("film", MetadataKind.DJI, START_NS + at_ms * 1_000_000, text.encode(), at_ms * 90)


def test_all_that_phantom_4_rtk_tells() -> None:
    [sample] = DjiTrack("phantom").take(
        cue(
            "F/5.6, GPS (-58.851740, -34.237911, 15), HOME (-58.847509, -34.232707, -57.98m), D 697.41m, "
            "H 85.83m, H.S 2.88m/s, V.S 0.10m/s, F.PRY (3.0°, -19.9°, -110.3°), G.PRY (-24.4°, 0.0°, 110.5°)"
        )
    )
    groups = (Group.POSITION, Group.FIX, Group.HOME, Group.SPEED, Group.ATTITUDE, Group.GIMBAL)
    assert sample == TelemetrySample(
        "phantom",
        START_NS,
        lat_deg=-34.237911,
        lon_deg=-58.85174,
        alt_home_m=85.83,
        pitch_deg=3.0,
        roll_deg=-19.9,
        yaw_deg=compass_deg(-110.3),
        gimbal_pitch_deg=-24.4,
        gimbal_roll_deg=0.0,
        gimbal_yaw_deg=110.5,
        ground_speed_ms=2.88,
        satellites=15,
        home=Place(-34.232707, -58.847509, -57.98),
        received_ns=dict.fromkeys(groups, START_NS),
    )


def test_what_a_cue_does_not_tell_stays_with_its_age() -> None:
    track = DjiTrack("mavic")
    track.take(cue("HOME(149.0251,-20.2532)\nGPS(149.0251,-20.2533,16) BAROMETER:1.9"))
    [sample] = track.take(cue("GPS(149.0252,-20.2533,15) BAROMETER:2.9", 1000))
    assert sample.home == Place(-20.2532, 149.0251)
    assert sample.received_ns == {
        Group.POSITION: START_NS + 1_000_000_000,
        Group.FIX: START_NS + 1_000_000_000,
        Group.HOME: START_NS,
    }


def test_a_time_that_steps_back_is_now() -> None:
    track = DjiTrack("mavic")
    track.take(cue("GPS(149.0252,-20.2533,15) BAROMETER:2.9", 28_800_000))
    [sample] = track.take(cue("BAROMETER:3.0", 1000))
    assert set(sample.received_ns.values()) == {sample.utc_ns} == {START_NS + 1_000_000_000}


def test_a_lost_fix_is_an_unknown_position() -> None:
    track = DjiTrack("mavic")
    track.take(cue("GPS(149.0252,-20.2533,15) BAROMETER:2.9"))
    [sample] = track.take(cue("GPS(0.0000,0.0000,0) BAROMETER:3.0", 1000))
    assert (sample.lat_deg, sample.lon_deg, sample.alt_home_m, sample.satellites) == (None, None, 3.0, 0)


def test_cues_of_every_picture_that_say_nothing_new_wait_for_a_tenth_of_a_second() -> None:
    track, here = DjiTrack("mavic"), "[latitude : 31.452012] [longtitude : 74.398751] [altitude: 213.9]"
    moved = here.replace("012]", "013]")
    told = [track.take(cue(here if at < 170 else moved, at)) for at in range(0, 300, 17)]
    assert [17 * index for index, samples in enumerate(told) if samples] == [0, 102, 170, 272]


@pytest.mark.parametrize("data", [b"", b"2017.07.03 10:15:22", b"\xff\xfe\x00GPS(", b"[iso : 120]"])
def test_cues_without_anything_give_no_sample(data: bytes) -> None:
    assert DjiTrack("mavic").take(Metadata("film", MetadataKind.DJI, START_NS, data)) == []


def test_a_lost_fix_in_brackets_is_an_unknown_position() -> None:
    track = DjiTrack("mavic")
    track.take(cue("[latitude: 59.3] [longitude: 18.2] [rel_alt: 1.300 abs_alt: 132.860]"))
    [sample] = track.take(cue("[latitude: 0.000000] [longitude: 0.000000] [rel_alt: 1.400 abs_alt: 0.0]", 16))
    assert (sample.lat_deg, sample.lon_deg, sample.alt_msl_m, sample.alt_home_m) == (None, None, None, 1.4)


@pytest.mark.parametrize(
    ("name", "samples", "highest_m"),
    [("m2zoom.SRT", 1225, None), ("mavic_mini.SRT", 117, 201.0), ("matrice_300.srt", 381, 87.9),
     ("p4_rtk.SRT", 55, 86.07), ("mavic_pro.SRT", 468, 118.7), ("broken_incomplete.SRT", 19, 20.3)],
)  # fmt: skip
def test_real_films(feeds: Path, name: str, samples: int, highest_m: float | None) -> None:
    track, told = DjiTrack("real"), []
    with (feeds / "dji_srt" / name).open(encoding="utf-8", newline="") as lines:
        for each in cues(lines):
            told += track.take(cue(each.text, each.start_ms))
    assert len(told) == samples
    heights = [sample.alt_home_m for sample in told if sample.alt_home_m is not None]
    assert max(heights, default=None) == highest_m
    assert all(sample.lat_deg is not None and sample.lon_deg is not None for sample in told)
