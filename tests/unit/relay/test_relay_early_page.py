"""A page that is open before the aircraft sends, and can show H.265, is sent whatever comes."""

from __future__ import annotations

import re
from dataclasses import replace

from flow.codec import h265
from flow.flights import RenditionWanted, SourceState, SourceStatus
from flow.units import AccessUnit, Codec, CodecConfig, Rendition
from relay.stream import MAX_PAYLOAD
from tests.fakes.light_viewer import LightViewer

from .watching import FEED, open_house

HEVC = CodecConfig(Codec.H265, 1280, 720, 1, 0, 93, "4:2:0", 8, False, False)
PLAIN = CodecConfig(Codec.H264, 1280, 720, 66, 0xC0, 31, "4:2:0", 8, False, False)
LINES = "a=rtpmap:49 H265/90000\r\na=fmtp:49 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST\r\n"


def offer_of(viewer: LightViewer) -> str:
    return re.sub(r"(m=video .*)\r\n", r"\1 49\r\n", viewer.offer()) + LINES


def as_h265(unit: AccessUnit) -> AccessUnit:
    nal = b"\x26\x01" if unit.keyframe else b"\x02\x01"
    return replace(unit, codec=Codec.H265, data=b"\0\0\0\1" + nal + b"\x80" * 3000)


async def test_h265_goes_out_untouched_to_who_joined_before_anything_was_known() -> None:
    async with open_house() as house:
        wanted = house.bus.latest(RenditionWanted, f"{FEED}/{Rendition.WEB}")
        with LightViewer() as viewer:
            answer = await house.relay.answer(FEED, offer_of(viewer))
            viewer.accept(answer.sdp)
            await viewer.connect()
            await viewer.until(lambda: house.state_of(answer.session_id) == "connected")

            units = [as_h265(unit) for unit in house.camera.group(3)]
            house.bus.publish(SourceState(FEED, SourceStatus.LIVE, 0, config=HEVC, notes=("codec_h265",)))
            house.film(*units)
            payloads = [p for unit in units for p in h265.packetize(unit.data, MAX_PAYLOAD)]
            await viewer.until(lambda: len(viewer.packets) == len(payloads))
            assert [packet.payload for packet in viewer.packets] == payloads
            assert {packet.payload_type for packet in viewer.packets} == {49}

            house.bus.publish(SourceState(FEED, SourceStatus.LIVE, 0, config=PLAIN))
            house.film(house.camera.keyframe())
            await viewer.until(lambda: len(viewer.packets) > len(payloads))
            assert f" {viewer.packets[-1].payload_type} 49\r\n" in answer.sdp
            assert viewer.packets[-1].payload_type != 49
            numbers = [packet.sequence for packet in viewer.packets]
            assert [(n - numbers[0]) % 0x10000 for n in numbers] == list(range(len(numbers)))
        assert wanted.drain() == []  # nobody encodes anything
