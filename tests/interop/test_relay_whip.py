"""ffmpeg and GStreamer publish to the whole service by WHIP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from flow.flights import SourceStatus
from flow.units import Codec
from tests.fakes.lossy_link import Conditions
from tests.fakes.whip_way import whip_way

from .ingest_rig import DEADLINE_S, check_invariants, decoded_count, published, publishing
from .test_ingest_publishers import PICTURES, make_clip
from .whip_rig import ffmpeg_whip, gst_publisher, whip_house


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clip(folder: Path) -> str:
    return make_clip(folder / "live.mp4", "-tune", "zerolatency", "-g", "30")


@pytest.mark.parametrize(
    "flags", [(), ("-whip_flags", "dtls_active")], ids=["as DTLS server", "as DTLS client"]
)
async def test_ffmpeg_is_received_whole(flags: tuple[str, ...], clip: str, tmp_path: Path) -> None:
    async with whip_house(tmp_path, "tag") as house:
        command = ffmpeg_whip(clip, f"{house.url}/live/tag/whip", house.keys["tag"])
        await published([*command[:-1], *flags, command[-1]])
        await house.rig.until_status("tag", SourceStatus.LOST, "publisher_left")
        units, state = house.rig.units("tag"), house.rig.state("tag")
        check_invariants(units)
        assert (len(units), decoded_count(units)) == (PICTURES, PICTURES)
        assert {unit.codec for unit in units} == {Codec.H264}
        assert (state.damaged, state.lost_packets) == (0, 0)


async def test_ffmpeg_with_sound_sends_its_picture_only(clip: str, tmp_path: Path) -> None:
    async with whip_house(tmp_path, "tag") as house:
        sound = [
            "-f",
            "lavfi",
            "-i",
            "sine=sample_rate=48000:duration=2",
            "-map",
            "1:a",
            "-c:a",
            "libopus",
            "-ac",
            "2",
        ]
        command = ffmpeg_whip(clip, f"{house.url}/live/tag/whip", house.keys["tag"])
        at = command.index("-map")
        command = [*command[:at], *sound[:4], *command[at : at + 2], *sound[4:], *command[at + 2 :]]
        await published(command, within_s=20)
        await house.rig.until_status("tag", SourceStatus.LOST, "publisher_left")
        assert decoded_count(house.rig.units("tag")) == PICTURES
        async with aiohttp.ClientSession(house.url) as http:
            metrics = await (await http.get("/metrics")).text()
        assert 'refused_datagrams_total{reason="declined_media"}' in metrics


async def test_gstreamer_is_received_whole(clip: str, tmp_path: Path) -> None:
    async with whip_house(tmp_path, "tag") as house, gst_publisher(clip) as publisher:
        session = await publisher.publish(f"{house.url}/live/tag/whip", house.keys["tag"])
        assert await publisher.told("sent") == PICTURES
        await house.rig.until_pictures("tag", PICTURES)
        units, state = house.rig.units("tag"), house.rig.state("tag")
        check_invariants(units)
        assert decoded_count(units) == PICTURES
        assert (state.damaged, state.lost_packets) == (0, 0)
        async with aiohttp.ClientSession() as http:
            assert (await http.delete(session)).status == 200
        await house.rig.until_status("tag", SourceStatus.LOST, "publisher_left")


async def test_what_a_bad_network_loses_ffmpeg_sends_again(clip: str, tmp_path: Path) -> None:
    async with whip_house(tmp_path, "tag") as house, whip_way(house.url) as way:
        command = ffmpeg_whip(clip, f"{way.url}/live/tag/whip", house.keys["tag"], "-stream_loop", "1")
        async with publishing(*command) as process:
            await house.rig.until_pictures("tag", 5)
            way.proxy.up.conditions = Conditions(loss=0.05, delay_ms=10)
            await house.rig.until_pictures("tag", 80)
            way.proxy.up.conditions = Conditions()
            await process.wait()
        await house.rig.until_status("tag", SourceStatus.LOST, "publisher_left")
        units, state = house.rig.units("tag"), house.rig.state("tag")
        lost = way.proxy.up.counts["lost"]
        assert lost > 10
        # Without repair there would be half of them. What a busy machine delays for 500 ms is given up.
        assert 2 * PICTURES * 0.9 <= len(units) == decoded_count(units)
        assert state.lost_packets < lost / 4


async def test_a_wrong_key_is_refused_before_any_media(clip: str, tmp_path: Path) -> None:
    async with whip_house(tmp_path, "tag", "nacht") as house:
        for key, status in (("s3cret", b"401"), (house.keys["nacht"], b"403")):
            process = await asyncio.create_subprocess_exec(
                *ffmpeg_whip(clip, f"{house.url}/live/tag/whip", key), stderr=asyncio.subprocess.PIPE
            )
            async with asyncio.timeout(DEADLINE_S):
                _, told = await process.communicate()
            assert process.returncode != 0
            assert status in told
            state = house.rig.state("tag")  # what was refused first, if the second came within a second
            assert (state.status, state.reason) in (
                (SourceStatus.LOST, "key_wrong"),
                (SourceStatus.LOST, "key_foreign"),
            )
            assert key not in str(state)
        assert house.rig.units("tag") == []


async def test_a_publisher_that_was_killed_comes_back_by_itself(clip: str, tmp_path: Path) -> None:
    async with whip_house(tmp_path, "tag") as house:
        command = ffmpeg_whip(clip, f"{house.url}/live/tag/whip", house.keys["tag"], "-stream_loop", "-1")
        async with publishing(*command):
            await house.rig.until_pictures("tag", 10)
            busy = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            _, told = await busy.communicate()
            assert b"4XX" in told  # somebody sends already
        before = len(house.rig.units("tag"))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while len(house.rig.units("tag")) < before + 10:  # as an encoder that tries again
            assert loop.time() < deadline
            async with publishing(*command) as process:
                waiting = asyncio.ensure_future(process.wait())
                while not waiting.done() and len(house.rig.units("tag")) < before + 10:
                    await asyncio.wait([waiting], timeout=0.05)
                waiting.cancel()
        check_invariants(house.rig.units("tag"))


async def test_an_offer_alone_displaces_nobody_and_who_connects_takes_over(clip: str, tmp_path: Path) -> None:
    async with whip_house(tmp_path, "tag", takeover=True) as house, gst_publisher(clip) as other:
        url = f"{house.url}/live/tag/whip"
        command = ffmpeg_whip(clip, url, house.keys["tag"], "-stream_loop", "-1")
        async with publishing(*command) as first:
            await house.rig.until_pictures("tag", 10)
            epoch = house.rig.state("tag").epoch
            headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {house.keys['tag']}"}
            async with aiohttp.ClientSession() as http:
                offer = await other.told("offer")
                for _ in range(3):  # GStreamer never hears of the answers
                    reply = await http.post(url, data=offer, headers=headers)
                    assert reply.status == 201
            await house.rig.until_pictures("tag", len(house.rig.units("tag")) + 30)
            assert (first.returncode, house.rig.state("tag").epoch) == (None, epoch)
            async with publishing(*command):
                await house.rig.until(lambda: house.rig.state("tag").epoch > epoch, "the newer publisher")
                await house.rig.until_pictures("tag", len(house.rig.units("tag")) + 10)
        check_invariants(house.rig.units("tag"))
