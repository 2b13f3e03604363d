"""Codecs that do not travel: they come out of the real ingest as H.264, and say so."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from flow.flights import SourceStatus
from flow.units import AccessUnit, Codec
from ingest.foreign import _NOTE_OF_OTHERS, _NOTES
from ingest.settings import EncodeSettings, FeedSource
from tests.contract.test_reason_codes import sentences

from .ingest_rig import FFMPEG, check_invariants, decoded_count, publishing, running
from .test_ingest_transcode import encoders


def clip(path: Path, *encoder: str) -> str:
    """Two seconds of 30 pictures each."""
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30:duration=2"]
    subprocess.run([FFMPEG, "-v", "error", *source, *encoder, str(path)], check=True, timeout=60)
    return str(path)


def check(units: list[AccessUnit]) -> None:
    check_invariants(units)
    assert {unit.codec for unit in units} == {Codec.H264}
    assert units[0].keyframe
    assert decoded_count(units) == len(units)


@pytest.mark.parametrize(
    ("name", "encoder", "note"),
    [
        ("clip.ts", ("-c:v", "mpeg2video", "-b:v", "1M", "-bf", "2"), "codec_mpeg2"),
        ("clip.avi", ("-c:v", "msmpeg4", "-b:v", "1M"), "codec_mpeg4"),
    ],
)
async def test_a_file_of_another_codec(
    tmp_path: Path, name: str, encoder: tuple[str, ...], note: str
) -> None:
    source = FeedSource("f", f"file:{clip(tmp_path / name, *encoder)}", loop=True)
    async with running(source, encode=EncodeSettings(preset="ultrafast")) as rig:
        await rig.until_pictures("f", 20)
        units, state = rig.units("f"), rig.state("f")
    assert encoders() == []
    check(units)
    assert state.notes == (note,)
    assert state.config is not None
    assert state.config.plays_in_browsers


async def test_at_the_end_of_a_file_its_encoder_ends(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj422p")
    async with running(FeedSource("f", f"file:{path}")) as rig:
        await rig.until(lambda: encoders() != [], "the encoder")
        await rig.until_status("f", SourceStatus.LOST, "source_ended")
        await rig.until(lambda: encoders() == [], "its end")
        assert rig.state("f").notes == ("codec_mjpeg",)


async def test_mpeg_2_by_a_transport_stream_over_udp(tmp_path: Path) -> None:
    path = clip(tmp_path / "m.ts", "-c:v", "mpeg2video", "-b:v", "1M", "-bf", "2", "-g", "15")
    async with running(FeedSource("f", "udp://127.0.0.1:0")) as rig:
        looped = [FFMPEG, "-nostdin", "-v", "error", "-re", "-stream_loop", "9", "-i", path, "-c", "copy"]
        target = f"udp://127.0.0.1:{rig.port('f')}?pkt_size=1316"
        async with publishing(*looped, "-f", "mpegts", target):
            await rig.until_pictures("f", 30)
            assert rig.state("f").notes == ("codec_mpeg2",)
            (encoder,) = encoders()
            os.kill(encoder, signal.SIGKILL)
            before = len(rig.units("f"))
            await rig.until_pictures("f", before + 20)
            assert encoder not in encoders()
        check(rig.units("f"))


async def test_without_an_encoder_the_state_says_so(tmp_path: Path) -> None:
    path = clip(tmp_path / "m.ts", "-c:v", "mpeg2video", "-b:v", "1M")
    source = FeedSource("f", f"file:{path}", loop=True)
    async with running(source, encode=EncodeSettings(encoder="h264_unheard_of")) as rig:
        await rig.until_status("f", SourceStatus.LOST, "encoder_unknown")
        assert "there is no encoder 'h264_unheard_of' here" in rig.state("f").detail
        assert rig.units("f") == []


def test_every_note_has_a_sentence() -> None:
    assert {*_NOTES.values(), _NOTE_OF_OTHERS} - sentences("note") == set()
