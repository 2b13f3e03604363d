"""Recorded pictures become the RTP stream of a camera whose clock is now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from flow.codec.h264 import Depacketizer
from flow.codec.rtp import RtpPacket, is_rtcp, parse_rtp, parse_sender_reports
from recordings.protocol.timing import NS_PER_S, Lap, Send
from recordings.protocol.video_track import PICTURE_SPREAD_NS, CodedPicture, RtpStream, VideoTrack
from tests.unit.recordings.flights import MS, START_NS, pictures, reordered_pictures

Source = Callable[[], Iterable[CodedPicture]]


def track(source: Source, *, sequence: int = 7, timestamp: int = 1000) -> VideoTrack:
    return VideoTrack(source, RtpStream(99, sequence, timestamp, START_NS), port=0)


def packets(sends: Iterable[Send]) -> list[tuple[int, RtpPacket]]:
    return [(send.time_ns, parse_rtp(send.data)) for send in sends if not is_rtcp(send.data)]


def ticks(start: int, end: int) -> int:
    return (end - start) & 0xFFFF_FFFF


def test_pictures_come_out_as_they_were() -> None:
    depacketizer = Depacketizer()
    sent = packets(track(lambda: pictures(20)).play(Lap(START_NS, 1.0)))
    got = [picture for _, packet in sent for picture in depacketizer.push(packet)]
    assert [picture.data for picture in got] == [picture.data for picture in pictures(20)]
    assert not any(picture.damaged for picture in got)


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_times_of_sending_rtp_timestamps_and_reports_scale_alike(speed: float) -> None:
    sends = list(track(lambda: pictures(125)).play(Lap(START_NS, speed)))
    shown = [(at, packet.timestamp) for at, packet in packets(sends) if packet.marker]
    (first_at, first_rtp), (last_at, last_rtp) = shown[0], shown[-1]
    assert last_at - first_at == pytest.approx(124 * 40 * MS / speed, abs=1000)
    assert ticks(first_rtp, last_rtp) == pytest.approx(124 * 3600 / speed, abs=1)
    reports = [report for send in sends if is_rtcp(send.data) for report in parse_sender_reports(send.data)]
    for report in reports:
        assert ticks(1000, report.rtp_timestamp) == pytest.approx(
            (report.ntp_ns - START_NS) * 90_000 / 1e9, abs=1
        )


def test_a_report_says_the_time_of_sending_and_comes_first_and_every_second() -> None:
    sends = list(track(lambda: pictures(100)).play(Lap(START_NS, 1.0)))
    times = [send.time_ns for send in sends if is_rtcp(send.data)]
    assert is_rtcp(sends[0].data)
    assert times == [START_NS + second * NS_PER_S for second in range(4)]
    for send in sends:
        if is_rtcp(send.data):
            (report,) = parse_sender_reports(send.data)
            assert abs(report.ntp_ns - send.time_ns) <= 1
    (last,) = parse_sender_reports([send.data for send in sends if is_rtcp(send.data)][-1])
    before = [send for send in sends if not is_rtcp(send.data) and send.time_ns < times[-1]]
    assert last.packet_count == len(before)
    assert last.octet_count == sum(len(parse_rtp(send.data).payload) for send in before)


def test_sequence_numbers_and_timestamps_wrap() -> None:
    video = track(lambda: pictures(10), sequence=0xFFFE, timestamp=0xFFFF_FFFF - 3600)
    sent = [packet for _, packet in packets(video.play(Lap(START_NS, 1.0)))]
    assert {(b.sequence - a.sequence) % 65536 for a, b in pairwise(sent)} == {1}
    assert {ticks(a.timestamp, b.timestamp) for a, b in pairwise(sent)} == {0, 3600}
    assert min(packet.sequence for packet in sent) == 0


def test_a_loop_is_one_stream() -> None:
    video = track(lambda: pictures(50))
    first = packets(video.play(Lap(START_NS, 1.0)))
    assert video.length_ns == 2 * NS_PER_S
    second = packets(video.play(Lap(START_NS + video.length_ns, 1.0)))
    (_, before), (_, after) = first[-1], second[0]
    assert (after.sequence - before.sequence) % 65536 == 1
    assert ticks(before.timestamp, after.timestamp) == 3600
    assert after.ssrc == before.ssrc


def test_packets_of_a_large_picture_are_spread() -> None:
    sent = packets(track(lambda: pictures(1, size=300_000)).play(Lap(START_NS, 1.0)))
    gaps = {b - a for (a, _), (b, _) in pairwise(sent)}
    assert len(gaps) == 1
    assert sent[-1][0] - sent[0][0] <= PICTURE_SPREAD_NS
    small = packets(track(lambda: pictures(1, size=9000)).play(Lap(START_NS, 1.0)))
    assert {b - a for (a, _), (b, _) in pairwise(small)} == {50_000}


def test_reordered_pictures_are_sent_in_decode_order_and_never_before_their_capture() -> None:
    sent = packets(track(lambda: reordered_pictures(20)).play(Lap(START_NS, 1.0)))
    captured = [START_NS + round(ticks(1000, packet.timestamp) * 1e9 / 90_000) for _, packet in sent]
    assert captured != sorted(captured)
    assert all(at >= capture - 12_000 for (at, _), capture in zip(sent, captured, strict=True))
    times = [at for at, _ in sent]
    assert times == sorted(times)
    assert {b - a for a, b in pairwise(times[2:])} == {40 * MS}


def test_timestamps_that_jump_in_the_recording_go_on() -> None:
    def spliced() -> Iterable[CodedPicture]:
        for picture in pictures(5):
            yield picture._replace(dts_ns=picture.dts_ns + 10**15, pts_ns=picture.pts_ns + 10**15)
        yield from pictures(5)

    shown = [
        packet.timestamp for _, packet in packets(track(spliced).play(Lap(START_NS, 1.0))) if packet.marker
    ]
    assert [ticks(a, b) for a, b in pairwise(shown)] == [3600] * 9


def test_a_damaged_display_time_holds_nothing_up() -> None:
    def damaged() -> Iterable[CodedPicture]:
        for number, picture in enumerate(pictures(6)):
            yield picture._replace(pts_ns=picture.pts_ns + (10**14 if number == 2 else 0))

    sent = packets(track(damaged).play(Lap(START_NS, 1.0)))
    assert [at for at, packet in sent if packet.marker][-1] < START_NS + 6 * 40 * MS
