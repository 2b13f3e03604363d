"""What is in an export: all that was wanted and there is, hidden what is to be hidden, signed."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from flow.clock import NS_PER_S
from flow.errors import LagebildError, MalformedError, NotFoundError
from flow.flights import Aircraft, Feed, Marker
from recordings.export.jobs import JobShelf, LeftOut, new_job
from recordings.export.order import ExportOrder, Part, Region, order_of
from recordings.export.source import ExportSource
from recordings.export.verify import verify
from tests.fakes.clock import START_NS
from tests.fakes.recorded_flights import FRITZ, FlightMaker
from tests.unit.web.recorded_house import samples
from web.export_making import Making, failed
from web.export_source import open_source
from web.export_stills import STILLS_MOST, make_stills, moments
from web.export_talk import Made, Progress, Task
from web.flight_stills import still_of

TWO_CAMERAS = Aircraft(
    "fritz", "Fritz", (Feed("fritz-tag", "fritz", "Tag"), Feed("fritz-waerme", "fritz", "Wärme"))
)
LEFT_HALF = Region(0.0, 0.0, 0.5, 1.0)


def flown(root: Path, aircraft: Aircraft = FRITZ) -> FlightMaker:
    flight = FlightMaker(root, aircraft)
    flight.film(seconds=2)
    flight.fly(2)
    flight.sample(*samples(20))
    flight.tell(Marker("m-1", "fritz", START_NS + NS_PER_S, 49.4, 7.7, "Glutnest", "ELW 1", marker_id="m"))
    flight.end(2)
    return flight


def made(root: Path, flight: FlightMaker, *parts: Part, **more: object) -> tuple[Made, list[Progress], Path]:
    wished = ExportOrder(flight.id, 0, 1 << 62, (), parts, "Meier")
    order = order_of(flight.file, flight.file.ended_ns or 0, replace_struct(wished, **more))
    job = JobShelf(root).add(new_job(order, START_NS))
    said: list[Progress] = []
    done = Making(Task(str(root), job.id), said.append).run()
    return done, said, JobShelf(root).zip_path(job.id)


def replace_struct(order: ExportOrder, **more: object) -> ExportOrder:
    return ExportOrder(**{name: getattr(order, name) for name in order.__struct_fields__} | more)


def source_of(root: Path, flight: FlightMaker, **more: object) -> ExportSource:
    wished = ExportOrder(flight.id, 0, 1 << 62, (), (Part.REPORT,), "Meier")
    order = order_of(flight.file, flight.file.ended_ns or 0, replace_struct(wished, **more))
    return open_source(root, order, None, ())


def test_everything_at_once_is_there_and_intact(tmp_path: Path) -> None:
    done, said, path = made(tmp_path, flown(tmp_path), *Part)
    names = set(zipfile.ZipFile(path).namelist())
    assert {f"telemetry/telemetry.{suffix}" for suffix in ("csv", "gpx", "kml", "geojson", "tlog")} <= names
    assert {"video/fritz-tag.mp4", "video/fritz-tag-display.mp4", "video/fritz-tag.ts"} <= names
    assert {"report/report.html", "report/report.pdf"} <= names
    assert (done.left_out, done.size_bytes) == ((), path.stat().st_size)
    assert verify(path).intact
    shares = [each.share for each in said]
    assert shares == sorted(shares)
    assert 0 == shares[0] < shares[-1] <= 1
    assert {each.step for each in said} >= {"csv", "clip", "burned", "ts", "report", "package"}
    assert not JobShelf(tmp_path).parts_folder(path.parent.name).exists()


def test_what_is_hidden_is_hidden_everywhere(tmp_path: Path) -> None:
    flight = flown(tmp_path, TWO_CAMERAS)
    done, _, path = made(
        tmp_path, flight, Part.CLIP, Part.TS, Part.REPORT, regions={"fritz-tag": (LEFT_HALF,)}
    )
    assert set(done.left_out) == {
        LeftOut(Part.TS, "fritz-tag", "regions"),
        LeftOut(Part.TS, "fritz-waerme", "nothing_recorded"),
        LeftOut(Part.CLIP, "fritz-waerme", "nothing_recorded"),
    }
    names = zipfile.ZipFile(path).namelist()
    assert "video/fritz-tag.mp4" in names
    assert not any(name.endswith(".ts") for name in names)
    still = next(name for name in names if name.endswith("640.333Z.jpg"))
    hidden = picture(zipfile.ZipFile(path).read(still))
    plain = picture(still_of(flight.folder, flight.file, "fritz-tag", START_NS + 333_400_000).jpeg)
    half = plain.shape[1] // 2
    changed = np.abs(hidden.astype(np.int16) - plain)
    assert changed[:, half:].max() <= 8  # JPEG blocks at the border
    assert changed[:, :half].mean() > 2


def picture(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.mark.parametrize("what", ["no telemetry", "no video", "an hour's gap"])
def test_what_there_is_of_a_poor_flight_is_exported(tmp_path: Path, what: str) -> None:
    flight = FlightMaker(tmp_path)
    if what != "no video":
        flight.film(seconds=1)
    if what == "an hour's gap":
        flight.film(seconds=1, gap_s=3600)
    if what != "no telemetry":
        flight.sample(*samples(20))
    flight.end(3602)
    done, _, path = made(tmp_path, flight, Part.CLIP, Part.CSV, Part.REPORT)
    assert verify(path).intact
    assert [each.part for each in done.left_out] == ([Part.CLIP] if what == "no video" else [])


def test_where_nothing_is_left_there_is_no_export(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path)
    flight.end(2)
    with pytest.raises(LagebildError) as nothing:
        made(tmp_path, flight, Part.CLIP, Part.TS)
    assert nothing.value.code == "nothing_recorded"
    (job,) = JobShelf(tmp_path).all()
    assert not JobShelf(tmp_path).zip_path(job.id).exists()


def test_stills_are_of_marks_and_evenly_between_and_one_picture_is_there_once(tmp_path: Path) -> None:
    source = source_of(tmp_path, flown(tmp_path))
    chosen = moments(source, STILLS_MOST)
    assert START_NS + NS_PER_S in chosen
    assert len(chosen) == STILLS_MOST
    assert chosen == sorted(chosen)
    short = source_of(tmp_path, flown_again(tmp_path), from_ns=START_NS, to_ns=START_NS + NS_PER_S // 20)
    assert 1 <= len(make_stills(short, tmp_path, lambda _: None)) <= 2


def flown_again(root: Path) -> FlightMaker:
    flight = FlightMaker(root, replace(FRITZ, id="otto"), START_NS)
    flight.film(seconds=1)
    flight.end(1)
    return flight


def test_an_export_takes_no_room_of_recordings(tmp_path: Path) -> None:
    flight = flown(tmp_path)
    order = source_of(tmp_path, flight).order
    job = JobShelf(tmp_path).add(new_job(order, START_NS))
    with pytest.raises(OSError, match="room of recordings") as full:
        Making(Task(str(tmp_path), job.id, reserve_bytes=1 << 60), print).run()
    told = failed(full.value)
    assert told is not None
    assert told.reason == "disk_full"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "disk_full"),
        (OSError(5, "Input/output error"), "disk_failed"),
        (MalformedError("torn"), "recording_damaged"),
        (NotFoundError("no", code="no_pictures"), "nothing_recorded"),
        (LagebildError("no", code="encoder_failed"), "encoder_failed"),
        (LagebildError("no", code="something"), "export_failed"),
        (RuntimeError("no"), None),
    ],
)
def test_every_error_has_a_reason_that_pages_know(error: Exception, reason: str | None) -> None:
    told = failed(error)
    assert (told.reason if told else None) == reason


def test_no_still_is_of_before_the_stretch(tmp_path: Path) -> None:
    from_ns = START_NS + NS_PER_S + 10_000_000  # a picture was taken 10 ms before, the next 23 ms after
    between = source_of(tmp_path, flown(tmp_path), from_ns=from_ns, to_ns=from_ns + 20_000_000)
    assert make_stills(between, tmp_path, lambda _: None) == []
