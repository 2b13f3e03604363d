"""Films with telemetry of their own, through the real ingest: samples in step with their pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flow.clock import NS_PER_MS, NS_PER_S, SystemClock
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, LinkStatus, Metadata, MetadataKind, TelemetrySample
from flow.units import AccessUnit
from ingest.settings import FeedSource
from telemetry.settings import AircraftLink, TelemetrySettings
from telemetry.tracks import Track
from tests.unit.ingest.material import coded, written
from web.room_settings import telemetry_settings
from web.settings import AircraftSettings, FeedSettings, Settings

from .ingest_rig import running

FRAME_NS = NS_PER_S // 30
CUE = """\
{number}
00:00:0{s},{ms:03} --> 00:00:0{s},{end:03}
GPS(7.70{number},49.4400,15) BAROMETER:{number}.5

"""


def subtitles(count: int, every_ms: int) -> str:
    """Cue `number` at `number * every_ms`, 'number' thousandths of a degree further east and that high."""
    moments = [(number, number * every_ms) for number in range(count)]
    return "".join(
        CUE.format(number=number, s=at // 1000, ms=at % 1000, end=min(at % 1000 + every_ms, 999))
        for number, at in moments
    )


@dataclass
class Followed:
    """What an aircraft's telemetry said of a film that was played, and when it was said."""

    samples: list[tuple[int, TelemetrySample]] = field(default_factory=list)

    async def collect(self, bus: MemoryBus) -> None:
        clock = SystemClock()
        with bus.lossless(TelemetrySample) as reader:
            async for sample in reader:
                self.samples.append((clock.now_ns(), sample))


@asynccontextmanager
async def following(bus: MemoryBus, url: str) -> AsyncIterator[Followed]:
    link, followed = AircraftLink("fritz", url), Followed()
    track = Track(bus, SystemClock(), TelemetrySettings((), tracks=(link,)), link)
    tasks = [asyncio.ensure_future(task) for task in (track.run(), followed.collect(bus))]
    try:
        yield followed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def film(folder: Path) -> Path:
    """Two seconds, and its subtitles beside it: ten cues, the first with the first picture."""
    path = written(folder / "DJI_0007.mp4", coded(60))
    path.with_suffix(".SRT").write_text(subtitles(10, 200), encoding="utf-8")
    return path


async def test_subtitles_beside_a_film_come_with_its_pictures(tmp_path: Path) -> None:
    source = FeedSource("film", f"file:{film(tmp_path)}", loop=True)
    async with running(source) as rig, following(rig._bus, "feed:film") as followed:
        await rig.until(lambda: len(followed.samples) >= 13, "a pass and a half")
        units = rig.units("film")
    _check_in_step(units, followed.samples[:13], every_pictures=6)


def _check_in_step(
    units: list[AccessUnit], samples: list[tuple[int, TelemetrySample]], *, every_pictures: int
) -> None:
    """Cue n belongs to picture 6n of each pass of sixty, by the time of the picture itself."""
    begin = next(unit for unit in units if unit.keyframe)
    for told_ns, sample in samples:
        number = round((sample.alt_home_m or 0) - 0.5)
        assert sample.lon_deg == pytest.approx(7.7 + number / 1000)
        at = round((sample.utc_ns - begin.utc_ns) / FRAME_NS)
        assert at % 60 == number * every_pictures
        assert abs(sample.utc_ns - units[at].utc_ns) < FRAME_NS
        assert -5 * NS_PER_MS < told_ns - sample.utc_ns < 200 * NS_PER_MS


async def test_subtitles_that_are_none_leave_the_film_as_it_is(tmp_path: Path) -> None:
    path = film(tmp_path)
    path.with_suffix(".SRT").write_bytes(bytes(range(256)) * 100)
    async with (
        running(FeedSource("film", f"file:{path}")) as rig,
        following(rig._bus, "feed:film") as followed,
    ):
        await rig.until_pictures("film", 15)
    assert followed.samples == []


