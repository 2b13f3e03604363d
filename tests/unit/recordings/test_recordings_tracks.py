"""Telemetry as CSV, GPX, KML, GeoJSON and tlog, read back by programs that are not ours."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import fastkml
import gpxpy
import gpxpy.gpx
import pytest
from pymavlink import mavutil

from flow.clock import NS_PER_S
from flow.codec.tlog import read_tlog
from flow.flights import Incident
from flow.samples import Group, TelemetrySample
from recordings.export.order import ExportOrder, Part
from recordings.export.source import ExportSource
from recordings.export.tracks import FORMATS, fixes, make_tracks
from recordings.export.tracks.csv_file import csv_parts
from recordings.export.tracks.geojson import geojson_parts
from recordings.export.tracks.gpx import gpx_parts
from recordings.export.tracks.kml import kml_parts
from recordings.samples_file import samples_within
from tests.fakes.clock import START_NS
from tests.fakes.recorded_flights import FlightMaker
from tests.unit.recordings.tracks_flown import STEP_NS, at, north, sample

KML = "{http://www.opengis.net/kml/2.2}"
GX = "{http://www.google.com/kml/ext/2.2}"
NASTY = 'Fritz <&> "Ottmar" \x00\x1b ]]> äöü 🚁'
HOUR = 36_000
Parts = Callable[[Iterable[TelemetrySample], str], Iterator[bytes]]


def whole(parts: Parts, samples: Iterable[TelemetrySample], title: str = "Fritz") -> bytes:
    return b"".join(parts(samples, title))


def gpx_of(samples: Iterable[TelemetrySample], title: str = "Fritz") -> gpxpy.gpx.GPX:
    return gpxpy.parse(whole(gpx_parts, samples, title).decode())


def tracks_of(samples: Iterable[TelemetrySample]) -> list[ET.Element]:
    """Every gx:Track of the XML; fastkml, which reads it by lxml, finds the same."""
    data = whole(kml_parts, samples)
    told: Any = fastkml.KML.from_string(data.partition(b"?>")[2].decode())
    (document,) = told.features
    root = ET.fromstring(data)
    tracks = root.findall(f".//{GX}Track")
    read = [track for placed in document.features for track in placed.kml_geometry.tracks]
    assert [len(track.track_items) for track in read] == [
        len(track.findall(f"{KML}when")) for track in tracks
    ]
    return tracks


def features_of(samples: Iterable[TelemetrySample]) -> list[Any]:
    """The features, after a look at their shape (RFC 7946 3.1, 3.1.9, 3.2, 3.3)."""
    told = json.loads(whole(geojson_parts, samples), parse_constant=pytest.fail)
    assert told.keys() == {"type", "features"}
    assert told["type"] == "FeatureCollection"
    for feature in told["features"]:
        assert feature.keys() == {"type", "geometry", "properties"}
        kind, places = feature["geometry"]["type"], feature["geometry"]["coordinates"]
        line = [places] if kind == "Point" else places
        assert kind == ("Point" if len(line) == 1 else "LineString")
        assert all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in line)
        assert all(abs(a[0] - b[0]) <= 180 for a, b in pairwise(line))
        columns = [column for column in feature["properties"].values() if isinstance(column, list)]
        assert {len(column) for column in columns} == {len(line)}
    return list(told["features"])


def rows_of(samples: Iterable[TelemetrySample]) -> list[dict[str, str]]:
    text = whole(csv_parts, samples).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_every_sample_is_a_row_and_says_its_units() -> None:
    samples = [
        sample(0, yaw_deg=359.994, ground_speed_ms=12.0, climb_ms=-0.5, battery_pct=71.0, mode="POSHOLD"),
        sample(1, None, None, alt_msl_m=None, armed=True, satellites=0),
    ]
    first, second = rows_of(samples)
    assert first["time [UTC]"] == "2026-11-22T06:46:40.000Z"
    assert second["time [UTC]"] == "2026-11-22T06:46:40.100Z"
    assert (first["latitude [deg]"], first["longitude [deg]"]) == ("49.4000000", "7.7000000")
    assert (first["height above sea level [m]"], first["height above home [m]"]) == ("300.00", "0.00")
    assert (first["yaw, true [deg]"], first["ground speed [m/s]"], first["climb [m/s]"]) == (
        "359.99", "12.00", "-0.50",
    )  # fmt: skip
    assert (first["battery [%]"], first["mode"], first["armed"]) == ("71", "POSHOLD", "")
    assert second["latitude [deg]"] == second["height above sea level [m]"] == second["mode"] == ""
    assert (second["armed"], second["satellites"]) == ("yes", "0")


def test_what_was_old_then_is_unknown() -> None:
    kept = {Group.POSITION: 20, Group.BATTERY: 100}
    gone = {Group.POSITION: 21, Group.BATTERY: 101}
    shown, hidden = rows_of([sample(200, battery_pct=50.0, old=each) for each in (kept, gone)])
    assert (shown["latitude [deg]"], shown["battery [%]"]) == ("49.4000000", "50")
    assert (hidden["latitude [deg]"], hidden["battery [%]"], hidden["satellites"]) == ("", "", "14")


@pytest.mark.parametrize("parts", [form.parts for form in FORMATS])
@pytest.mark.parametrize(
    "samples",
    [
        [],
        [sample(n, None, None) for n in range(3)],  # telemetry, no position
        [sample(n, 0.0, 0.0, fix=None) for n in range(3)],
        [sample(n, 0.0, 0.0, fix="none") for n in range(3)],
        [sample(0, math.nan, 7.7), sample(1, 49.0, math.inf), sample(2, 91.0, 7.0), sample(3, 1.0, -181.0)],
    ],
    ids=["empty", "nowhere", "0/0", "0/0 none", "no place"],
)
def test_a_flight_without_a_place_is_a_whole_file_without_one(
    parts: Parts, samples: list[TelemetrySample]
) -> None:
    data = whole(parts, samples)
    if parts is csv_parts:
        rows = rows_of(samples)
        assert len(rows) == len(samples)
        assert not any(row["latitude [deg]"] or row["longitude [deg]"] for row in rows)
    elif parts is gpx_parts:
        assert gpx_of(samples).get_points_no() == 0
    elif parts is kml_parts:
        assert tracks_of(samples) == []
    else:
        assert features_of(samples) == []
    assert b"nan" not in data.lower()
    assert b"inf" not in data.lower()


def test_numbers_that_are_none_are_unknown() -> None:
    wrong = {
        "alt_msl_m": math.nan,
        "ground_speed_ms": math.inf,
        "battery_pct": -math.inf,
        "satellites": 10**400,
    }
    samples = north(range(3), **wrong)
    assert {row["height above sea level [m]"] + row["battery [%]"] for row in rows_of(samples)} == {""}
    assert [point.elevation for point in gpx_of(samples).tracks[0].segments[0].points] == [None] * 3
    (feature,) = features_of(samples)
    assert feature["properties"]["ground_speed_ms"] == [None] * 3
    (track,) = tracks_of(samples)
    assert track.findtext(f"{KML}altitudeMode") == "clampToGround"


@pytest.mark.parametrize("utc_ns", [-(1 << 70), -1, 0, 1 << 62, 1 << 80])
def test_times_that_are_none_leave_nothing(utc_ns: int) -> None:
    strange = TelemetrySample("fritz", utc_ns, lat_deg=49.4, lon_deg=7.7)
    assert rows_of([strange]) == []
    assert gpx_of([strange]).get_points_no() == 0


def test_gpx_has_place_height_time_and_quality_of_each() -> None:
    gpx = gpx_of(north(range(30), ground_speed_ms=10.0), NASTY)
    (track,) = gpx.tracks
    (segment,) = track.segments
    assert (gpx.version, gpx.creator, track.name) == ("1.1", "Lagebild", NASTY.replace("\x00\x1b", ""))
    assert len(segment.points) == 30
    last = segment.points[-1]
    assert (last.latitude, last.longitude, last.elevation) == (49.400261, 7.7, 329.0)
    assert last.time == datetime(2026, 11, 22, 6, 46, 42, 900_000, UTC)
    assert (last.type_of_gpx_fix, last.satellites) == ("3d", 14)
    assert last.extensions[0][0].text == "10.00"
    assert gpx.get_track_points_no() == 30
    assert segment.length_2d() == pytest.approx(29.0, abs=0.3)


def test_a_point_of_gpx_has_its_elements_in_the_order_of_the_schema() -> None:
    """wptType of gpx.xsd is a sequence."""
    root = ET.fromstring(whole(gpx_parts, north(range(2), ground_speed_ms=10.0, fix="rtk_fixed")))
    assert [child.tag.rpartition("}")[2] for child in root[0]] == ["name", "trkseg"]
    for point in root[0][1]:
        told = [child.tag.rpartition("}")[2] for child in point]
        assert told == ["ele", "time", "fix", "sat", "extensions"]
        assert point[2].text == "dgps"  # fixType is closed


def test_a_place_is_told_once_and_of_its_own_time() -> None:
    """Positions come once a second here; samples, for the attitude, ten times."""
    samples = [sample(n, 49.4 + n // 10 * 1e-4, 7.7, old={Group.POSITION: n % 10}) for n in range(30)]
    (segment,) = gpx_of(samples).tracks[0].segments
    assert [point.time for point in segment.points] == [
        datetime(2026, 11, 22, 6, 46, second, tzinfo=UTC) for second in (40, 41, 42)
    ]
    assert [point.latitude for point in segment.points] == [49.4, 49.4001, 49.4002]


def test_a_place_that_was_old_then_is_not_told() -> None:
    """A stretch begins where the aircraft had lost its fix half a minute before."""
    samples = [sample(n, old={Group.POSITION: n}) for n in range(300, 310)]
    assert gpx_of(samples).get_points_no() == 0
    assert features_of(samples) == []


def test_over_a_gap_there_is_no_line() -> None:
    samples = north([*range(20), *range(HOUR, HOUR + 20)])
    assert [len(segment.points) for segment in gpx_of(samples).tracks[0].segments] == [20, 20]
    assert [len(track.findall(f"{GX}coord")) for track in tracks_of(samples)] == [20, 20]
    before, after = features_of(samples)
    assert before["properties"]["utc"][-1] == "2026-11-22T06:46:41.900Z"
    assert after["properties"]["utc"][0] == "2026-11-22T07:46:40.000Z"


@pytest.mark.parametrize(("first", "step"), [(179.9995, 1e-4), (-179.9995, -1e-4), (180.0, -360.0)])
def test_lines_are_cut_at_the_date_line(first: float, step: float) -> None:
    """Eastwards, westwards, and there and back on the line itself, which has two names."""
    lons = [(first + n * step + 540) % 360 - 180 if abs(step) < 1 else first * (-1) ** n for n in range(10)]
    samples = [sample(n, -17.0 + n * 1e-4, lon) for n, lon in enumerate(lons)]
    features = features_of(samples)
    assert len(features) == (2 if abs(step) < 1 else 10)
    for before, after in pairwise(features):
        *_, (lon, lat) = before["geometry"]["coordinates"]
        assert abs(lon) == 180
        assert after["geometry"]["coordinates"][0] == [-lon, lat]
        assert (before["properties"]["utc"][-1], before["properties"]["yaw_deg"][-1]) == (
            after["properties"]["utc"][0], None,
        )  # fmt: skip
    if abs(step) < 1:
        assert features[0]["geometry"]["coordinates"][-1][1] == pytest.approx(-17.0 + 5e-4, abs=1e-4)
    for track in tracks_of(samples):
        lons = [float((place.text or "").split()[0]) for place in track.findall(f"{GX}coord")]
        assert max(lons) - min(lons) <= 180
    assert all(-180 <= point.longitude < 180 for point, *_ in gpx_of(samples).walk())


def test_0_0_with_a_fix_is_a_place() -> None:
    samples = [sample(n, 0.0, 0.0) for n in range(3)]
    assert gpx_of(samples).get_points_no() == 3
    assert features_of(samples)[0]["geometry"]["coordinates"] == [[0.0, 0.0]] * 3
    assert rows_of(samples)[0]["latitude [deg]"] == "0.0000000"


def test_a_track_of_kml_is_over_the_sea_or_on_the_ground() -> None:
    samples = north(range(5)) + north(range(5, 10), alt_msl_m=None) + north(range(10, 15))
    modes = [track.findtext(f"{KML}altitudeMode") for track in tracks_of(samples)]
    assert modes == ["absolute", "clampToGround", "absolute"]
    first = tracks_of(samples)[0]
    assert first.findtext(f"{KML}when") == "2026-11-22T06:46:40.000Z"
    assert first.findtext(f"{GX}coord") == "7.7000000 49.4000000 300.00"
    assert [child.tag for child in first][1:] == [f"{KML}when"] * 5 + [f"{GX}coord"] * 5


@pytest.mark.parametrize(
    "samples",
    [
        [],
        north(range(3)),
        north([0, 1, HOUR], alt_msl_m=None),
        [sample(0, 1.0, 179.9), sample(1, 1.0, -179.9)],
    ],
    ids=["empty", "track", "gap", "date line"],
)
def test_kml_is_as_its_schemas_want_it(samples: list[TelemetrySample], tmp_path: Path) -> None:
    """OGC 07-147r2 and Google's extension, which fastkml brings."""
    path = tmp_path / "telemetry.kml"
    path.write_bytes(whole(kml_parts, samples, NASTY))
    assert fastkml.validate(file_to_validate=path)


