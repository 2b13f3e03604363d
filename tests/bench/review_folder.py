"""The data folder that `make bench-review` reviews, kept in build/bench/ and made anew when older than a day.

A flight of two hours: the clip again and again, written by the recorder's own SegmentMachine, in segments of
ten minutes with two gaps, and telemetry ten times a second; one with a gap of 70 minutes; one in H.265, where
there is time; and 10,000 small ones at other times and places, some of incidents, to look for them. Films are
made aside and come in last, so that the catalogue of the others can be made meanwhile.

    python -m tests.bench.review_folder [--quick]        makes it
"""

from __future__ import annotations

import asyncio
import io
import random
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import av
import msgspec
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from flow.clock import NS_PER_MS, NS_PER_S, SystemClock
from flow.flights import Aircraft, Feed, IncidentKind
from flow.samples import TelemetrySample
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec, Rendition, UtcOrigin
from recordings.archive import Archive
from recordings.flight_file import FlightFile, encoded
from recordings.folders import (
    FLIGHT_FILE,
    SAMPLES_FILE,
    flight_folder,
    flight_id,
    flights_folder,
    incidents_folder,
    segment_name,
)
from recordings.incidents import IncidentFile, write_incident
from recordings.protocol.lines import line_of
from recordings.protocol.retention import Days
from recordings.protocol.segment import SegmentMachine
from tests.bench import clip, hevc
from tests.bench.peers import BUILD
from tests.bench.review_truth import CENTRE_LAT_DEG, CENTRE_LON_DEG, Circle

SMALL_FLIGHTS, INCIDENTS, FLIGHTS_OF_INCIDENT = 10_000, 50, 8
SMALL_EVERY_S = 4 * 3600
LONG_RUNS = ((0, 2100), (2120, 4800), (4980, 7200))
"""Seconds of the flight with pictures; between them are its gaps."""
FAR_RUNS = ((0, 60), (60 + 70 * 60, 120 + 70 * 60))
HEVC_RUNS = ((0, 120),)
SEGMENT_S = 600
SAMPLES_HZ = 10
QUICK_SIZE, QUICK_FPS, QUICK_BITRATE_BPS, QUICK_CLIP_S = (640, 360), 15, 500_000, 10
_ASIDE = "bench-films"
WRITERS = 2
DAY_S = 24 * 3600
_VERSION = 3
TOWNS = (
    "Otterberg",
    "Ramstein",
    "Landstuhl",
    "Enkenbach",
    "Weilerbach",
    "Trippstadt",
    "Hochspeyer",
    "Queidersbach",
)


@dataclass(frozen=True, slots=True)
class Film:
    """A made flight with pictures, `fps` a second. `clip_ms`: after so long they and their strips repeat."""

    aircraft: Aircraft
    started_ms: int
    runs: tuple[tuple[int, int], ...]
    clip_ms: int
    fps: int

    @property
    def id(self) -> str:
        return flight_id(self.started_ms * NS_PER_MS, self.aircraft.id)

    @property
    def feed_id(self) -> str:
        return self.aircraft.feeds[0].id

    @property
    def circle(self) -> Circle:
        return Circle(self.aircraft.id, self.started_ms, self.clip_ms)

    @property
    def length_s(self) -> int:
        return self.runs[-1][1]

    def moment(self, chance: random.Random) -> float:
        """Any with a picture, UTC in ms; a second from every gap."""
        first, end = chance.choices(self.runs, [end - first for first, end in self.runs])[0]
        return self.started_ms + chance.uniform(first + 1, end - 1) * 1000


@dataclass(frozen=True, slots=True)
class ReviewFolder:
    """What there is in it."""

    root: Path
    made_ms: int
    quick: bool

    @property
    def clip_ms(self) -> int:
        return (QUICK_CLIP_S if self.quick else clip.SECONDS) * 1000

    @property
    def aside(self) -> Path:
        """Where films are made."""
        return self.root / _ASIDE

    @property
    def fps(self) -> int:
        return QUICK_FPS if self.quick else clip.FPS

    @property
    def long(self) -> Film:
        return self._film("bench-lang", "Zwei Stunden", 30, LONG_RUNS)

    @property
    def far(self) -> Film:
        return self._film("bench-luecke", "Siebzig Minuten Lücke", 34, FAR_RUNS)

    @property
    def hevc(self) -> Film | None:
        """Only where there is time to make it."""
        if self.quick:
            return None
        film = self._film("bench-h265", "H.265", 36, HEVC_RUNS)
        return replace(film, clip_ms=hevc.SECONDS * 1000, fps=clip.FPS)

    @property
    def films(self) -> list[Film]:
        return [film for film in (self.long, self.far, self.hevc) if film]

    @property
    def pictures(self) -> str:
        """Of what the two hours are made, for people."""
        (width, height), bps = (QUICK_SIZE, QUICK_BITRATE_BPS) if self.quick else (_SIZE, clip.BITRATE_BPS)
        return f"{width}x{height}, {self.fps} pictures a second, {bps / 1e6:g} Mbit/s"

    def _film(self, id_: str, name: str, hours_ago: int, runs: tuple[tuple[int, int], ...]) -> Film:
        started_ms = self.made_ms - hours_ago * 3_600_000
        return Film(_aircraft(id_, name), started_ms, runs, self.clip_ms, self.fps)


