"""RTP and MPEG-TS of ffmpeg and GStreamer over real sockets, read by flow/codec; ours read by ffmpeg."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest

from flow.codec import h264, h265
from flow.codec.annexb import split_nal_units
from flow.codec.mpegts import PesPacket, TsDemuxer
from flow.codec.rtp import RtpPacket, is_rtcp, parse_rtp, parse_sender_reports
from flow.units import Codec
from tests.fakes.clips import Clips

FORMATS = {Codec.H264: h264, Codec.H265: h265}
CLIPS = ["h264 zerolatency, four slices", "h264 with B-frames", "h265", "h265 with B-frames, slices"]
DELIMITER = {Codec.H264: b"\x09", Codec.H265: b"\x46"}
FFMPEG_RTP = "-f rtp"
RTP_OF_GSTREAMER = [
    (CLIPS[0], "h264parse ! rtph264pay aggregate-mode=zero-latency mtu=1200"),
    (CLIPS[0], "h264parse ! rtph264pay aggregate-mode=none"),
    (CLIPS[2], "h265parse ! rtph265pay aggregate-mode=zero-latency mtu=1200"),
]
TS_OF_GSTREAMER = [(clip, f"{clip[:4]}parse ! mpegtsmux alignment=7") for clip in (CLIPS[0], CLIPS[2])]
SENDERS = [*((clip, FFMPEG_RTP) for clip in CLIPS), *RTP_OF_GSTREAMER, *TS_OF_GSTREAMER]
Heard: TypeAlias = Callable[[str, str], list[bytes]]
"""Every datagram of the sender of this clip by these means."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def heard(clips: Clips) -> Iterator[Heard]:
    """All senders at the same time, each to a socket of its own: each takes as long as its clip lasts."""
    paths = {clip: clips.make(clip, "ts") for clip in CLIPS}
    with ThreadPoolExecutor(len(SENDERS)) as threads:
        hearing = {sender: threads.submit(sent_by, sender[1], paths[sender[0]]) for sender in SENDERS}
        yield lambda clip, means: hearing[clip, means].result()


def sent_by(means: str, path: Path) -> list[bytes]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.2)
        port = udp.getsockname()[1]
        if means == FFMPEG_RTP:
            command = [program("ffmpeg"), *f"-v error -re -i {path} -c copy {means}".split()]
            return received_from([*command, f"rtp://127.0.0.1:{port}?rtcpport={port}"], udp)
        pipeline = f"filesrc location={path} ! tsdemux ! {means} ! udpsink host=127.0.0.1 port={port}"
        return received_from([program("gst-launch-1.0"), "-q", *pipeline.split(), "sync=true"], udp)


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not installed; `make setup-test` does that")
    return path


def received_from(command: list[str], receiver: socket.socket) -> list[bytes]:
    """All datagrams that a program sends until it has ended and the socket is empty."""
    datagrams: list[bytes] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as sender:
        while True:
            ended = sender.poll() is not None
            try:
                datagrams.append(receiver.recv(65_536))
            except TimeoutError:
                if ended:
                    break
    assert sender.returncode == 0
    return datagrams


def video_of(path: Path) -> list[PesPacket]:
    demuxer = TsDemuxer()
    return demuxer.push(path.read_bytes()) + demuxer.flush()


def nals_of(data: bytes, codec: Codec) -> list[bytes]:
    """NAL units without delimiters, which payloaders may drop."""
    return [nal for nal in split_nal_units(data) if nal[:1] != DELIMITER[codec]]


def pictures_of(datagrams: list[bytes], codec: Codec) -> list[h264.Picture]:
    depacketizer: h264.Depacketizer | h265.Depacketizer = FORMATS[codec].Depacketizer()
    packets = [parse_rtp(datagram) for datagram in datagrams if not is_rtcp(datagram)]
    pictures = []
    for index, packet in enumerate(packets):
        done = depacketizer.push(packet)
        assert len(done) == packet.marker, f"packet {index} ends {len(done)} pictures"
        pictures += done
    assert depacketizer.lost_packets == depacketizer.malformed_packets == 0
    return pictures