def test_kml_names_whatever_it_is_called() -> None:
    root = ET.fromstring(whole(kml_parts, north(range(2)), NASTY))
    assert root.findtext(f"{KML}Document/{KML}name") == NASTY.replace("\x00\x1b", "")


def test_geojson_says_what_was_known_at_each_place() -> None:
    (feature,) = features_of(north(range(3), battery_pct=70.4, yaw_deg=1.239))
    told = feature["properties"]
    assert (told["kind"], told["name"]) == ("track", "Fritz")
    assert told["utc"] == [f"2026-11-22T06:46:40.{n}00Z" for n in range(3)]
    assert (told["battery_pct"], told["yaw_deg"], told["roll_deg"]) == ([70.0] * 3, [1.24] * 3, [None] * 3)
    assert feature["geometry"]["coordinates"] == [[7.7, 49.4], [7.7, 49.400009], [7.7, 49.400018]]


def test_a_single_place_is_a_point() -> None:
    assert features_of([sample(0)])[0]["geometry"] == {"type": "Point", "coordinates": [7.7, 49.4]}


def test_a_long_line_goes_on_in_the_next_feature_so_that_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fixes, "PIECE_MOST", 20)
    samples = north(range(25))
    first, second = (feature["geometry"]["coordinates"] for feature in features_of(samples))
    assert (len(first), len(second)) == (20, 6)
    assert first[-1] == second[0]
    assert [len(segment.points) for segment in gpx_of(samples).tracks[0].segments] == [25]


