"""ffmpeg (Debian's and another build) and GStreamer publish to the real ingest."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import socket
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.flights import SourceStatus
from flow.units import UtcOrigin
from ingest.settings import FeedSource

from .ingest_rig import (
    FFMPEG,
    FFMPEG_9,
    Rig,
    check_invariants,
    decoded_count,
    ffmpeg_rtp,
    ffmpeg_ts,
    gstreamer,
    published,
    publishing,
    running,
)

RTP, TS = "rtp://127.0.0.1:0", "udp://127.0.0.1:0"
README = Path(__file__).resolve().parents[2] / "README.md"
PICTURES = 60
RTP_PAY = ("rtph264pay", "pt=96")
TS_MUX = ("mpegtsmux", "alignment=7")


def make_clip(path: Path, *options: str, size: str = "640x360") -> str:
    source = f"testsrc2=size={size}:rate=30:duration={PICTURES / 30}"
    command = [FFMPEG, "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264"]
    subprocess.run([*command, "-preset", "veryfast", "-pix_fmt", "yuv420p", *options, str(path)], check=True)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program in (FFMPEG, "gst-launch-1.0"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: run scripts/apt-test")
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clip(folder: Path) -> str:
    return make_clip(folder / "live.mp4", "-tune", "zerolatency", "-g", "30")


@pytest.fixture(scope="module")
def clip_with_b_frames(folder: Path) -> str:
    return make_clip(folder / "b.mp4", "-bf", "2", "-g", "30")


async def test_every_publisher_is_received_whole(clip: str) -> None:
    feeds = {"rtp-a": RTP, "rtp-b": RTP, "rtp-c": RTP, "ts-a": TS, "ts-b": TS, "ts-c": TS}
    async with running(*(FeedSource(feed_id, url) for feed_id, url in feeds.items())) as rig:
        await published(
            ffmpeg_rtp(FFMPEG, clip, rig.port("rtp-a")),
            ffmpeg_rtp(FFMPEG_9, clip, rig.port("rtp-b")),
            gstreamer(clip, rig.port("rtp-c"), *RTP_PAY),
            ffmpeg_ts(FFMPEG, clip, rig.port("ts-a")),
            ffmpeg_ts(FFMPEG_9, clip, rig.port("ts-b")),
            gstreamer(clip, rig.port("ts-c"), *TS_MUX),
        )
        for feed_id in feeds:
            await rig.until_pictures(feed_id, PICTURES)
            units, state = rig.units(feed_id), rig.state(feed_id)
            check_invariants(units)
            assert (len(units), decoded_count(units)) == (PICTURES, PICTURES)
            assert {after.dts_90k - before.dts_90k for before, after in pairwise(units)} <= {2999, 3000, 3001}
            assert [unit.keyframe for unit in units] == [index % 30 == 0 for index in range(PICTURES)]
            assert (state.damaged, state.lost_packets, state.restarts) == (0, 0, 0)
            assert state.config is not None
            assert (state.config.width_px, state.config.height_px) == (640, 360)
            assert state.notes in {(), ("clock_untrusted",)}


def readme_ffmpeg(program: str, clip: str, rtp_port: int, ts_port: int) -> list[list[str]]:
    """The commands that the README tells people to type, with this file and these ports."""
    lines = [line for line in README.read_text().splitlines() if line.startswith("ffmpeg ")]
    commands = [line.replace("flug.mp4", clip).split()[1:] for line in lines]
    ports = {"rtp://127.0.0.1:5600": rtp_port, "udp://127.0.0.1:5004": ts_port}
    assert [command[-1] for command in commands] == list(ports)
    assert all(clip in command for command in commands)
    return [
        [program, "-loglevel", "error", *command[:-1], f"{url.rpartition(':')[0]}:{port}"]
        for command, (url, port) in zip(commands, ports.items(), strict=True)
    ]


async def test_the_commands_of_the_readme_show_every_picture(clip: str) -> None:
    """Of both builds of ffmpeg at the same time."""
    feeds = {"debian-rtp": RTP, "debian-ts": TS, "imageio-rtp": RTP, "imageio-ts": TS}
    async with running(*(FeedSource(feed_id, url) for feed_id, url in feeds.items())) as rig:
        await published(
            *readme_ffmpeg(FFMPEG, clip, rig.port("debian-rtp"), rig.port("debian-ts")),
            *readme_ffmpeg(FFMPEG_9, clip, rig.port("imageio-rtp"), rig.port("imageio-ts")),
        )
        for feed_id in feeds:
            await rig.until_pictures(feed_id, PICTURES)
            units, state = rig.units(feed_id), rig.state(feed_id)
            check_invariants(units)
            assert (len(units), decoded_count(units)) == (PICTURES, PICTURES)
            assert (state.damaged, state.lost_packets, state.restarts) == (0, 0, 0)
            rates = [state.fps for state in rig.states if state.feed_id == feed_id and state.fps is not None]
            assert rates[-1] == pytest.approx(30, abs=0.5)


async def test_b_frames_are_named_over_both_transports(clip_with_b_frames: str) -> None:
    async with running(FeedSource("rtp", RTP), FeedSource("ts", TS)) as rig:
        await published(
            ffmpeg_rtp(FFMPEG, clip_with_b_frames, rig.port("rtp")),
            ffmpeg_ts(FFMPEG, clip_with_b_frames, rig.port("ts")),
        )
        for feed_id in ("rtp", "ts"):
            await rig.until_pictures(feed_id, PICTURES)
            check_invariants(rig.units(feed_id))
            assert decoded_count(rig.units(feed_id)) == PICTURES
            assert "b_frames" in rig.state(feed_id).notes
            assert any(after.pts_90k < before.pts_90k for before, after in pairwise(rig.units(feed_id)))


@pytest.mark.parametrize("delay_s", [0, 0.05], ids=["ahead", "behind"])
async def test_sender_reports_of_ffmpeg_give_capture_times(clip: str, delay_s: float) -> None:
    """By its reports, ffmpeg -re sends a picture a frame before it captures it; with 50 ms of delay, after.

    Ahead, no picture counts as younger than its (smoothed) arrival, which a busy machine can put off; how
    evenly that goes is checked by a clock of our own, in test_ingest_timeline.py.
    """
    offset = ("-output_ts_offset", str(-delay_s), "-avoid_negative_ts", "disabled")
    async with running(FeedSource("trusted", RTP, trust_clock=True)) as rig:
        await published(ffmpeg_rtp(FFMPEG, clip, rig.port("trusted"), *offset))
        await rig.until_pictures("trusted", PICTURES)
        units = rig.units("trusted")
        assert {unit.utc_origin for unit in units} == {UtcOrigin.SOURCE}
        steps = [after.utc_ns - before.utc_ns for before, after in pairwise(units)]
        if delay_s:
            assert all(abs(step - NS_PER_S / 30) < NS_PER_S / 500 for step in steps)
        else:
            assert max(steps) < NS_PER_S / 30 + NS_PER_S / 500  # arrivals are up to 41 ms apart
        assert rig.state("trusted").notes == ()


async def test_a_source_dies_and_another_one_returns_with_another_size(folder: Path, clip: str) -> None:
    larger = make_clip(folder / "larger.mp4", "-tune", "zerolatency", size="848x480")

    async def dies_and_returns(
        rig: Rig, feed_id: str, publisher: Callable[[str, str, int], list[str]]
    ) -> None:
        async with publishing(*publisher(FFMPEG, clip, rig.port(feed_id))):
            await rig.until_pictures(feed_id, 20)
        before = len(rig.units(feed_id))
        await rig.until_status(feed_id, SourceStatus.STALLED)
        await rig.until_status(feed_id, SourceStatus.LOST, "no_packets")
        await published(publisher(FFMPEG, larger, rig.port(feed_id)))
        await rig.until_pictures(feed_id, before + PICTURES)
        check_invariants(rig.units(feed_id))
        state = rig.state(feed_id)
        assert state.config is not None
        assert state.config.width_px == 848
        assert decoded_count(rig.units(feed_id)[before:]) == PICTURES
        assert SourceStatus.LIVE in [state.status for state in rig.states if state.feed_id == feed_id]

    async with running(FeedSource("rtp", RTP), FeedSource("ts", TS)) as rig, asyncio.TaskGroup() as tasks:
        tasks.create_task(dies_and_returns(rig, "rtp", ffmpeg_rtp))
        tasks.create_task(dies_and_returns(rig, "ts", ffmpeg_ts))


async def test_timestamps_that_wrap_do_not_show(clip: str) -> None:
    async with running(FeedSource("rtp", RTP), FeedSource("ts", TS)) as rig:
        await published(
            gstreamer(clip, rig.port("rtp"), *RTP_PAY, f"timestamp-offset={2**32 - 90_000}"),
            ffmpeg_ts(FFMPEG, clip, rig.port("ts"), "-output_ts_offset", str(2**33 // 90_000 - 2)),
        )
        for feed_id in ("rtp", "ts"):
            await rig.until_pictures(feed_id, PICTURES)
            units = rig.units(feed_id)
            check_invariants(units)
            assert {after.dts_90k - before.dts_90k for before, after in pairwise(units)} <= {2999, 3000, 3001}


async def test_a_sender_that_begins_anew_jumps_back_in_time_and_nobody_sees_it(clip: str) -> None:
    async with running(FeedSource("ts", TS), lost_s=10) as rig:
        await published(ffmpeg_ts(FFMPEG, clip, rig.port("ts"), "-output_ts_offset", "5000"))
        await rig.until_status("ts", SourceStatus.STALLED)  # until then it would be a second sender
        await published(ffmpeg_ts(FFMPEG, clip, rig.port("ts")))
        await rig.until_pictures("ts", 2 * PICTURES)
        units = rig.units("ts")
        check_invariants(units)
        assert decoded_count(units) == 2 * PICTURES
        assert units[-1].dts_90k - units[0].dts_90k < 15 * 90_000


async def test_a_stream_without_a_keyframe_is_named(folder: Path) -> None:
    clip = make_clip(folder / "endless.mp4", "-tune", "zerolatency", "-g", "600")
    async with running(FeedSource("rtp", RTP), lost_s=1) as rig:
        filters = "h264_mp4toannexb,dump_extra,filter_units=remove_types=5"
        async with publishing(*ffmpeg_rtp(FFMPEG, clip, rig.port("rtp"), "-bsf:v", filters)):
            await rig.until_status("rtp", SourceStatus.LOST, "no_keyframe")
        assert "waiting_for_keyframe" in [state.reason for state in rig.states]
        assert rig.units("rtp") == []


async def test_a_stream_whose_parameter_sets_are_nowhere_says_so(clip: str) -> None:
    async with running(FeedSource("rtp", RTP), lost_s=1) as rig:
        async with publishing(*ffmpeg_rtp(FFMPEG, clip, rig.port("rtp"), "-bsf:v", "null")):
            await rig.until_status("rtp", SourceStatus.LOST, "no_keyframe")
        assert "no parameter sets (SPS, PPS)" in rig.state("rtp").detail


async def test_garbage_between_good_packets_harms_nothing(
    clip: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lagebild.ingest")
    chance = random.Random(3)
    junk = [b"", *(chance.randbytes(chance.randrange(1, 1400)) for _ in range(400))]
    async with running(FeedSource("rtp", RTP), FeedSource("ts", TS)) as rig:
        ports = [rig.port("rtp"), rig.port("ts")]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                published(ffmpeg_rtp(FFMPEG, clip, ports[0]), ffmpeg_ts(FFMPEG, clip, ports[1]))
            )
            await rig.until_pictures("rtp", 1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for datagram in junk:
                    for port in ports:
                        sender.sendto(datagram, ("127.0.0.1", port))
                    await asyncio.sleep(0.001)
        for feed_id in ("rtp", "ts"):
            await rig.until_pictures(feed_id, PICTURES - 2)
            check_invariants(rig.units(feed_id))
        assert len(rig.units("rtp")) == PICTURES
        assert rig.state("rtp").damaged == 0
    unusable = [record.message for record in caplog.records if "unusable" in record.message]
    assert 2 <= len(unusable) <= 10


async def test_a_port_in_use_is_a_state_until_it_is_free(clip: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with running(FeedSource("tag", f"rtp://127.0.0.1:{port}"), FeedSource("other", RTP)) as rig:
            await rig.until_status("tag", SourceStatus.LOST, "port_in_use")
            assert f"127.0.0.1:{port}" in rig.state("tag").detail
            await published(ffmpeg_rtp(FFMPEG, clip, rig.port("other")))
            await rig.until_pictures("other", PICTURES)
            taken.close()
            await rig.until_status("tag", SourceStatus.CONNECTING)
            async with publishing(*ffmpeg_rtp(FFMPEG, clip, port)):
                await rig.until_status("tag", SourceStatus.LIVE)