async def test_subtitles_without_their_film_go_at_their_own_pace(tmp_path: Path) -> None:
    path = film(tmp_path).with_suffix(".SRT")
    bus, clock = MemoryBus(), SystemClock()
    begin_ns = clock.now_ns()
    async with following(bus, f"srt:{path}") as followed:
        async with asyncio.timeout(10):
            while len(followed.samples) < 5 or clock.now_ns() < begin_ns + NS_PER_S:
                await asyncio.sleep(0.01)
        state = bus.peek(LinkState, "fritz")
    await bus.aclose()
    assert state is not None
    assert state.status is LinkStatus.LIVE
    times = [sample.utc_ns - begin_ns for _, sample in followed.samples[:5]]
    assert times == pytest.approx([times[0] + number * 200 * NS_PER_MS for number in range(5)])
    assert all(0 <= told_ns - sample.utc_ns < 100 * NS_PER_MS for told_ns, sample in followed.samples)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "not_found"),
        (b"", "not_telemetry"),
        (b"\x00\xff" * 500, "not_telemetry"),
        ("folder", "not_telemetry"),
    ],
)
async def test_a_file_that_holds_no_subtitles_says_so(
    tmp_path: Path, content: bytes | str | None, code: str
) -> None:
    path = tmp_path / "x.SRT"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    bus = MemoryBus()
    async with following(bus, f"srt:{path}"), asyncio.timeout(10):
        states = bus.latest(LinkState, "fritz")
        async for state in states:
            if state.status is LinkStatus.FAILED:
                break
    await bus.aclose()
    assert (state.reason, state.detail.count("\n")) == (code, 0)


@pytest.mark.parametrize(
    ("telemetry", "source", "url"),
    [
        ("srt:/films/DJI_0007.SRT", "file:/films/DJI_0007.MP4", "feed:film"),
        ("srt:/films/DJI_0007.SRT", "file:/films/DJI_0008.MP4", "srt:/films/DJI_0007.SRT"),
        ("srt:/films/DJI_0007.SRT", "udp://127.0.0.1:5004", "srt:/films/DJI_0007.SRT"),
        ("feed:film", "file:/films/DJI_0007.MP4", "feed:film"),
    ],
)
def test_subtitles_of_a_film_that_is_played_come_from_there(telemetry: str, source: str, url: str) -> None:
    aircraft = AircraftSettings("fritz", telemetry=telemetry, feed=(FeedSettings("film", source),))
    [track] = telemetry_settings(Settings(aircraft=(aircraft,))).tracks
    assert track.url == url


async def test_karma_is_in_step_with_its_own_picture(feeds: Path) -> None:
    """GPMF of a whole second comes with its first picture; each sample is told when its own moment comes."""
    source = FeedSource("karma", f"file:{feeds / 'video/aerial_karma_h264_480p_gpmf.mp4'}", loop=True)
    async with running(source) as rig, following(rig._bus, "feed:karma") as followed:
        metadata = rig._bus.lossless(Metadata)
        await rig.until(lambda: len(followed.samples) >= 36, "four seconds and more")
        payloads, pictures = metadata.drain(), rig.units("karma")
    assert {payload.kind for payload in payloads} == {MetadataKind.GPMF}
    begin_ns = pictures[0].utc_ns
    late_ms = [(told_ns - sample.utc_ns) / NS_PER_MS for told_ns, sample in followed.samples]
    assert -1 <= min(late_ms) <= max(late_ms) < 150
    # Own times of its GLPI and ATTD beside those of the payloads put the film 145.834 s after the start of
    # the drone, to a millisecond: track_gpmf.py has found that after three payloads.
    for own_s, sample in zip((148.844, 149.095, 149.348, 149.599), _positions(followed)[11:15], strict=True):
        film_s = (sample.utc_ns - begin_ns) / NS_PER_S
        assert film_s == pytest.approx(own_s - 145.834, abs=1001 / 30_000)
    assert followed.samples[-1][1].battery_pct == 57.0


def _positions(followed: Followed) -> list[TelemetrySample]:
    """A sample for each of the drone's positions."""
    found: list[TelemetrySample] = []
    for _, sample in followed.samples:
        if sample.lat_deg is not None and (not found or found[-1].lat_deg != sample.lat_deg):
            found.append(sample)
    return found