_SIZE = (clip.WIDTH, clip.HEIGHT)


def review_folder(quick: bool) -> ReviewFolder:
    """The one that is kept, or a new one."""
    root = (BUILD / f"review-{'quick' if quick else 'full'}-v{_VERSION}").resolve()
    stamp = root / "bench-made"
    if stamp.exists() and time.time() - (made_s := int(stamp.read_text())) < DAY_S:
        return ReviewFolder(root, made_s * 1000, quick)
    shutil.rmtree(root, ignore_errors=True)
    made_s = int(time.time())
    folder = ReviewFolder(root, made_s * 1000, quick)
    _make(folder)
    stamp.write_text(str(made_s))  # last: half a folder is none
    return folder


def _make(folder: ReviewFolder) -> None:
    for film in folder.films:
        _pictures(folder.quick, _codec_of(folder, film))  # once, and not in every process
    with ProcessPoolExecutor(WRITERS, get_context("spawn")) as writers:
        work = [writers.submit(_write_small, folder)]
        for film in folder.films:
            _begin(folder.aside, film)
            work += [
                writers.submit(_write_segment, folder, film, number, stretch)
                for number, stretch in enumerate(_segments(film.runs), 1)
            ]
        for each in work:
            each.result()
    for film in folder.films:
        flight_folder(folder.aside, film.id).rename(flight_folder(folder.root, film.id))


def _codec_of(folder: ReviewFolder, film: Film) -> Codec:
    return Codec.H265 if film == folder.hevc else Codec.H264


def _aircraft(id_: str, name: str) -> Aircraft:
    return Aircraft(id_, name, (Feed(f"{id_}-tag", id_, "Tageslicht", hfov_deg=60.0),))


