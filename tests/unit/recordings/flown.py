"""Folders of recorded flights made at test time, a few seconds long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from flow.codec.tlog import write_record
from flow.units import AccessUnit, Codec
from recordings.flight_file import FlightFile, RecordedFeed, encoded
from recordings.folders import FLIGHT_FILE, TLOG_FILE, flight_folder, flight_id, segment_name
from recordings.footage import open_video
from recordings.protocol.segment import SegmentMachine
from tests.fakes.clock import START_NS
from tests.fakes.encoded import as_units, h264_pictures
from tests.unit.recordings.flights import Aircraft, encode_film

NS_PER_S = 1_000_000_000
BOOT_MS = 60_000


def filmed(feed_id: str, seconds: float = 3.0, start_ns: int = START_NS) -> list[AccessUnit]:
    """30 pictures a second with a keyframe every half."""
    count = round(30 * seconds)
    return as_units(h264_pictures(count, 160, 120, 15), feed_id, start_ns)


def filmed_in_h265(folder: Path, feed_id: str, start_ns: int = START_NS) -> list[AccessUnit]:
    """50 pictures, 25 a second."""
    film = encode_film(folder / "h265.ts", codec="libx265", count=50)
    template = filmed(feed_id, 0.5)[0]
    pictures = list(open_video(film, Fraction(25)).pictures())
    return [
        dataclasses.replace(
            template,
            codec=Codec.H265,
            seq=number,
            dts_90k=(at := start_ns * 9 // 100_000 + number * 3600),
            pts_90k=at,
            utc_ns=start_ns + number * 40_000_000,
            keyframe=picture.is_keyframe,
            data=picture.data,
        )
        for number, picture in enumerate(pictures)
    ]


def later(units: Iterable[AccessUnit], by_ns: int) -> list[AccessUnit]:
    ticks = by_ns * 9 // 100_000
    return [
        dataclasses.replace(
            u,
            dts_90k=u.dts_90k + ticks,
            pts_90k=u.pts_90k + ticks,
            utc_ns=u.utc_ns + by_ns,
            epoch=u.epoch + 1,
        )
        for u in units
    ]


def said(seconds: int, start_ns: int = START_NS) -> list[tuple[int, bytes]]:
    """Attitude ten times a second, position five times, a heartbeat each; home only at the start."""
    aircraft, records = Aircraft(), []
    for tenth in range(10 * seconds):
        at_us, boot_ms = start_ns // 1000 + tenth * 100_000, BOOT_MS + tenth * 100
        messages = [aircraft.heartbeat()] if tenth % 10 == 0 else []
        messages += [aircraft.home()] if tenth == 0 else []
        messages += [aircraft.attitude(boot_ms, roll=tenth / 100)]
        messages += [aircraft.position(boot_ms)] if tenth % 2 == 0 else []
        records += [(at_us, message) for message in messages]
    return records


def flight(
    root: Path,
    feeds: Mapping[str, Sequence[AccessUnit]],
    records: Iterable[tuple[int, bytes]] = (),
    *,
    start_ns: int = START_NS,
) -> Path:
    """The folder of a flight of "fritz" in the data folder `root`."""
    name = flight_id(start_ns, "fritz")
    folder = flight_folder(root, name)
    folder.mkdir(parents=True)
    recorded = tuple(RecordedFeed(feed_id, f"Kamera {feed_id}") for feed_id in feeds)
    about = FlightFile(name, "fritz", "Multikopter Fritz", recorded, start_ns)
    (folder / FLIGHT_FILE).write_bytes(encoded(about))
    for feed_id, units in feeds.items():
        for number, data in enumerate(_segments(units), 1):
            (folder / segment_name(feed_id, number)).write_bytes(data)
    tlog = b"".join(write_record(at_us, message) for at_us, message in records)
    if tlog:
        (folder / TLOG_FILE).write_bytes(tlog)
    return folder


def _segments(units: Sequence[AccessUnit]) -> list[bytes]:
    """A new one where the codec changes."""
    segments: list[bytes] = []
    machine: SegmentMachine | None = None
    data = b""
    for unit in units:
        if machine is not None and machine.fits(unit):
            data += machine.take(unit)
            continue
        if machine is not None:
            segments.append(data + machine.close())
        machine, data = SegmentMachine(unit), b""
    return [*segments, data + machine.close()] if machine else segments
