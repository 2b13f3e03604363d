"""Every way in with every codec that a publisher can send by it: what the real ingest makes of it.

Writes build/ingest-matrix.json, of which `make docs-ingest` makes the table in docs/ingest.md.
"""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from flow.flights import UNFIT_NOTES, SourceState
from flow.units import Rendition
from ingest.settings import FeedSource, PublishSettings
from tests.fakes.derived_keys import DerivedKeys

from .ingest_matrix import CELL, CODECS, WAYS, Outcome, committed_table, save, words
from .ingest_rig import DEADLINE_S, FFMPEG, FFMPEG_9, Rig, gstreamer, publishing, running
from .test_ingest_publishers import PICTURES, RTP_PAY, TS_MUX, make_clip
from .test_ingest_rtmp import ffmpeg, port, url
from .test_ingest_rtmp import gstreamer as gstreamer_rtmp
from .test_ingest_rtsp import serving
from .test_ingest_srt import url as srt_url
from .whip_rig import ffmpeg_whip, gst_publisher, whip_house

SIZE = "320x180"
ENOUGH = PICTURES - 3
TOGETHER = 18
FOREIGN_TOGETHER = 5
COMING = ("RTP", "MPEG-TS", "RTMP", "SRT")
LOOPED = ("-stream_loop", "-1")  # until an outcome is known
PROGRAMS = {"ffmpeg": FFMPEG, "ffmpeg 9": FFMPEG_9}
NAL_CODECS = tuple(codec for codec in CODECS if codec.startswith("H.26"))
SILENT = frozenset(
    {"", "connecting", "no_publisher", "publisher_left", "no_packets", "source_ended", "stalled"}
    | {"waiting_for_keyframe"}
)
"""Reasons that say nothing of what was sent."""

FOREIGN = frozenset({"codec_mpeg2", "codec_mpeg4", "codec_mjpeg", "codec_other"})
ENOUGH_TRANSCODED = 15
"""An encoder that is too slow, with so many beside it, leaves pictures out."""

TRANSCODED = UNFIT_NOTES | FOREIGN
"""Notes that name what is made fit for browsers, or for the bus: see test_ingest_real_renditions.py."""


@dataclass(frozen=True, slots=True)
class Case:
    """One publisher that brings one codec by one way."""

    way: str
    publisher: str
    codec: str

    @property
    def is_foreign(self) -> bool:
        """Of a codec that is transcoded before the bus, where the way says which one it is."""
        return self.codec not in NAL_CODECS and self.way in ("MPEG-TS", "SRT", "file")

    @property
    def feed_id(self) -> str:
        told = f"{self.way}-{self.publisher}-{self.codec}".lower()
        return "".join(sign if sign.isalnum() else "-" for sign in told).replace("--", "-")[:32].strip("-")


def cases() -> list[Case]:
    """What these publishers can send by each way; what is not here, they cannot."""
    found = [Case("RTP", "ffmpeg", codec) for codec in CODECS if codec not in ("AV1", "MS-MPEG4")]
    found += [Case("MPEG-TS", "ffmpeg", codec) for codec in (*NAL_CODECS, "MPEG-2", "MPEG-4 Part 2")]
    found += [Case(way, "GStreamer", codec) for way in ("RTP", "MPEG-TS", "RTMP") for codec in ("H.264",)]
    found += [Case("RTMP", "ffmpeg", codec) for codec in NAL_CODECS if codec.startswith("H.264")]
    found += [
        Case("RTMP", "ffmpeg 9", codec) for codec in ("H.264", "H.265", "H.265, B-frames", "VP9", "AV1")
    ]
    for way in ("RTSP, UDP", "RTSP, TCP"):
        found += [Case(way, "GStreamer", codec) for codec in ("H.264", "H.264, B-frames", "H.265")]
    found += [Case("SRT", "ffmpeg 9", codec) for codec in (*NAL_CODECS, "MPEG-2", "MPEG-4 Part 2")]
    return found + [Case("file", "ffmpeg", codec) for codec in CODECS]


