"""One multiplex with several metadata streams: a feed is told of one camera, its own."""

from __future__ import annotations

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.klv import write_length
from ingest.protocol.events import SourceMetadata
from ingest.protocol.ts_stream import TsStream
from tests.fakes.clock import START_NS
from tests.fakes.klv_sets import flight
from tests.unit.flow.transport import KLV, KLV_PID, PMT_PID, VIDEO, VIDEO_PID, Muxer, pes, pmt, section

from .material import coded

SENDER = "127.0.0.1:40000"
OTHER_PID, OTHER_VIDEO_PID, OTHER_PMT_PID = 0x201, 0x200, 0x1001
OTHER = (0x06, OTHER_PID, b"\x05\x04KLVA")
OTHER_VIDEO = (0x1B, OTHER_VIDEO_PID, b"")
PICTURE = coded(1)[0].data
TARGETS = bytes.fromhex("060e2b34020b01010e01030306000000") + write_length(4) + b"\x04\x02\0\1"  # ST 0903
PAT_OF_TWO = section(
    0,
    1,
    b"".join(
        number.to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big")
        for number, pid in ((1, PMT_PID), (2, OTHER_PMT_PID))
    ),
)


class Sent:
    """What a stream makes of a multiplex that is put together by hand; 100 ms between two pictures."""

    def __init__(self, *streams: tuple[int, int, bytes]) -> None:
        self.stream, self.muxer, self.now_ns, self.pts = TsStream(), Muxer(), START_NS, 90_000
        self.told: list[bytes] = []
        self.send(self.muxer.tables(*streams))

    def send(self, data: bytes) -> None:
        for event in self.stream.handle(data, SENDER, self.now_ns):
            if isinstance(event, SourceMetadata):
                self.told.append(event.data)

    def sets(self, *sets: tuple[int, bytes], video: int = VIDEO_PID) -> list[bytes]:
        """Sets by PID and the picture that they come with; what becomes of them."""
        self.told = []
        self.now_ns += 100 * NS_PER_MS
        self.pts += 9000
        beside = b"".join(self.muxer.pes(pid, pes(data, self.pts, with_length=True)) for pid, data in sets)
        self.send(beside + self.muxer.pes(video, pes(PICTURE, self.pts, with_length=True)))
        return self.told


def test_of_two_cameras_one_is_told_of() -> None:
    sent = Sent(VIDEO, KLV, OTHER)
    for n in range(5):
        assert sent.sets((KLV_PID, flight(n)), (OTHER_PID, flight(100 + n))) == [flight(n)]


def test_another_stream_follows_once_the_first_is_silent() -> None:
    sent = Sent(VIDEO, KLV, OTHER)
    sent.sets((KLV_PID, flight(0)), (OTHER_PID, flight(100)))
    assert sent.sets((OTHER_PID, flight(101))) == []
    sent.now_ns += 5 * NS_PER_S
    assert sent.sets((OTHER_PID, flight(102))) == [flight(102)]


def test_a_pid_that_changes_is_followed_at_once() -> None:
    sent = Sent(VIDEO, KLV)
    assert sent.sets((KLV_PID, flight(0))) == [flight(0)]
    sent.send(sent.muxer.section(PMT_PID, pmt(VIDEO, OTHER)))
    assert sent.sets((OTHER_PID, flight(1))) == [flight(1)]


def test_what_tells_of_no_camera_takes_nobodys_place() -> None:
    sent = Sent(VIDEO, KLV, OTHER)
    assert sent.sets((KLV_PID, TARGETS), (OTHER_PID, flight(0))) == [TARGETS, flight(0)]


def test_the_metadata_of_another_programs_pictures_are_not_these_ones() -> None:
    sent = Sent(VIDEO, KLV)
    tables = sent.muxer.section(0, PAT_OF_TWO) + sent.muxer.section(OTHER_PMT_PID, pmt(OTHER_VIDEO, OTHER))
    sent.send(tables)
    sent.sets((OTHER_PID, flight(100)))  # before there is a picture, nobody knows
    for n in range(5):
        assert sent.sets((OTHER_PID, flight(101 + n)), (KLV_PID, flight(n))) == [flight(n)]
    sent.now_ns += 2 * NS_PER_S  # those pictures end, and the other ones are followed
    sent.sets(video=OTHER_VIDEO_PID)
    both = (KLV_PID, flight(8)), (OTHER_PID, flight(108))
    assert sent.sets(*both, video=OTHER_VIDEO_PID) == [flight(108)]


def test_metadata_in_a_program_without_pictures_are_those_of_the_pictures() -> None:
    sent = Sent(VIDEO)
    tables = sent.muxer.section(0, PAT_OF_TWO) + sent.muxer.section(OTHER_PMT_PID, pmt(OTHER))
    sent.send(tables)
    assert [sent.sets((OTHER_PID, flight(n))) for n in range(3)] == [[flight(n)] for n in range(3)]
