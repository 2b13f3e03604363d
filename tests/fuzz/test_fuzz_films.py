"""GPMF, subtitles and the MPEG-TS that we write, under hostile and odd input."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.codec import gpmf
from flow.codec.dji_subtitles import parse_cue
from flow.codec.mpegts import StreamType, TsDemuxer
from flow.codec.mpegts_writer import TsWriter, datagrams
from flow.codec.subrip import cues
from flow.errors import MalformedError
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from tests.prove.mutation import Mutator
from tests.prove.telemetry_films import CUES, FILMS

QUICK = settings(derandomize=True, deadline=None, max_examples=150)
INPUTS = 700
PIECES = st.sampled_from(
    [*CUES, "GPS(", "1", "[", "]", "°", "-->", "00:00:01,000 --> 00:00:02,000", "\n", "\r\n", "9" * 40]
)


@pytest.mark.parametrize("name", list(FILMS))
def test_mutated_films(name: str) -> None:
    mutator, parser = Mutator(7), FILMS[name][1]()
    for _ in range(INPUTS):
        parser.one(mutator)
    assert parser.reached["taken"] > INPUTS / 4
    assert parser.reached["refused"] > INPUTS / 10


@QUICK
@given(st.binary(max_size=600))
def test_gpmf_of_anything(data: bytes) -> None:
    for candidate in (data, b"DEVC\0\1" + len(data).to_bytes(2, "big") + data):
        try:
            entries = gpmf.parse(candidate)
        except MalformedError:
            continue
        assert sum(len(entry.data) + 8 for entry in entries) <= len(candidate)
        gpmf.streams(candidate)


@QUICK
@given(st.lists(PIECES, max_size=30))
def test_subtitles_of_anything(pieces: list[str]) -> None:
    for cue in cues(pieces):
        parse_cue(cue.text)
    parse_cue("".join(pieces))


@QUICK
@given(
    st.lists(
        st.tuples(
            st.binary(max_size=500),
            st.binary(max_size=60),
            st.integers(0, 1 << 40),
            st.booleans(),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_is_written_is_read(pictures: list[tuple[bytes, bytes, int, bool, bool]]) -> None:
    """Sizes, times and codecs as they come: every picture and set comes back, in whole packets."""
    writer, demuxer = TsWriter(), TsDemuxer()
    for number, (data, klv, at, keyframe, is_h265) in enumerate(pictures):
        codec = Codec.H265 if is_h265 else Codec.H264
        unit = AccessUnit(
            "tag",
            Rendition.SOURCE,
            codec,
            0,
            number,
            at,
            at,
            0,
            UtcOrigin.ARRIVAL,
            keyframe,
            b"\0\0\1" + data,
        )
        read = [packet for each in datagrams(writer.write(unit, klv)) for packet in demuxer.push(each)]
        assert [packet.data[5:] for packet in read if packet.stream_type == StreamType.KLV_SYNCHRONOUS] == [
            klv
        ] * bool(klv)
        [video] = [packet for packet in read if packet.stream_type != StreamType.KLV_SYNCHRONOUS]
        assert video.data.endswith(b"\0\0\1" + data)
        assert video.pts_90k == at % (1 << 33)
    assert demuxer.continuity_errors + demuxer.bad_sections + demuxer.bad_pes + demuxer.discarded_bytes == 0


@pytest.mark.parametrize("cut", ["[", "GPS (1.0,", "F.PRY (1.0,", "a" * 20 + ":", "9", "H.S ", " ", "GPS("])
def test_no_text_takes_long(cut: str) -> None:
    """Nothing is read in more than the length of a cue: 4096 characters of what each pattern begins with."""
    began = time.thread_time()
    parse_cue((cut * 4096)[:4096])
    assert time.thread_time() - began < 0.05
