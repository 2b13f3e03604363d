"""The RTP stream is what the house's own depacketizer and a real decoder take."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from flow.codec.h264 import Depacketizer
from flow.codec.rtp import is_rtcp, parse_rtp, parse_sender_reports
from simulator import strip
from simulator.encoder import Encoder
from simulator.picture import Picture
from simulator.sender import RtpSender

START_MS = 1_795_330_000_000


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiving:
        receiving.bind(("127.0.0.1", 0))
        receiving.settimeout(5)
        receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        yield receiving


def drain(receiver: socket.socket) -> list[bytes]:
    receiver.setblocking(False)
    found = []
    try:
        while True:
            found.append(receiver.recv(2048))
    except BlockingIOError:
        return found


def test_pictures_arrive_whole_with_their_capture_times(receiver: socket.socket) -> None:
    sender = RtpSender(receiver.getsockname(), seed=3)
    encoder, picture = Encoder(640, 512, 30, 1_000_000), Picture(640, 512)
    decoder, depacketizer = av.CodecContext.create("h264", "r"), Depacketizer()
    assert isinstance(decoder, VideoCodecContext)
    reports = []
    for i in range(66):
        capture_ms = START_MS + round(i * 1000 / 30)
        strip.draw(picture.luma, capture_ms, i)
        access_unit, keyframe = encoder.encode(picture.nv12, capture_ms)
        assert keyframe == (i in (0, 60))
        sender.send(access_unit, capture_ms)
        datagrams = drain(receiver)
        reports += [report for d in datagrams if is_rtcp(d) for report in parse_sender_reports(d)]
        packets = [parse_rtp(d) for d in datagrams if not is_rtcp(d)]
        assert {packet.payload_type for packet in packets} == {96}
        (whole,) = [found for packet in packets for found in depacketizer.push(packet)]
        assert (whole.keyframe, whole.damaged) == (keyframe, False)
        assert whole.rtp_timestamp == sender.rtp_timestamp(capture_ms)
        (frame,) = decoder.decode(av.Packet(whole.data))
        assert strip.read(frame.to_ndarray(format="gray")) == (capture_ms, i)
        latest = reports[-1]
        since_90k = (whole.rtp_timestamp - latest.rtp_timestamp) & 0xFFFF_FFFF
        assert latest.ntp_ns / 1e6 + since_90k / 90 == pytest.approx(capture_ms, abs=0.02)
    assert [round(report.ntp_ns / 1e6) - START_MS for report in reports] == [0, 1000, 2000]
    assert reports[0].packet_count == 0 < reports[1].packet_count < reports[2].packet_count
    sender.close()


def test_the_start_of_timestamps_is_random_but_seeded() -> None:
    senders = [RtpSender(("127.0.0.1", 9), seed) for seed in (1, 1, 2)]
    stamps = [sender.rtp_timestamp(START_MS) for sender in senders]
    assert stamps[0] == stamps[1] != stamps[2]
    for sender in senders:
        sender.close()


def test_nobody_listening_is_no_error(receiver: socket.socket) -> None:
    address = receiver.getsockname()
    receiver.close()
    sender = RtpSender(address, seed=1)
    for i in range(3):
        sender.send(b"\0\0\0\1\x65" + bytes(3000), START_MS + i)
    sender.close()
