"""Subtitles: cues out of whatever became of the file, and fields out of every dialect of DJI's."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest

from flow.codec.dji_subtitles import Angles, DjiCue, parse_cue
from flow.codec.subrip import CUE_LIMIT_CHARACTERS, Cue, cues, in_order

FIRST = "1\n00:00:00,000 --> 00:00:01,000\nGPS(149.0251,-20.2533,16) BAROMETER:1.9\n"
SECOND = "2\n00:00:01,000 --> 00:00:02,000\nGPS(149.0252,-20.2534,15) BAROMETER:2.5\n"


def read(text: str) -> list[Cue]:
    return list(cues(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "text",
    [
        FIRST + "\n" + SECOND + "\n",
        FIRST + "\n\n\n" + SECOND,
        FIRST + SECOND,
        (FIRST + "\n" + SECOND).replace("\n", "\r\n"),
        "\ufeff" + FIRST + "\n" + SECOND,
        "junk\n7\n" + FIRST + "\n" + SECOND,
        (FIRST + "\n" + SECOND).replace(",000 -->", ".000  -->"),
        (FIRST + "\n" + SECOND).replace("\n2\n", "\n"),
    ],
)
def test_cues_are_found_however_the_file_was_written(text: str) -> None:
    assert read(text) == [
        Cue(0, 1000, "GPS(149.0251,-20.2533,16) BAROMETER:1.9"),
        Cue(1000, 2000, "GPS(149.0252,-20.2534,15) BAROMETER:2.5"),
    ]


def test_times_count_hours_and_short_fractions() -> None:
    assert [(cue.start_ms, cue.end_ms) for cue in read("01:02:03,5 --> 1:02:04.25\nx\n")] == [
        (3_723_500, 3_724_250)
    ]


def test_a_file_cut_anywhere_tells_nothing_wrong() -> None:
    """Half a number is another number: what is cut off is left out, what came before it stays."""
    whole = [parse_cue(cue.text) for cue in read(FIRST + "\n" + SECOND)]
    for size in range(len(FIRST + SECOND)):
        told = [parse_cue(cue.text) for cue in read((FIRST + "\n" + SECOND)[:size])]
        assert all(cue in (known, DjiCue()) for cue, known in zip(told, whole, strict=False)), size


def test_a_cue_with_a_broken_time_keeps_nobody_waiting() -> None:
    times = [(0, "a"), (1000, "b"), (28_800_000, "c"), (3000, "d"), (3000, "e"), (9_000_000, "f")]
    told = in_order(Cue(start_ms, start_ms + 1000, text) for start_ms, text in times)
    assert [cue.text for cue in told] == ["a", "b", "d", "e", "f"]
    assert list(in_order([])) == []


def test_a_cue_is_bounded() -> None:
    [cue] = read("00:00:00,000 --> 00:00:01,000\n" + "x" * 10_000 + "\n")
    assert len(cue.text) == CUE_LIMIT_CHARACTERS


def test_brackets_of_mavic_2() -> None:
    cue = parse_cue(
        '<font size="36">FrameCnt : 1, DiffTime : 16ms\n2020-04-02 15:19:58,720,764\n'
        "[iso : 120] [shutter : 1/2500.0] [fnum : 280] [latitude : 31.452012] [longtitude : 74.398751] "
        "[altitude: 213.983002] </font>"
    )
    moment = datetime(2020, 4, 2, 15, 19, 58, 720_000)
    assert cue == DjiCue(lat_deg=31.452012, lon_deg=74.398751, abs_alt_m=213.983002, local_time=moment)


def test_brackets_of_later_models() -> None:
    cue = parse_cue(
        "2024-05-01 10:00:00.123\n[latitude: 59.302335] [longitude: 18.203059] "
        "[rel_alt: 1.300 abs_alt: 132.860] [gb_yaw: -170.5 gb_pitch: -45.0 gb_roll: 0.0]"
    )
    assert (cue.lat_deg, cue.lon_deg, cue.rel_alt_m, cue.abs_alt_m) == (59.302335, 18.203059, 1.3, 132.86)
    assert cue.gimbal == Angles(-45.0, 0.0, -170.5)


def test_longitude_comes_first_before_a_count_of_satellites() -> None:
    cue = parse_cue("HOME(149.0251,-20.2532) 2017.08.05 14:11:51\nGPS(149.0251,-20.2533,16) BAROMETER:-1.9")
    assert (cue.lat_deg, cue.lon_deg, cue.satellites, cue.rel_alt_m) == (-20.2533, 149.0251, 16, -1.9)
    assert cue.home == (-20.2532, 149.0251)
    assert cue.local_time == datetime(2017, 8, 5, 14, 11, 51)


def test_latitude_comes_first_before_a_height() -> None:
    matrice = parse_cue("2022.06.21 16:06:17\nGPS(36.6146,-6.1120,0.0M) BAROMETER:0.3M")
    assert (matrice.lat_deg, matrice.lon_deg, matrice.abs_alt_m, matrice.rel_alt_m) == (
        36.6146,
        -6.112,
        None,
        0.3,
    )
    avata = parse_cue("GPS(39.906217,116.391305,69.800) BAROMETER(91.2) HOME(39.906206,116.391400)")
    assert (avata.lat_deg, avata.lon_deg, avata.abs_alt_m, avata.rel_alt_m) == (
        39.906217,
        116.391305,
        69.8,
        91.2,
    )
    assert avata.home == (39.906206, 116.3914)


def test_the_line_of_phantom_4_rtk() -> None:
    cue = parse_cue(
        "F/5.6, SS 400, ISO 100, EV 0, GPS (-58.851740, -34.237911, 15), "
        "HOME (-58.847509, -34.232707, -57.98m), D 697.41m, H 85.83m, H.S 2.88m/s, V.S -0.10m/s, "
        "F.PRY (3.0°, -19.9°, 110.3°), G.PRY (-24.4°, 0.0°, 110.5°)"
    )
    assert cue == DjiCue(
        lat_deg=-34.237911,
        lon_deg=-58.85174,
        rel_alt_m=85.83,
        satellites=15,
        home=(-34.232707, -58.847509),
        home_alt_m=-57.98,
        distance_m=697.41,
        horizontal_speed_ms=2.88,
        vertical_speed_ms=-0.1,
        aircraft=Angles(3.0, -19.9, 110.3),
        gimbal=Angles(-24.4, 0.0, 110.5),
    )


def test_not_available_is_unknown() -> None:
    cue = parse_cue(
        "F/2.8, SS 30.15, ISO 260, GPS (-121.7458, 48.0771, 17), D 221.21m, H 200.70m, H.S n/a, V.S n/a "
    )
    assert (cue.lat_deg, cue.rel_alt_m, cue.horizontal_speed_ms, cue.vertical_speed_ms) == (
        48.0771,
        200.7,
        None,
        None,
    )


@pytest.mark.parametrize(
    "text",
    [
        "[latitude : 0.000000] [longitude : 0.000000]",
        "[latitude : 31.45",
        "[latitude : 131.0] [longitude : 7.0]",
        "[latitude : 31.45]",
        "GPS(0.0000,0.0000,0)",
        "GPS(149.0251,-20.25",
        "GPS(149.0251,-200.25,16)",
        "GPS(1e9,nan,16)",
        "HOME(149.0251,-20.2532)",
        "",
    ],
)
def test_no_position_is_unknown(text: str) -> None:
    cue = parse_cue(text)
    assert (cue.lat_deg, cue.lon_deg, cue.home) == (None, None, None)


def test_a_date_that_is_none_is_left_out() -> None:
    assert parse_cue("2017.13.05 14:11:51\nBAROMETER:1.0") == DjiCue(rel_alt_m=1.0)


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("m2zoom.SRT", 7113, (31.452012, 74.398751), (31.450438, 74.398905)),
        ("mavic_mini.SRT", 117, (48.0771, -121.7458), (48.0775, -121.7476)),
        ("matrice_300.srt", 381, (36.6146, -6.112), (36.6146, -6.112)),
        ("p4_rtk.SRT", 55, (-34.237922, -58.851745), (-34.232349, -58.849196)),
        ("mavic_pro.SRT", 468, (-20.2533, 149.0251), (-20.2532, 149.0251)),
        ("broken_incomplete.SRT", 20, (-34.7383, -58.4563), (None, None)),
    ],
)
def test_real_films(
    feeds: Path, name: str, count: int, first: tuple[float, float], last: tuple[float | None, float | None]
) -> None:
    with (feeds / "dji_srt" / name).open(encoding="utf-8", newline="") as lines:
        found = [parse_cue(cue.text) for cue in cues(lines)]
    assert len(found) == count
    assert (found[0].lat_deg, found[0].lon_deg) == first
    assert (found[-1].lat_deg, found[-1].lon_deg) == last
    assert sum(cue.lat_deg is not None for cue in found) == count - (last[0] is None)