def test_a_cell_is_no_formula() -> None:
    (row,) = rows_of([sample(0, mode='=HYPERLINK("x")')])
    assert row["mode"].startswith("'=")


def order(flight: FlightMaker, parts: tuple[Part, ...], from_tenth: int, to_tenth: int) -> ExportOrder:
    return ExportOrder(flight.id, at(from_tenth), at(to_tenth), ("fritz-tag",), parts, "Meier")


def source_of(flight: FlightMaker, wanted: ExportOrder, incident: Incident | None = None) -> ExportSource:
    path = flight.folder / "samples.jsonl"
    samples = lambda: samples_within(path, wanted.from_ns, wanted.to_ns)  # noqa: E731
    nothing: Any = None
    return ExportSource(flight.folder, flight.file, wanted, incident, (), samples, nothing)


TRACKS = (Part.TLOG, Part.CSV, Part.GPX, Part.KML, Part.GEOJSON)


def test_what_is_ordered_is_made_of_its_stretch_alone(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path / "data")
    flight.sample(*north(range(60)))
    flight.fly(6)
    told: list[float] = []
    made = make_tracks(source_of(flight, order(flight, TRACKS, 20, 40)), tmp_path, told.append)
    names = ["telemetry.csv", "telemetry.gpx", "telemetry.kml", "telemetry.geojson", "telemetry.tlog"]
    assert [path.name for path in made] == names
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    rows = list(csv.DictReader(made[0].read_text().splitlines()))
    assert (len(rows), rows[0]["time [UTC]"]) == (20, "2026-11-22T06:46:42.000Z")
    assert gpxpy.parse(made[1].read_text()).get_points_no() == 20
    assert "Multikopter Fritz" in made[2].read_text()
    only = make_tracks(source_of(flight, order(flight, (Part.GPX, Part.CLIP), 20, 40)), tmp_path, told.append)
    assert [path.name for path in only] == ["telemetry.gpx"]


