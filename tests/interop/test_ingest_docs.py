"""The commands of docs/ingest.md, typed as they stand there, at a running service."""

from __future__ import annotations

import re
import shlex
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from flow.flights import SourceState
from flow.memory_bus import MemoryBus
from web.publish_keys import PublishKeys
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

from .ingest_rig import FFMPEG, FFMPEG_9, Rig, decoded_count, publishing
from .test_ingest_publishers import make_clip
from .test_pilot_publishers import free_tcp_port

INGEST = Path(__file__).resolve().parents[2] / "docs" / "ingest.md"
PICTURES = 20
PASSPHRASE = "Wasser-marsch_112"
RAW = {":5600": "rtp://127.0.0.1:0", "port=5600": "rtp://127.0.0.1:0"} | dict.fromkeys(
    (":5004", "port=5004"), "udp://127.0.0.1:0"
)
"""What a command of an input without a key says, and that input, at a free port."""


def commands() -> list[str]:
    lines = INGEST.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if re.match(r"(ffmpeg|gst-launch-1\.0) ", line)]


def source_of(command: str) -> str:
    return next((source for said, source in RAW.items() if said in command), "push")


def test_every_way_has_a_command() -> None:
    text = "\n".join(commands())
    ways = ("-f rtp ", "-f mpegts udp:", "rtmp:", "srt:", "-f whip", "rtph264pay", "mpegtsmux", "rtmp2sink")
    assert [way for way in ways if way not in text] == []
    spoken = INGEST.read_text(encoding="utf-8").replace(text, "")
    assert "-bsf:v" not in "".join(line for line in spoken.splitlines() if line not in commands())


@pytest.mark.timeout(120)
async def test_the_commands_show_pictures(tmp_path: Path) -> None:
    """Each has a feed of its own in place of `tag`, so that all of them can send at once."""
    clip = make_clip(tmp_path / "flug.mp4", "-tune", "zerolatency", "-g", "30")
    written = {f"tag-{number}": command for number, command in enumerate(commands())}
    feeds = tuple(FeedSettings(feed_id, source_of(command)) for feed_id, command in written.items())
    keys = PublishKeys(tmp_path / "data")
    rtmp, srt, page = (free_tcp_port() for _ in range(3))
    settings = Settings(
        server=ServerSettings(port=page, data_dir=str(tmp_path / "data")),
        webrtc=WebRtcSettings(port=0),
        publish=PublishingSettings(rtmp_port=rtmp, srt_port=srt, srt_passphrase=PASSPHRASE),
        aircraft=(AircraftSettings("otto", feed=feeds),),
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service, AsyncExitStack() as publishers:
        bus = service.bus
        assert isinstance(bus, MemoryBus)
        rig = Rig(bus)
        await rig.until(lambda: all(ready(bus, feed) for feed in feeds), "every input open")
        ports = {"1935": rtmp, "8890": srt, "8080": page}
        for feed_id, command in written.items():
            own = {"tag": feed_id, "KEY": keys.make(feed_id), "PASSPHRASE": PASSPHRASE, "SERVER": "127.0.0.1"}
            own |= {port: str(number) for port, number in ports.items()} | {"flug.mp4": clip}
            if source_of(command) != "push":
                own |= dict.fromkeys(("5600", "5004"), str(rig.port(feed_id)))
            await publishers.enter_async_context(publishing(*typed(command, own)))
        for feed_id, command in written.items():
            await rig.until_pictures(feed_id, PICTURES)
            units = rig.units(feed_id)
            assert units[0].keyframe, command
            assert decoded_count(units) == len(units), command
            assert rig.state(feed_id).damaged == 0, command


def ready(bus: MemoryBus, feed: FeedSettings) -> bool:
    state = bus.peek(SourceState, feed.id)
    return state is not None and (feed.source == "push" or bool(state.address))


def typed(command: str, own: dict[str, str]) -> list[str]:
    """The command with what the reader puts in, as the shell takes it apart. Of ffmpeg the one that can."""
    words = shlex.split(re.sub("|".join(rf"\b{word}\b" for word in own), lambda at: own[at[0]], command))
    if words[0] == "ffmpeg":
        return [FFMPEG_9 if "whip" in words else FFMPEG, "-nostdin", "-loglevel", "error", *words[1:]]
    return [words[0], "-q", *words[1:]]
