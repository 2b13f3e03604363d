"""Every way in with every codec that a publisher can send by it: what the real ingest makes of it.

Writes build/ingest-matrix.json, of which `make docs-ingest` makes the table in docs/ingest.md.
"""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import pytest

from flow.flights import SourceState
from flow.units import Rendition
from ingest.settings import FeedSource, PublishSettings
from tests.fakes.derived_keys import DerivedKeys

from .ingest_matrix import CELL, CODECS, WAYS, Outcome, committed_table, save, words
from .ingest_rig import DEADLINE_S, FFMPEG, FFMPEG_9, Rig, gstreamer, publishing, running
from .test_ingest_publishers import PICTURES, RTP_PAY, TS_MUX, make_clip
from .test_ingest_rtmp import ffmpeg, port, url
from .test_ingest_rtmp import gstreamer as gstreamer_rtmp
from .test_ingest_rtsp import serving

SIZE = "320x180"
ENOUGH = PICTURES - 3
TOGETHER = 18
PROGRAMS = {"ffmpeg": FFMPEG, "ffmpeg 9": FFMPEG_9}
NAL_CODECS = tuple(codec for codec in CODECS if codec.startswith("H.26"))
SILENT = frozenset(
    {"", "connecting", "no_publisher", "publisher_left", "no_packets", "source_ended", "stalled"}
)
"""Reasons that say nothing of what was sent."""


@dataclass(frozen=True, slots=True)
class Case:
    """One publisher that brings one codec by one way."""

    way: str
    publisher: str
    codec: str

    @property
    def feed_id(self) -> str:
        told = f"{self.way}-{self.publisher}-{self.codec}".lower()
        return "".join(sign if sign.isalnum() else "-" for sign in told).replace("--", "-")[:32].strip("-")