def _segments(runs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, end in runs:
        for at in range(first, end, SEGMENT_S):
            yield at, min(at + SEGMENT_S, end)


def _begin(root: Path, film: Film) -> None:
    """All but its pictures."""
    folder = flight_folder(root, film.id)
    folder.mkdir(parents=True)
    times_ms = range(0, film.length_s * 1000, 1000 // SAMPLES_HZ)
    with (folder / SAMPLES_FILE).open("wb") as file:
        file.writelines(line_of(film.circle.sample(since_ms)) for since_ms in times_ms)
    _put_flight(folder, film.aircraft, film.started_ms, film.length_s)


def _put_flight(folder: Path, aircraft: Aircraft, started_ms: int, length_s: float) -> None:
    flight = FlightFile.begun(folder.name, aircraft, started_ms * NS_PER_MS)
    ended_ns = started_ms * NS_PER_MS + round(length_s * NS_PER_S)
    (folder / FLIGHT_FILE).write_bytes(encoded(msgspec.structs.replace(flight, ended_ns=ended_ns)))


def _write_segment(folder: ReviewFolder, film: Film, number: int, stretch: tuple[int, int]) -> None:
    codec = _codec_of(folder, film)
    units = _units(film, stretch, _pictures(folder.quick, codec), codec)
    machine = SegmentMachine(next(units))
    with (flight_folder(folder.aside, film.id) / segment_name(film.feed_id, number)).open("wb") as file:
        file.writelines(machine.take(unit) for unit in units)
        file.write(machine.close())


def _units(
    film: Film, stretch: tuple[int, int], pictures: Sequence[bytes], codec: Codec
) -> Iterator[AccessUnit]:
    """The picture `n` of the flight is the clip's `n` modulo its length."""
    fps = film.fps
    group = clip.GROUP_S * fps
    for n in range(stretch[0] * fps, stretch[1] * fps):
        utc_ns = film.started_ms * NS_PER_MS + n * NS_PER_S // fps
        at_90k = film.started_ms * (CLOCK_RATE_HZ // 1000) + n * (CLOCK_RATE_HZ // fps)
        yield AccessUnit(
            feed_id=film.feed_id,
            rendition=Rendition.SOURCE,
            codec=codec,
            epoch=1,
            seq=n,
            dts_90k=at_90k,
            pts_90k=at_90k,
            utc_ns=utc_ns,
            utc_origin=UtcOrigin.SOURCE,
            keyframe=n % group == 0,
            data=pictures[n % len(pictures)],
        )


def _pictures(quick: bool, codec: Codec) -> list[bytes]:
    if codec is Codec.H265:
        return hevc.access_units()
    if not quick:
        return clip.access_units()
    width, height = QUICK_SIZE
    name = f"clip-{height}p{QUICK_FPS}-{QUICK_BITRATE_BPS // 1000}k-of-{QUICK_CLIP_S}s-v{_VERSION}.bin"
    return clip.kept(BUILD / name, lambda: _smaller(width, height))


def _smaller(width: int, height: int) -> Iterator[bytes]:
    """The clip's beginning again, scaled, and every other picture of it: its strip survives that."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, QUICK_FPS), Fraction(QUICK_FPS)
    codec.bit_rate = QUICK_BITRATE_BPS
    codec.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",
        "x264-params": "sliced-threads=0:slices=1:keyint=infinite:scenecut=0:repeat-headers=1",
    }
    with av.open(io.BytesIO(b"".join(clip.access_units(seconds=QUICK_CLIP_S))), "r", format="h264") as source:
        shown = islice(source.decode(video=0), 0, None, clip.FPS // QUICK_FPS)
        for number, frame in enumerate(shown):
            scaled = frame.reformat(width, height, "yuv420p")
            scaled.time_base, scaled.pts = Fraction(1, QUICK_FPS), number
            first = number % (clip.GROUP_S * QUICK_FPS) == 0
            scaled.pict_type = PictureType.I if first else PictureType.NONE
            yield from (bytes(packet) for packet in codec.encode(scaled))
    yield from (bytes(packet) for packet in codec.encode(None))


def small_place(number: int) -> tuple[float, float]:
    """Where small flight `number` was: spread over 50 km."""
    chance = random.Random(number)
    return CENTRE_LAT_DEG + chance.uniform(-0.4, 0.4), CENTRE_LON_DEG + chance.uniform(-0.6, 0.6)


def small_started_ms(folder: ReviewFolder, number: int) -> int:
    return folder.made_ms - (48 * 3600 + number * SMALL_EVERY_S) * 1000


def small_aircraft(number: int) -> Aircraft:
    """Eight fly them in turns."""
    town = number % len(TOWNS)
    return _aircraft(f"bench-{town}", f"Drohne {TOWNS[town]}")


def incident_id(number: int) -> str:
    return f"bench-einsatz-{number}"


def _write_small(folder: ReviewFolder) -> None:
    flights_folder(folder.root).mkdir(parents=True, exist_ok=True)
    ids = [_write_one(folder, number) for number in range(SMALL_FLIGHTS)]
    incidents_folder(folder.root).mkdir(parents=True, exist_ok=True)
    for number in range(INCIDENTS):
        first = number * (SMALL_FLIGHTS // INCIDENTS)
        opened_ns = small_started_ms(folder, first + FLIGHTS_OF_INCIDENT) * NS_PER_MS
        closed_ns = opened_ns + 48 * 3600 * NS_PER_S
        own = tuple(ids[first : first + FLIGHTS_OF_INCIDENT])
        name = f"Waldbrand {TOWNS[number % len(TOWNS)]} {number}"
        incident = IncidentFile(
            incident_id(number), IncidentKind.EINSATZ, name, opened_ns, closed_ns, closed_ns, flight_ids=own
        )
        write_incident(folder.root, incident)
    asyncio.run(_list(folder.root))


async def _list(root: Path) -> None:
    """Make the catalogue, so that the service need not."""
    archive = Archive(root, SystemClock(), Days())
    await archive.open()
    await archive.flights()  # waits for what is being read
    await archive.aclose()


def _write_one(folder: ReviewFolder, number: int) -> str:
    aircraft, started_ms = small_aircraft(number), small_started_ms(folder, number)
    lat_deg, lon_deg = small_place(number)
    path = flight_folder(folder.root, flight_id(started_ms * NS_PER_MS, aircraft.id))
    path.mkdir()
    _put_flight(path, aircraft, started_ms, 600)
    samples = (
        TelemetrySample(
            aircraft.id, (started_ms + n * 1000) * NS_PER_MS,
            lat_deg=lat_deg + n * 1e-4, lon_deg=lon_deg, alt_home_m=50.0, fix="3d", satellites=12,
        )
        for n in range(5)
    )  # fmt: skip
    (path / SAMPLES_FILE).write_bytes(b"".join(map(line_of, samples)))
    return path.name


if __name__ == "__main__":
    began_s = time.monotonic()
    made = review_folder("--quick" in sys.argv)
    print(f"{made.root}: {time.monotonic() - began_s:.0f} s", file=sys.stderr)