@pytest.mark.parametrize("clip", CLIPS)
def test_rtp_of_ffmpeg(clips: Clips, heard: Heard, clip: str) -> None:
    codec, datagrams = Codec(clip[:4]), heard(clip, FFMPEG_RTP)
    pictures, sent = pictures_of(datagrams, codec), video_of(clips.make(clip, "ts"))
    assert [nals_of(x.data, codec) for x in pictures] == [nals_of(x.data, codec) for x in sent]
    first = pictures[0].rtp_timestamp - (sent[0].pts_90k or 0)
    assert all((x.rtp_timestamp - (y.pts_90k or 0) - first) % 2**32 in (0, 1, 2**32 - 1)
               for x, y in zip(pictures, sent, strict=True))  # fmt: skip
    assert not any(picture.damaged for picture in pictures)
    reports = [report for x in datagrams if is_rtcp(x) for report in parse_sender_reports(x)]
    assert reports
    assert reports[-1].ssrc == parse_rtp(datagrams[-2]).ssrc


@pytest.mark.parametrize(("clip", "elements"), RTP_OF_GSTREAMER)
def test_rtp_of_gstreamer(clips: Clips, heard: Heard, clip: str, elements: str) -> None:
    codec = Codec(clip[:4])
    pictures, sent = pictures_of(heard(clip, elements), codec), video_of(clips.make(clip, "ts"))
    assert [nals_of(x.data, codec) for x in pictures] == [nals_of(x.data, codec) for x in sent]
    assert not any(picture.damaged for picture in pictures)


@pytest.mark.parametrize(("clip", "elements"), TS_OF_GSTREAMER)
def test_transport_stream_of_gstreamer(clips: Clips, heard: Heard, clip: str, elements: str) -> None:
    codec, demuxer = Codec(clip[:4]), TsDemuxer()
    received = [done for datagram in heard(clip, elements) for done in demuxer.push(datagram)]
    received += demuxer.flush()
    sent = video_of(clips.make(clip, "ts"))
    assert [nals_of(x.data, codec) for x in received] == [nals_of(x.data, codec) for x in sent]
    assert demuxer.continuity_errors == demuxer.bad_pes == demuxer.discarded_bytes == 0


@pytest.mark.parametrize("clip", CLIPS)
def test_our_rtp_in_gstreamer(clips: Clips, tmp_path: Path, clip: str) -> None:
    """Packets in a file, each behind its length (RFC 4571): nothing is lost, nothing waits."""
    codec = Codec(clip[:4])
    sent = video_of(clips.make(clip, "ts"))
    framed, raw = tmp_path / "packets", tmp_path / "stream"
    with framed.open("wb") as file:
        for datagram in packetized([picture.data for picture in sent], codec):
            file.write(len(datagram).to_bytes(2, "big") + datagram)
    caps = f"media=video,clock-rate=90000,encoding-name={codec.upper()},payload=96"
    pipeline = f"filesrc location={framed} ! application/x-rtp-stream,{caps} ! rtpstreamdepay"
    pipeline += f" ! rtp{codec}depay ! video/x-{codec},stream-format=byte-stream,alignment=au"
    pipeline += f" ! filesink location={raw}"
    subprocess.run([program("gst-launch-1.0"), "-q", *pipeline.split()], check=True, timeout=60)
    ours = [nal for picture in sent for nal in split_nal_units(picture.data)]
    assert split_nal_units(raw.read_bytes()) == ours


def packetized(units: list[bytes], codec: Codec) -> Iterator[bytes]:
    sequence = 65_500
    for number, unit in enumerate(units):
        payloads = FORMATS[codec].packetize(unit)
        for index, payload in enumerate(payloads):
            last = index == len(payloads) - 1
            yield RtpPacket(96, last, sequence % 65_536, number * 3600, 7, payload).serialize()
            sequence += 1
