"""GStreamer's RTSP server is watched by the real ingest: UDP and TCP, with and without a password."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from flow.flights import SourceStatus
from ingest.settings import FeedSource

from .ingest_rig import FFMPEG, check_invariants, decoded_count, running

PICTURES = 60
PYTHON = "/usr/bin/python3"  # the system's own, which the bindings are for
SERVER = Path(__file__).resolve().parents[1] / "fakes" / "gst_rtsp_server.py"
PASSWORD = "ge heim%"
USER = f"fritz:{PASSWORD.replace('%', '%25').replace(' ', '%20')}@"
CODECS = {
    "h264": ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", "30"],
    "h265": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=0:keyint=30:log-level=none"],
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two seconds of each codec."""
    checked = subprocess.run([PYTHON, str(SERVER), "--check"], check=False)
    if shutil.which(FFMPEG) is None or checked.returncode:
        pytest.fail("ffmpeg or GStreamer's RTSP server is not installed: run scripts/apt-test")
    made = {}
    for codec, options in CODECS.items():
        made[codec] = str(tmp_path_factory.mktemp("rtsp") / f"{codec}.mp4")
        source = ["-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=30:duration={PICTURES / 30}"]
        command = [FFMPEG, "-nostdin", "-loglevel", "error", *source, *options, "-pix_fmt", "yuv420p"]
        subprocess.run([*command, made[codec]], check=True, timeout=60)
    return made


@asynccontextmanager
async def serving(clip: str, codec: str = "h264", **told: object) -> AsyncIterator[int]:
    """A server, by its port; killed at the end, without a word to its clients."""
    arguments = json.dumps({"clip": clip, "codec": codec, **told})
    process = await asyncio.create_subprocess_exec(
        PYTHON, str(SERVER), arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(await asyncio.wait_for(process.stdout.readline(), 20))
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def free_port() -> int:
    """A TCP port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.parametrize("codec", list(CODECS))
async def test_every_picture_is_received_by_udp_and_tcp(clips: dict[str, str], codec: str) -> None:
    async with serving(clips[codec], codec) as udp, serving(clips[codec], codec) as tcp:
        sources = [
            FeedSource("udp", f"rtsp://127.0.0.1:{udp}/main", transport="udp"),
            FeedSource("tcp", f"rtsp://127.0.0.1:{tcp}/main", transport="tcp"),
        ]
        async with running(*sources) as rig:
            for source in sources:
                await rig.until_pictures(source.feed_id, PICTURES)
                units, state = rig.units(source.feed_id), rig.state(source.feed_id)
                check_invariants(units)
                assert (len(units), decoded_count(units)) == (PICTURES, PICTURES)
                steps = {after.dts_90k - before.dts_90k for before, after in pairwise(units)}
                assert steps <= {2999, 3000, 3001}
                assert (state.damaged, state.lost_packets, state.restarts) == (0, 0, 0)
                assert state.address == source.url
                assert state.config is not None
                assert (state.config.codec, state.config.width_px) == (codec, 640)


@pytest.mark.parametrize("method", ["basic", "digest"])
async def test_a_password_opens_and_is_told_to_nobody(
    clips: dict[str, str], method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lagebild.ingest")
    async with serving(clips["h264"], user="fritz", password=PASSWORD, method=method) as port:
        sources = [
            FeedSource("right", f"rtsp://{USER}127.0.0.1:{port}/main?key={PASSWORD}"),
            FeedSource("wrong", f"rtsp://fritz:geheim@127.0.0.1:{port}/main"),
            FeedSource("none", f"rtsp://127.0.0.1:{port}/main"),
        ]
        async with running(*sources) as rig:
            for refused in ("wrong", "none"):
                await rig.until_status(refused, SourceStatus.LOST, "auth_refused")
            await rig.until_pictures("right", PICTURES)
            assert decoded_count(rig.units("right")) == PICTURES
            refusals = [s.detail for s in rig.states if (s.feed_id, s.reason) == ("wrong", "auth_refused")]
            assert refusals[0] == (
                f"rtsp://127.0.0.1:{port}/main refuses the user or the password; "
                "the next try is in 5 s, for cameras lock accounts after several wrong ones"
            )
            assert rig.state("right").address == f"rtsp://127.0.0.1:{port}/main"
            lines = [record.getMessage() for record in caplog.records] + [repr(state) for state in rig.states]
    assert len(lines) > 10
    assert not [line for line in lines if "heim" in line or "fritz" in line]


async def test_what_the_server_does_not_do_is_done_otherwise_or_named(clips: dict[str, str]) -> None:
    async with serving(clips["h264"], protocols=["tcp"]) as port:
        sources = [
            FeedSource("auto", f"rtsp://127.0.0.1:{port}/main"),
            FeedSource("udp", f"rtsp://127.0.0.1:{port}/main", transport="udp"),
            FeedSource("elsewhere", f"rtsp://127.0.0.1:{port}/other"),
            FeedSource("nowhere", f"rtsp://127.0.0.1:{free_port()}/main"),
        ]
        async with running(*sources) as rig:
            await rig.until_status("udp", SourceStatus.LOST, "transport_refused")
            await rig.until_status("elsewhere", SourceStatus.LOST, "not_found")
            await rig.until_status("nowhere", SourceStatus.LOST, "unreachable")
            await rig.until_pictures("auto", PICTURES)
            assert decoded_count(rig.units("auto")) == PICTURES


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_server_that_is_killed_and_started_again_is_watched_again(
    clips: dict[str, str], transport: str
) -> None:
    async with serving(clips["h264"]) as port:
        pass
    async with running(FeedSource("tag", f"rtsp://127.0.0.1:{port}/main", transport=transport)) as rig:
        await rig.until_status("tag", SourceStatus.LOST, "unreachable")
        async with serving(clips["h264"], port=port):
            await rig.until_pictures("tag", 20)
        await rig.until_status("tag", SourceStatus.LOST)
        before = len(rig.units("tag"))
        async with serving(clips["h264"], port=port):
            await rig.until_pictures("tag", before + PICTURES)
            units = rig.units("tag")
            check_invariants(units)
            assert decoded_count(units[before:]) == PICTURES
            assert units[-1].epoch == units[0].epoch + 1
