"""A publisher's video from packets to packets in order, and the RTCP that keeps it whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.rtp import RtpPacket, SenderReport
from flow.errors import MalformedError
from flow.units import Codec
from relay.protocol import rtcp
from relay.protocol.receiver import EARLY_NS, Receiver, Video
from relay.protocol.repair import GIVE_UP_NS

MS = NS_PER_MS
OURS, THEIRS, OTHER = 0x01020304, 0x0A0B0C0D, 0x0E0F0001
ALL = frozenset({"nack", "nack pli", "goog-remb"})
VIDEO = Video(96, Codec.H264, ALL, rtx_payload_type=97)
IDR, SLICE = b"\x65\x88\x80", b"\x41\x9a\x01"


def packet(number: int, payload: bytes = SLICE, kind: int = 96, ssrc: int = THEIRS) -> bytes:
    return RtpPacket(kind, True, number % 0x10000, 3000 * number & 0xFFFF_FFFF, ssrc, payload).serialize()


def resent(number: int, own_number: int) -> bytes:
    """RFC 4588 4."""
    original = RtpPacket(97, True, own_number, 3000 * number, OTHER, number.to_bytes(2, "big") + SLICE)
    return original.serialize()


def asked(receiver: Receiver, now_ns: int, kind: type[rtcp.Message]) -> list[rtcp.Message]:
    messages = [message for each in receiver.feedback(now_ns) for message in rtcp.parse(each)]
    return [message for message in messages if isinstance(message, kind)]


def started(video: Video = VIDEO) -> Receiver:
    """With its first keyframe, and everything said that is said at the beginning."""
    receiver = Receiver(video, OURS)
    assert receiver.take_rtp(packet(1, IDR), 0) == [packet(1, IDR)]
    receiver.feedback(0)
    return receiver


def test_before_the_first_packet_there_is_nothing_to_say() -> None:
    assert Receiver(VIDEO, OURS).feedback(0) == []


def test_with_the_first_packet_the_publisher_hears_how_much_it_may_send() -> None:
    receiver = Receiver(VIDEO, OURS)
    receiver.take_rtp(packet(1, IDR), 0)
    (compound,) = receiver.feedback(0)
    report, remb = rtcp.parse(compound)
    assert isinstance(report, rtcp.ReceiverReport)
    assert (report.ssrc, report.highest_sequence, report.cumulative_lost) == (THEIRS, 1, 0)
    assert isinstance(remb, rtcp.Remb)
    assert remb.bitrate_bps > 10_000_000
    assert remb.ssrcs == (THEIRS,)


def test_reports_come_often_at_first_and_then_every_second() -> None:
    receiver = started()
    times = [t for t in range(1, 6000) if receiver.feedback(t * MS)]
    assert times == [*range(200, 2000, 200), *range(2000, 6000, 1000)]
    assert EARLY_NS == 2 * NS_PER_S


def test_without_goog_remb_there_is_only_the_report() -> None:
    receiver = Receiver(replace(VIDEO, feedback=frozenset()), OURS)
    receiver.take_rtp(packet(1), 0)
    receiver.take_rtp(packet(9), 0)
    (compound,) = receiver.feedback(50 * MS)
    assert [type(message) for message in rtcp.parse(compound)] == [rtcp.ReceiverReport]


def test_a_beginning_without_a_keyframe_asks_for_one() -> None:
    receiver = Receiver(VIDEO, OURS)
    receiver.take_rtp(packet(1), 0)
    assert asked(receiver, 0, rtcp.PictureLoss) == [rtcp.PictureLoss(THEIRS)]
    assert asked(receiver, 500 * MS, rtcp.PictureLoss) == []
    assert asked(receiver, NS_PER_S, rtcp.PictureLoss) == [rtcp.PictureLoss(THEIRS)]
    receiver.take_rtp(packet(2, IDR), NS_PER_S)
    assert asked(receiver, 9 * NS_PER_S, rtcp.PictureLoss) == []


def test_a_lost_packet_is_asked_for_and_fills_its_gap() -> None:
    receiver = started()
    assert receiver.take_rtp(packet(3), 10 * MS) == []
    assert asked(receiver, 20 * MS, rtcp.Nack) == [rtcp.Nack(THEIRS, (2,))]
    assert receiver.take_rtp(packet(2), 50 * MS) == [packet(2), packet(3)]
    assert (receiver.repair.repaired, receiver.repair.waits) == (1, False)


def test_what_is_lost_meanwhile_is_asked_for_together() -> None:
    receiver = started()
    receiver.take_rtp(packet(3), 10 * MS)
    receiver.take_rtp(packet(6), 10 * MS)
    receiver.take_rtp(packet(8), 11 * MS)
    assert asked(receiver, 16 * MS, rtcp.Nack) == [rtcp.Nack(THEIRS, (2, 4, 5, 7))]
    receiver.take_rtp(packet(13), 17 * MS)
    assert asked(receiver, 24 * MS, rtcp.Nack) == []
    assert asked(receiver, 26 * MS, rtcp.Nack) == [rtcp.Nack(THEIRS, (9, 10, 11, 12))]


def test_ffmpeg_answers_by_retransmissions_of_another_source() -> None:
    receiver = started()
    receiver.take_rtp(packet(3), 10 * MS)
    receiver.feedback(20 * MS)
    assert receiver.take_rtp(resent(2, own_number=700), 50 * MS) == [packet(2), packet(3)]
    padding = RtpPacket(97, False, 701, 0, OTHER, b"").serialize()
    assert receiver.take_rtp(padding, 51 * MS) == []


def test_the_report_tells_what_the_way_loses_although_it_was_repaired() -> None:
    receiver = started()
    for number in range(2, 102):
        if number % 10:
            receiver.take_rtp(packet(number), number * 10 * MS)
        else:
            receiver.take_rtp(packet(number + 1), number * 10 * MS)
            receiver.feedback(number * 10 * MS + 6 * MS)
            receiver.take_rtp(packet(number), number * 10 * MS + 7 * MS)
    (report,) = asked(receiver, 1500 * MS, rtcp.ReceiverReport)
    assert isinstance(report, rtcp.ReceiverReport)
    assert report.cumulative_lost == 10


def test_a_picture_given_up_goes_on_with_a_keyframe() -> None:
    receiver = started()
    receiver.take_rtp(packet(3), 0)
    assert receiver.expire(GIVE_UP_NS) == [packet(3)]
    assert asked(receiver, GIVE_UP_NS, rtcp.PictureLoss) == [rtcp.PictureLoss(THEIRS)]
    assert receiver.take_rtp(packet(4, IDR), GIVE_UP_NS + MS) == [packet(4, IDR)]
    assert not receiver.wish.wanted


def test_after_an_outage_too_long_to_be_repaired_a_keyframe_is_asked_for() -> None:
    receiver = started()
    for number in (2000, 2001, 2002):
        receiver.take_rtp(packet(number), NS_PER_S)
    assert asked(receiver, 2 * NS_PER_S, rtcp.PictureLoss)
    receiver.take_rtp(packet(2003, IDR), 3 * NS_PER_S)
    assert not asked(receiver, 4 * NS_PER_S, rtcp.PictureLoss)


def test_a_lost_keyframe_that_is_repaired_fulfils_the_wish() -> None:
    receiver = started()
    receiver.wish.wanted = True
    receiver.take_rtp(packet(3), 0)
    assert receiver.wish.wanted
    receiver.take_rtp(packet(2, IDR), 0)
    assert not receiver.wish.wanted


def test_rtcp_that_needs_a_report_in_front_has_one() -> None:
    receiver = started(replace(VIDEO, reduced_size=False))
    receiver.take_rtp(packet(3), 0)
    receiver.wish.wanted = True
    nack, pli = receiver.feedback(20 * MS)
    assert [type(m) for m in rtcp.parse(nack)] == [rtcp.ReceiverReport, rtcp.Nack]
    assert [type(m) for m in rtcp.parse(pli)] == [rtcp.ReceiverReport, rtcp.PictureLoss]
    alone = started()
    alone.take_rtp(packet(3), 0)
    assert [rtcp.parse(each) for each in alone.feedback(20 * MS)] == [[rtcp.Nack(THEIRS, (2,))]]


def in_step() -> Receiver:
    """A publisher that has read all it was sent, stalled, and been woken, at 200 ms."""
    receiver = Receiver(replace(VIDEO, in_step=True), OURS)
    receiver.take_rtp(packet(1, IDR), 0)
    assert receiver.feedback(0) == []  # first it reads what is left of the handshake
    assert receiver.feedback(199 * MS) == []
    assert len(receiver.feedback(200 * MS)) == 1
    return receiver


def test_a_publisher_in_step_gets_one_datagram_for_each_picture_and_each_sound() -> None:
    receiver = in_step()
    sound = packet(9, b"sound", kind=111, ssrc=OTHER)
    said: list[int] = []
    for each in (sound, packet(2), sound, packet(3)):
        receiver.take_rtp(each, 210 * MS)
        said += [len(receiver.feedback(210 * MS)), len(receiver.feedback(210 * MS))]
    assert said == [1, 0] * 4
    middle = bytearray(packet(4))
    middle[1] &= 0x7F  # not the last packet of its picture
    receiver.take_rtp(bytes(middle), 210 * MS)
    assert receiver.feedback(210 * MS) == []


def test_what_a_publisher_in_step_lacks_is_told_instead_of_the_report() -> None:
    receiver = in_step()
    receiver.take_rtp(packet(6), 230 * MS)
    (nack,) = receiver.feedback(230 * MS)
    assert rtcp.parse(nack) == [rtcp.Nack(THEIRS, (2, 3))]
    for number in (2, 3):
        assert receiver.take_rtp(resent(number, own_number=number), 260 * MS)
    assert receiver.feedback(260 * MS) == []  # nothing is read for what was sent again


def test_a_publisher_in_step_that_has_read_a_check_is_owed_nothing_and_one_that_stalls_is_woken() -> None:
    receiver = in_step()
    receiver.answered()
    receiver.take_rtp(packet(2), 210 * MS)
    assert receiver.feedback(210 * MS) == []
    assert receiver.feedback(409 * MS) == []
    assert len(receiver.feedback(410 * MS)) == 1
    assert receiver.feedback(609 * MS) == []
    assert len(receiver.feedback(610 * MS)) == 1


def test_an_ffmpeg_that_does_not_wait_is_heard_and_told_as_everybody() -> None:
    receiver = Receiver(replace(VIDEO, in_step=True), OURS)
    for number in range(1, 67):
        receiver.take_rtp(packet(number, IDR), number * 33 * MS)
        assert receiver.feedback(number * 33 * MS) == [] or number > 64
    receiver.take_rtp(packet(68), 68 * 33 * MS)
    assert asked(receiver, 68 * 33 * MS + 10 * MS, rtcp.Nack) == [rtcp.Nack(THEIRS, (67,))]


def test_an_ffmpeg_that_waits_only_later_is_answered_in_step_from_then_on() -> None:
    """Sound and the picture's first burst are more than it takes to look as if it waited for nothing."""
    receiver = Receiver(replace(VIDEO, in_step=True), OURS)
    for number in range(1, 67):
        receiver.take_rtp(packet(number, IDR), number * MS)
        receiver.feedback(number * MS)
    assert len(receiver.feedback(266 * MS)) == 1
    for number in range(67, 80):
        receiver.take_rtp(packet(number), 270 * MS)
        assert [len(receiver.feedback(270 * MS)), len(receiver.feedback(270 * MS))] == [1, 0]