def test_a_tlog_is_cut_and_begins_with_a_heartbeat(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path / "data")
    flight.fly(6)
    (made,) = make_tracks(
        source_of(flight, order(flight, (Part.TLOG,), 25, 45)), tmp_path, lambda share: None
    )
    records = list(read_tlog(made.read_bytes()))
    all_records = list(read_tlog((flight.folder / "telemetry.tlog").read_bytes()))
    within = [each for each in all_records if at(25) <= each[0] * 1000 < at(45)]
    assert len(within) > 40
    assert records[1:] == within
    assert records[0] in all_records  # with its own time
    log = mavutil.mavlink_connection(str(made), dialect="ardupilotmega")
    first = log.recv_msg()
    assert (first.get_type(), first._timestamp) == ("HEARTBEAT", at(20) / NS_PER_S)
    messages = [first]
    while (message := log.recv_msg()) is not None:
        messages.append(message)
    log.close()
    assert len(messages) == len(records)
    assert not any(message.get_type() == "BAD_DATA" for message in messages)


def test_without_telemetry_files_are_empty_and_there_is_no_tlog(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path / "data")
    flight.film()
    made = make_tracks(source_of(flight, order(flight, TRACKS, 0, 20)), tmp_path, lambda share: None)
    assert sorted(path.suffix for path in made) == [".csv", ".geojson", ".gpx", ".kml"]
    assert not (tmp_path / "telemetry.tlog").exists()


def test_lines_that_are_none_cost_only_themselves(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.sample(*north(range(5)))
    with (flight.folder / "samples.jsonl").open("ab") as file:
        file.write(b'{"type":"TelemetrySample","item":{"aircraft_id":"fritz","utc_ns":1,"lat_deg":NaN}}\n')
        file.write(b'{"type":"Marker","item":{"utc_ns":%d}}\n\xff\xfe\n[]\n' % at(5))
    flight.sample(*north(range(5, 8)))
    with (flight.folder / "samples.jsonl").open("ab") as file:
        file.write(b'{"type":"TelemetrySample","item":{"aircra')  # a power cut
    found = list(samples_within(flight.folder / "samples.jsonl", at(0), at(100)))
    assert found == north(range(8))
    assert list(samples_within(flight.folder / "samples.jsonl", at(2), at(6))) == north(range(2, 6))
    assert list(samples_within(flight.folder / "samples.jsonl", at(100), at(200))) == []
    assert list(samples_within(flight.folder / "none", 0, START_NS)) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"x" * STEP_NS.bit_length())
    with pytest.raises(OSError, match="symbolic"):
        list(samples_within(tmp_path / "samples.jsonl", 0, START_NS))
