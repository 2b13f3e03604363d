"""What one viewer is sent, when, and under which numbers: the network and the keys are left out."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import Any

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.rtp import RtpPacket, parse_rtp
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from relay.delivery import Delivery, Link, Sent
from relay.outlet import Outlet
from relay.protocol.layout import Run, Shape
from relay.protocol.pacer import Pacer
from relay.stream import Stream

SHAPE = Shape(payload_type=102, playout_delay_id=5, tag_bytes=16)
PICTURE_NS = NS_PER_S // 30
FEED = "fritz-tag"


class Tap(Outlet):
    """Keeps what would have been protected and sent."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[RtpPacket] = []
        self.takes = True

    def send(self, run: Run, srtp: Any, path: Any) -> bool:
        if self.takes:
            lengths = array("i", run.lengths)
            pairs = zip(run.starts, lengths, strict=True)
            self.packets += [parse_rtp(run.data[at : at + length]) for at, length in pairs]
        return self.takes

    @property
    def sequences(self) -> list[int]:
        return [p.sequence for p in self.packets]

    @property
    def pictures(self) -> list[int]:
        """The numbers of the pictures whose last packet came, in order."""
        return [p.timestamp // 3000 for p in self.packets if p.marker]


class Way:
    """A path that takes everything; as TCP it can be full."""

    def __init__(self, kind: str = "udp") -> None:
        self.kind = kind
        self.waiting_bytes = 0
        self.was_full = False


class Scene:
    """A stream of pictures at 30 a second, a keyframe every 30, and one viewer of it."""

    def __init__(self, fixed_bps: float | None = None, kind: str = "udp") -> None:
        self.now_ns = 0
        self.stream = Stream(FEED)
        self.tap = Tap()
        self.sent = Sent()
        self.way = Way(kind)
        self.pacer = Pacer(fixed_bps)
        self.number = 0
        way: Any = self.way
        srtp: Any = None
        self.delivery = Delivery(self.stream, Link(SHAPE, srtp, way, self.tap), self.pacer, self.sent)
        self._joined = False

    def join(self) -> None:
        self._joined = True
        self.delivery.start(self.now_ns)
        self.delivery.pump(self.now_ns)

    def picture(self, size: int = 2000, keyframe: bool | None = None) -> None:
        """The next picture comes, then a thirtieth of a second passes in milliseconds."""
        number, self.number = self.number, self.number + 1
        is_keyframe = number % 30 == 0 if keyframe is None else keyframe
        nal = bytes([0x65 if is_keyframe else 0x41]) + bytes([number % 251 + 1]) * (size - 1)
        pts_90k = number * 3000
        unit = AccessUnit(
            FEED, Rendition.SOURCE, Codec.H264, 1, number, pts_90k, pts_90k, self.now_ns, UtcOrigin.SOURCE,
            is_keyframe, b"\0\0\0\1" + nal,
        )  # fmt: skip
        picture = self.stream.accept(unit, self.now_ns)
        if self._joined:
            self.delivery.offer(picture, self.now_ns)
        self.pass_ns(PICTURE_NS)

    def pass_ns(self, duration_ns: int) -> None:
        for _ in range(duration_ns // NS_PER_MS):
            self.now_ns += NS_PER_MS
            self.delivery.pump(self.now_ns)
        self.now_ns += duration_ns % NS_PER_MS


def contiguous(sequences: list[int]) -> bool:
    return all((b - a) & 0xFFFF == 1 for a, b in pairwise(sequences))


def test_a_joiner_gets_the_group_from_its_keyframe_and_then_live_without_a_gap() -> None:
    scene = Scene()
    for _ in range(70):
        scene.picture()
    scene.join()
    for _ in range(5):
        scene.picture()
    assert scene.tap.pictures == list(range(60, 75))
    assert contiguous(scene.tap.sequences)
    assert scene.tap.sequences[0] < 1 << 15
    assert (scene.delivery.catching_up, scene.delivery.backlog_bytes) == (False, 0)
    assert scene.sent.pictures == 15


def test_without_a_group_a_keyframe_is_asked_for_and_awaited() -> None:
    scene = Scene()
    scene.join()
    assert scene.stream.keyframe_wanted
    scene.picture(keyframe=False)
    scene.picture(keyframe=True)
    scene.picture()
    assert scene.tap.pictures == [1, 2]
    assert scene.sent.dropped_pictures == 1


def test_a_group_too_large_for_the_path_is_not_sent() -> None:
    scene = Scene(fixed_bps=1_000_000)
    for _ in range(20):
        scene.picture(20_000)
    scene.join()
    assert scene.stream.keyframe_wanted
    assert scene.tap.packets == []
    scene.picture(5000, keyframe=True)
    scene.pass_ns(NS_PER_S)
    assert scene.tap.pictures == [20]


def test_a_keyframe_is_spread_over_a_narrow_path() -> None:
    scene = Scene(fixed_bps=6_000_000)
    scene.join()
    scene.picture(80_000, keyframe=True)  # 107 ms at 6 Mbit/s
    sent_bytes = sum(len(p.payload) for p in scene.tap.packets)
    assert 20_000 < sent_bytes < 40_000
    for _ in range(10):
        scene.picture(4000)
    assert scene.tap.pictures == list(range(11))
    assert contiguous(scene.tap.sequences)
    assert scene.sent.dropped_pictures == 0


def test_whoever_falls_too_far_behind_goes_on_at_the_next_keyframe_and_sees_no_loss() -> None:
    scene = Scene(fixed_bps=1_000_000)
    scene.join()
    for _ in range(300):
        scene.picture(12_000)
    assert scene.sent.dropped_pictures > 150
    assert contiguous(scene.tap.sequences)
    shown = scene.tap.pictures
    # After each gap comes a keyframe, and what is shown is never older than the bound.
    assert all(b % 30 == 0 for a, b in pairwise(shown) if b != a + 1)
    assert shown[-1] > 250
    assert scene.delivery.backlog_bytes < 500_000


def test_a_nack_brings_the_same_packet_again() -> None:
    scene = Scene()
    scene.join()
    for _ in range(3):
        scene.picture(3000)
    lost = scene.tap.packets[4]
    scene.delivery.resend([lost.sequence], None, scene.now_ns)
    assert scene.tap.packets[-1] == lost
    assert scene.sent.resent_packets == 1
    scene.delivery.resend([lost.sequence], None, scene.now_ns)  # at once again: not twice within a round trip
    scene.delivery.resend([(lost.sequence + 5000) & 0xFFFF], None, scene.now_ns)  # never sent
    assert scene.sent.resent_packets == 1


def test_a_nack_from_before_a_drop_still_finds_its_packet() -> None:
    scene = Scene(fixed_bps=1_000_000)
    scene.join()
    while scene.sent.dropped_pictures == 0 or scene.tap.pictures[-1] < 35:
        scene.picture(12_000)
    scene.pacer.on_report(None, 0.0, scene.now_ns)
    before_drop = next(p for p in scene.tap.packets if p.timestamp == 2 * 3000)
    scene.pass_ns(NS_PER_S)
    scene.delivery.resend([before_drop.sequence], None, scene.now_ns)
    assert scene.tap.packets[-1] == before_drop


def test_a_pli_is_answered_with_the_group_under_the_same_numbers() -> None:
    scene = Scene()
    for _ in range(40):
        scene.picture()
    scene.join()
    first = list(scene.tap.packets)
    scene.tap.packets.clear()
    scene.delivery.repeat_group(scene.now_ns)
    scene.delivery.pump(scene.now_ns)
    assert scene.tap.packets == first
    scene.tap.packets.clear()
    scene.delivery.repeat_group(scene.now_ns)  # at most once a second
    scene.delivery.pump(scene.now_ns)
    assert scene.tap.packets == []
    scene.picture()
    assert scene.tap.pictures == [40]


def test_a_pli_for_a_group_that_was_not_begun_here_asks_for_a_keyframe() -> None:
    scene = Scene(fixed_bps=1_000_000)
    for _ in range(10):
        scene.picture(20_000)
    scene.join()
    scene.stream.keyframe_wanted = False
    scene.delivery.repeat_group(scene.now_ns)
    assert scene.stream.keyframe_wanted  # the first wish may have been lost
    scene.stream.keyframe_wanted = False
    scene.picture(400_000, keyframe=True)  # 3 s at 1 Mbit/s: too much to repeat
    scene.delivery.repeat_group(scene.now_ns)
    assert scene.stream.keyframe_wanted


def test_what_is_older_than_the_srtp_window_is_not_sent_again_by_its_old_number() -> None:
    scene = Scene()
    scene.join()
    scene.picture(2000, keyframe=True)
    oldest = scene.tap.sequences[0]
    for _ in range(50):
        scene.picture(30_000, keyframe=False)
    assert len(scene.tap.packets) > 1024
    scene.delivery.resend([oldest], None, scene.now_ns)
    assert scene.sent.resent_packets == 0
    count = len(scene.tap.packets)
    scene.delivery.repeat_group(scene.now_ns)
    scene.pass_ns(NS_PER_S)
    assert scene.stream.keyframe_wanted
    assert contiguous(scene.tap.sequences)
    assert scene.tap.pictures == [*range(51), *range(51)]
    assert len(scene.tap.packets) == 2 * count


def test_a_full_tcp_connection_holds_back_only_itself() -> None:
    scene = Scene(kind="tcp")
    scene.join()
    scene.picture(2000, keyframe=True)
    scene.way.waiting_bytes = 64 * 1024
    for _ in range(10):
        scene.picture()
    assert scene.tap.pictures == [0]
    scene.way.waiting_bytes = 0
    scene.pass_ns(5 * NS_PER_MS)
    assert scene.tap.pictures == list(range(11))


def test_what_the_network_does_not_take_is_counted_and_can_be_asked_for() -> None:
    scene = Scene()
    scene.join()
    scene.tap.takes = False
    scene.picture(2000, keyframe=True)
    scene.tap.takes = True
    scene.picture()
    assert scene.sent.refused_packets == 2
    first = scene.tap.sequences[0]
    scene.delivery.resend([(first - 2) & 0xFFFF], None, scene.now_ns)
    assert scene.tap.sequences[-1] == (first - 2) & 0xFFFF


def test_what_finds_no_room_goes_a_moment_later_and_nothing_is_missing() -> None:
    scene = Scene()
    scene.join()
    scene.picture(2000, keyframe=True)
    scene.tap.takes, scene.way.was_full = False, True
    for _ in range(3):
        scene.picture(3000)
    assert scene.delivery.blocked
    scene.tap.takes, scene.way.was_full = True, False
    scene.pass_ns(5 * NS_PER_MS)
    assert scene.tap.pictures == [0, 1, 2, 3]
    assert contiguous(scene.tap.sequences)
    assert (scene.sent.refused_packets, scene.sent.packets) == (0, len(scene.tap.packets))
    assert not scene.delivery.blocked


def test_what_found_no_room_for_too_long_keeps_its_numbers() -> None:
    """Without segmentation offload part of it may have gone: SRTP must not use them for other packets."""
    scene = Scene()
    scene.join()
    scene.picture(2000, keyframe=True)
    newest = scene.tap.sequences[-1]
    scene.tap.takes, scene.way.was_full = False, True
    for _ in range(200):
        scene.picture(3000, keyframe=False)
    scene.tap.takes, scene.way.was_full = True, False
    scene.picture(2000, keyframe=True)
    assert scene.tap.pictures == [0, 201]
    assert scene.tap.sequences[-2] == (newest + 3 + 1) & 0xFFFF  # the three packets of the first that waited
    assert scene.sent.dropped_pictures == 200


def test_a_resend_that_does_not_go_is_none() -> None:
    scene = Scene()
    scene.join()
    scene.picture(2000, keyframe=True)
    sent, sequence = scene.sent.packets, scene.tap.sequences[0]
    scene.tap.takes = False
    scene.delivery.resend([sequence], None, scene.now_ns)
    assert (scene.sent.packets, scene.sent.resent_packets) == (sent, 0)


def test_viewers_behind_share_what_was_laid_out_as_it_came() -> None:
    scene = Scene()
    scene.join()
    scene.tap.takes, scene.way.was_full = False, True
    scene.picture(2000, keyframe=True)
    picture = scene.stream.newest
    assert picture is not None
    runs = picture.runs(scene.delivery._key)
    picture.forget_layouts()
    assert scene.delivery._backlog[0].runs is runs