def test_declined_audio_is_dropped_and_counted() -> None:
    receiver = started()
    assert receiver.take_rtp(packet(2, b"sound", kind=111, ssrc=OTHER), 0) == []
    assert receiver.unread == 1
    assert receiver.take_rtp(packet(2), 0) == [packet(2)]


def test_only_the_videos_sender_reports_are_handed_on() -> None:
    receiver = Receiver(VIDEO, OURS)
    video, sound = (SenderReport(ssrc, 5 * NS_PER_S, 0, 1, 1).serialize() for ssrc in (THEIRS, OTHER))
    assert not receiver.take_rtcp(video, 0)  # nobody knows yet which is the video
    receiver.take_rtp(packet(1), 0)
    assert receiver.take_rtcp(video, 0)
    assert not receiver.take_rtcp(sound, 0)
    for hostile in (b"", video[:8], video[:27], b"\x81\xc9" + video[2:]):
        assert not receiver.take_rtcp(hostile, 0)
    (report,) = asked(receiver, NS_PER_S, rtcp.ReceiverReport)
    assert isinstance(report, rtcp.ReceiverReport)
    assert (report.lsr, report.dlsr) == (int.from_bytes(video[10:14], "big"), 65_536)


def test_another_source_is_followed_once_the_first_is_silent() -> None:
    receiver = started()
    assert receiver.take_rtp(packet(500, IDR, ssrc=OTHER), 100 * MS) == []
    assert receiver.take_rtp(packet(501, SLICE, ssrc=OTHER), 300 * MS) == [packet(501, SLICE, ssrc=OTHER)]
    assert asked(receiver, 1300 * MS, rtcp.PictureLoss) == [rtcp.PictureLoss(OTHER)]


@pytest.mark.parametrize("datagram", [b"", b"\x80" * 11, b"\x40" + bytes(11)])
def test_what_is_no_packet_is_told(datagram: bytes) -> None:
    with pytest.raises(MalformedError):
        started().take_rtp(datagram, 0)