WHIP_CASES = [Case("WHIP", publisher, "H.264") for publisher in ("ffmpeg 9", "GStreamer")]
"""These come by the relay's door, so they need the whole service."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    for program in (FFMPEG, "gst-launch-1.0"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: run scripts/apt-test")
    folder = tmp_path_factory.mktemp("matrix")
    with ThreadPoolExecutor(2) as pool:
        made = {
            codec: pool.submit(make_clip, folder / f"{index}.{container(codec)}", *options, size=SIZE)
            for index, (codec, options) in enumerate(CODECS.items())
        }
    return {codec: clip.result() for codec, clip in made.items()}


def container(codec: str) -> str:
    return "avi" if codec == "MS-MPEG4" else "mp4"


def filters(case: Case) -> tuple[str, ...]:
    """Parameter sets in the stream: they stand apart in the clip."""
    if case.codec == "MPEG-4 Part 2":
        return ("-bsf:v", "dump_extra")
    kind = "hevc" if case.codec.startswith("H.265") else "h264"
    return ("-bsf:v", f"{kind}_mp4toannexb,dump_extra") if case.codec in NAL_CODECS else ()


def command(case: Case, clip: str, rig: Rig) -> list[str]:
    """The publisher that brings it, of those that come to us."""
    if case.way == "RTMP":
        to = url(port(rig, case.feed_id), case.feed_id)
        enhanced = ("-rtmp_enhanced_codecs", "hvc1,vp09,av01") if case.publisher == "ffmpeg 9" else ()
        if case.publisher == "GStreamer":
            return gstreamer_rtmp(clip, to)
        return ffmpeg(PROGRAMS[case.publisher], clip, to, *enhanced)
    if case.way == "SRT":
        command = [PROGRAMS[case.publisher], "-nostdin", "-loglevel", "fatal", "-re", *LOOPED]
        to = srt_url(port(rig, case.feed_id), case.feed_id)
        return [*command, "-i", clip, "-map", "0:v", "-c", "copy", *filters(case), "-f", "mpegts", to]
    at, by_rtp = rig.port(case.feed_id), case.way == "RTP"
    if case.publisher == "GStreamer":
        return gstreamer(clip, at, *(RTP_PAY if by_rtp else TS_MUX))
    again = LOOPED if case.is_foreign else ()
    base = [PROGRAMS[case.publisher], "-nostdin", "-loglevel", "fatal", "-re", *again]
    base += ["-i", clip, "-map", "0:v"]
    base += ["-c", "copy", *filters(case), "-strict", "-2"]
    if by_rtp:
        return [*base, "-f", "rtp", f"rtp://127.0.0.1:{at}?rtcpport={at}&pkt_size=1200"]
    return [*base, "-f", "mpegts", f"udp://127.0.0.1:{at}?pkt_size=1316"]


async def source(case: Case, clip: str, stack: AsyncExitStack) -> FeedSource:
    match case.way:
        case "RTP":
            return FeedSource(case.feed_id, "rtp://127.0.0.1:0")
        case "MPEG-TS":
            return FeedSource(case.feed_id, "udp://127.0.0.1:0")
        case "RTMP" | "SRT":
            return FeedSource(case.feed_id, case.way.lower())
        case "file":
            return FeedSource(case.feed_id, f"file:{clip}", loop=case.is_foreign)
    kind = "h265" if case.codec.startswith("H.265") else "h264"
    at = await stack.enter_async_context(serving(clip, kind))
    transport = case.way.rpartition(" ")[2].lower()
    return FeedSource(case.feed_id, f"rtsp://127.0.0.1:{at}/main", transport=transport)


def judged(case: Case, rig: Rig) -> Outcome | None:
    """What became of it; None while nothing can be said."""
    units = [unit for unit in rig.units(case.feed_id) if unit.rendition is Rendition.SOURCE]
    states: list[SourceState] = [state for state in rig.states if state.feed_id == case.feed_id]
    notes = tuple(dict.fromkeys(note for state in states for note in state.notes if note in TRANSCODED))
    if len(units) >= (ENOUGH_TRANSCODED if FOREIGN & set(notes) else ENOUGH):
        return Outcome(case.way, case.publisher, case.codec, "transcoded" if notes else "live", notes)
    silent = SILENT | {"no_keyframe"} if case.is_foreign else SILENT  # the encoder may not have started yet
    reasons = [state.reason for state in states if state.reason not in silent]
    if not reasons:
        return None
    return Outcome(case.way, case.publisher, case.codec, "refused", (reasons[-1],))


def listens(case: Case, rig: Rig) -> bool:
    """Whether a publisher of this can come."""
    state = rig.state(case.feed_id)
    if case.way in ("RTMP", "SRT"):
        return f"{case.way.lower()}://127.0.0.1:" in state.detail
    return case.way not in ("RTP", "MPEG-TS") or bool(state.address)


async def outcomes(group: list[Case], clips: dict[str, str]) -> list[Outcome]:
    """These, all at once."""
    async with AsyncExitStack() as stack:
        sources = [await source(case, clips[case.codec], stack) for case in group]
        publish = PublishSettings(("127.0.0.1",), rtmp_port=0, srt_port=0)
        lost_s = 10.0 if any(case.is_foreign for case in group) else 1.5  # an encoder has to start first
        rig = await stack.enter_async_context(
            running(*sources, lost_s=lost_s, publish=publish, keys=DerivedKeys())
        )
        await rig.until(lambda: all(listens(case, rig) for case in group), "every port is open")
        processes = [
            await stack.enter_async_context(publishing(*command(case, clips[case.codec], rig)))
            for case in group
            if case.way in COMING
        ]
        ending = (
            process.wait()
            for case, process in zip([c for c in group if c.way in COMING], processes, strict=True)
            if case.way != "SRT" and not case.is_foreign
        )
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*ending)

        pending = list(group)

        def all_judged() -> bool:
            rig.state(group[0].feed_id)  # takes in what was told
            pending[:] = [case for case in group if judged(case, rig) is None]
            return not pending

        with suppress(AssertionError):
            await rig.until(all_judged, "an outcome of each")
        assert not pending, [
            (case, len(rig.units(case.feed_id)), rig.state(case.feed_id)) for case in pending
        ]
        return [each for case in group if (each := judged(case, rig)) is not None]


async def whip_outcomes(clip: str, folder: Path) -> list[Outcome]:
    found = []
    async with whip_house(folder, *(case.feed_id for case in WHIP_CASES)) as house:
        for case in WHIP_CASES:
            to, key = f"{house.url}/live/{case.feed_id}/whip", house.keys[case.feed_id]
            if case.publisher == "GStreamer":
                async with gst_publisher(clip) as publisher:
                    await publisher.publish(to, key)
                    await house.rig.until_pictures(case.feed_id, ENOUGH)
            else:
                async with publishing(*ffmpeg_whip(clip, to, key)):
                    await house.rig.until_pictures(case.feed_id, ENOUGH)
            outcome = judged(case, house.rig)
            assert outcome is not None
            found.append(outcome)
    return found


async def test_every_way_in_with_every_codec(clips: dict[str, str], tmp_path: Path) -> None:
    everything = cases()
    assert len({case.feed_id for case in everything}) == len(everything)
    found: list[Outcome] = []
    native = [case for case in everything if not case.is_foreign]
    foreign = [case for case in everything if case.is_foreign]
    for some, together in ((native, TOGETHER), (foreign, FOREIGN_TOGETHER)):
        for at in range(0, len(some), together):
            found += await outcomes(some[at : at + together], clips)
    found += await whip_outcomes(clips["H.264"], tmp_path)
    save(found)
    shown = {(each.way, each.codec): each.result for each in found if each.result != "refused"}
    assert {shown[way, "H.264"] for way in WAYS} == {"live"}
    assert {shown[way, "H.265"] for way in WAYS if way != "WHIP"} == {"transcoded"}
    assert {shown[case.way, case.codec] for case in foreign} == {"transcoded"}
    assert ("RTMP", "AV1", "refused") in {(each.way, each.codec, each.result) for each in found}
    for each in found:
        assert CELL.fullmatch(each.cell), each
        assert all(len(set(words(code))) == 2 for code in each.codes), f"no words for {each}"


def test_the_committed_table_is_of_this_shape() -> None:
    """It is made anew by `make docs-ingest`; what has changed since in here must be in there, too."""
    rows = [line.strip("| ").split(" | ") for line in committed_table().splitlines() if line.startswith("| ")]
    head, *cells = rows[: len(CODECS) + 1]
    assert head == list(WAYS)
    assert [row[0] for row in cells] == list(CODECS)
    for row in cells:
        assert len(row) == len(WAYS) + 1
        assert all(CELL.fullmatch(part) for cell in row[1:] for part in cell.split("; ")), row
    sent = {(case.way, case.codec) for case in (*cases(), *WHIP_CASES)}
    assert {
        (way, row[0]) for row in cells for way, cell in zip(WAYS, row[1:], strict=True) if cell != "–"
    } == sent