def cases() -> list[Case]:
    """What these publishers can send by each way; what is not here, they cannot."""
    found = [Case("RTP", "ffmpeg", codec) for codec in CODECS if codec != "AV1"]
    found += [Case("MPEG-TS", "ffmpeg", codec) for codec in (*NAL_CODECS, "MPEG-2", "MPEG-4 Part 2")]
    found += [Case(way, "GStreamer", codec) for way in ("RTP", "MPEG-TS", "RTMP") for codec in ("H.264",)]
    found += [Case("RTMP", "ffmpeg", codec) for codec in NAL_CODECS if codec.startswith("H.264")]
    found += [
        Case("RTMP", "ffmpeg 9", codec) for codec in ("H.264", "H.265", "H.265, B-frames", "VP9", "AV1")
    ]
    for way in ("RTSP, UDP", "RTSP, TCP"):
        found += [Case(way, "GStreamer", codec) for codec in ("H.264", "H.264, B-frames", "H.265")]
    return found + [Case("file", "ffmpeg", codec) for codec in CODECS]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    for program in (FFMPEG, "gst-launch-1.0"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: run scripts/apt-test")
    folder = tmp_path_factory.mktemp("matrix")
    with ThreadPoolExecutor(2) as pool:
        made = {
            codec: pool.submit(make_clip, folder / f"{index}.mp4", *options, size=SIZE)
            for index, (codec, options) in enumerate(CODECS.items())
        }
    return {codec: clip.result() for codec, clip in made.items()}


def command(case: Case, clip: str, rig: Rig) -> list[str]:
    """The publisher that brings it, of those that come to us."""
    if case.way == "RTMP":
        to = url(port(rig, case.feed_id), case.feed_id)
        enhanced = ("-rtmp_enhanced_codecs", "hvc1,vp09,av01") if case.publisher == "ffmpeg 9" else ()
        if case.publisher == "GStreamer":
            return gstreamer_rtmp(clip, to)
        return ffmpeg(PROGRAMS[case.publisher], clip, to, *enhanced)
    at, by_rtp = rig.port(case.feed_id), case.way == "RTP"
    if case.publisher == "GStreamer":
        return gstreamer(clip, at, *(RTP_PAY if by_rtp else TS_MUX))
    base = [PROGRAMS[case.publisher], "-nostdin", "-loglevel", "fatal", "-re", "-i", clip, "-map", "0:v"]
    kind = "hevc" if case.codec.startswith("H.265") else "h264"
    filters = ["-bsf:v", f"{kind}_mp4toannexb,dump_extra"] if case.codec in NAL_CODECS else []
    base += ["-c", "copy", *filters, "-strict", "-2"]
    if by_rtp:
        return [*base, "-f", "rtp", f"rtp://127.0.0.1:{at}?rtcpport={at}&pkt_size=1200"]
    return [*base, "-f", "mpegts", f"udp://127.0.0.1:{at}?pkt_size=1316"]


async def source(case: Case, clip: str, stack: AsyncExitStack) -> FeedSource:
    match case.way:
        case "RTP":
            return FeedSource(case.feed_id, "rtp://127.0.0.1:0")
        case "MPEG-TS":
            return FeedSource(case.feed_id, "udp://127.0.0.1:0")
        case "RTMP":
            return FeedSource(case.feed_id, "rtmp")
        case "file":
            return FeedSource(case.feed_id, f"file:{clip}")
    kind = "h265" if case.codec.startswith("H.265") else "h264"
    at = await stack.enter_async_context(serving(clip, kind))
    transport = case.way.rpartition(" ")[2].lower()
    return FeedSource(case.feed_id, f"rtsp://127.0.0.1:{at}/main", transport=transport)


def judged(case: Case, rig: Rig) -> Outcome | None:
    """What became of it; None while nothing can be said."""
    units = rig.units(case.feed_id)
    states: list[SourceState] = [state for state in rig.states if state.feed_id == case.feed_id]
    if len([unit for unit in units if unit.rendition is Rendition.SOURCE]) >= ENOUGH:
        notes = dict.fromkeys(note for state in states for note in state.notes if note != "clock_untrusted")
        return Outcome(case.way, case.publisher, case.codec, "live", tuple(notes))
    if any(unit.rendition is Rendition.WEB for unit in units):
        return Outcome(case.way, case.publisher, case.codec, "transcoded", ())
    reasons = [state.reason for state in states if state.reason not in SILENT]
    if not reasons:
        return None
    return Outcome(case.way, case.publisher, case.codec, "refused", (reasons[-1],))


def listens(case: Case, rig: Rig) -> bool:
    """Whether a publisher of this can come."""
    state = rig.state(case.feed_id)
    if case.way == "RTMP":
        return "rtmp://127.0.0.1:" in state.detail
    return case.way not in ("RTP", "MPEG-TS") or bool(state.address)


async def outcomes(group: list[Case], clips: dict[str, str]) -> list[Outcome]:
    """These, all at once."""
    async with AsyncExitStack() as stack:
        sources = [await source(case, clips[case.codec], stack) for case in group]
        publish = PublishSettings(("127.0.0.1",), rtmp_port=0)
        rig = await stack.enter_async_context(running(*sources, publish=publish, keys=DerivedKeys()))
        await rig.until(lambda: all(listens(case, rig) for case in group), "every port is open")
        processes = [
            await stack.enter_async_context(publishing(*command(case, clips[case.codec], rig)))
            for case in group
            if case.way in ("RTP", "MPEG-TS", "RTMP")
        ]
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*(process.wait() for process in processes))

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


async def test_every_way_in_with_every_codec(clips: dict[str, str]) -> None:
    everything = cases()
    assert len({case.feed_id for case in everything}) == len(everything)
    found: list[Outcome] = []
    for at in range(0, len(everything), TOGETHER):
        found += await outcomes(everything[at : at + TOGETHER], clips)
    save(found)
    live = {(each.way, each.codec) for each in found if each.result == "live"}
    assert {(way, "H.264") for way in WAYS} <= live
    assert {(way, "H.265") for way in WAYS} <= live
    told = {(each.way, each.codec): each.codes for each in found if each.result == "refused"}
    assert told["MPEG-TS", "MPEG-2"] == told["RTMP", "AV1"] == told["file", "VP9"] == ("unsupported_codec",)
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
    sent = {(case.way, case.codec) for case in cases()}
    assert {
        (way, row[0]) for row in cells for way, cell in zip(WAYS, row[1:], strict=True) if cell != "–"
    } == sent
