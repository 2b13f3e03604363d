from __future__ import annotations

from itertools import pairwise

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.errors import MalformedError
from ingest.protocol.events import Heard, ParameterSets, SourcePicture, Unusable
from ingest.protocol.rtmp import amf0
from ingest.protocol.rtmp.handshake import NONCE_BYTES, Handshake
from ingest.protocol.rtmp.messages import Kind, Message
from ingest.protocol.rtmp.session import (
    BEFORE_PUBLISHING_BYTES,
    Event,
    PublishRequested,
    PublishSession,
    State,
    Unpublished,
)

from .material import Coded, coded
from .rtmp_publisher import C2, HELLO, RtmpPublisher, commands

NONCE = bytes(range(191)) * 8


def small(count: int) -> tuple[Coded, ...]:
    return coded(count, size=(64, 48))


class Talk:
    """A publisher and the session it talks to, by a clock that stands still unless moved."""

    def __init__(self, *, accepts: bool = True) -> None:
        self.now_ns = 0
        self.accepts = accepts
        self.session = PublishSession(NONCE, self.now_ns)
        self.publisher = RtmpPublisher()
        self.events: list[Event] = []

    def say(self, data: bytes) -> list[Message]:
        """Send this; the answer."""
        for event in self.session.receive(data, self.now_ns):
            self.events.append(event)
            if isinstance(event, PublishRequested):
                if self.accepts:
                    self.session.accept(self.now_ns)
                else:
                    self.session.refuse("this key is wrong", self.now_ns)
        return self.publisher.hear(self.session.data_to_send())

    def until_published(self) -> list[Message]:
        return self.say(self.publisher.opening())


def test_the_handshake() -> None:
    assert len(NONCE) == NONCE_BYTES
    shaking = Handshake(NONCE)
    assert [shaking.receive(HELLO[at : at + 1]) for at in range(1536)] == [None] * 1536
    assert shaking.data_to_send() == b""
    assert shaking.receive(HELLO[1536:]) is None
    answer = shaking.data_to_send()
    assert answer == b"\x03" + bytes(8) + NONCE + HELLO[1:]
    assert shaking.data_to_send() == b""
    assert shaking.receive(C2[:-1]) is None
    assert shaking.receive(C2[-1:] + b"more") == b"more"


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"\x06", b"\x00"])
def test_other_protocols_are_known_by_their_first_byte(first: bytes) -> None:
    with pytest.raises(MalformedError, match="not RTMP"):
        Talk().say(first)


def test_a_publisher_step_by_step() -> None:
    talk = Talk()
    me = talk.publisher
    assert talk.say(HELLO) == []
    assert talk.say(C2) == []
    assert talk.session.state is State.OPEN
    answer = talk.say(me.connect())
    assert [message.kind for message in answer] == [
        Kind.WINDOW_ACKNOWLEDGEMENT_SIZE,
        Kind.SET_PEER_BANDWIDTH,
        Kind.COMMAND_AMF0,
    ]
    ((name, transaction, server, told),) = commands(answer)
    assert (name, transaction) == ("_result", 1)
    assert isinstance(server, dict)
    assert isinstance(told, dict)
    assert (told["code"], told["objectEncoding"]) == ("NetConnection.Connect.Success", 0)
    assert "fourCcList" not in server
    assert commands(talk.say(me.command("releaseStream", 2, None, "tag"))) == [["_result", 2, None]]
    released = commands(talk.say(me.command("FCPublish", 3, None, "tag")))
    assert [reply[0] for reply in released] == ["_result", "onFCPublish"]
    assert commands(talk.say(me.command("createStream", 4, None))) == [["_result", 4, None, 1]]
    begun, status = talk.say(me.command("publish", 5, None, "tag?key=k-tag", "live", stream_id=1))
    assert talk.events == [PublishRequested("tag", "k-tag")]
    assert (begun.kind, begun.payload) == (Kind.USER_CONTROL, bytes.fromhex("0000 00000001"))
    ((name, _, _, told),) = commands([status])
    assert (name, status.stream_id) == ("onStatus", 1)
    assert isinstance(told, dict)
    assert (told["level"], told["code"]) == ("status", "NetStream.Publish.Start")
    assert talk.session.state.name == "PUBLISHING"


def test_the_key_is_in_no_printed_event() -> None:
    assert "secret" not in repr(PublishRequested("tag", "secret"))


def test_all_at_once_and_byte_by_byte_are_the_same() -> None:
    at_once, by_bytes = Talk(), Talk()
    for talk in (at_once, by_bytes):
        data = talk.publisher.opening() + b"".join(talk.publisher.pictures(small(5)))
        for piece in [data] if talk is at_once else [data[at : at + 1] for at in range(len(data))]:
            talk.say(piece)
    assert at_once.events == by_bytes.events
    assert [type(event) for event in at_once.events] == [
        PublishRequested,
        ParameterSets,
        Heard,
        *[SourcePicture] * 5,
    ]
    dts = [event.dts for event in at_once.events if isinstance(event, SourcePicture)]
    assert dts == [0, 3600, 7200, 10800, 14400]


def test_who_is_refused_is_told_why_and_nothing_more_is_read() -> None:
    talk = Talk(accepts=False)
    data = talk.publisher.opening() + b"".join(talk.publisher.pictures(small(5)))
    *_, (name, _, _, told) = commands(talk.say(data))
    assert name == "onStatus"
    assert told == {"level": "error", "code": "NetStream.Publish.BadName", "description": "this key is wrong"}
    assert talk.session.state is State.REFUSED
    assert talk.say(b"whatever" * 100_000) == []
    assert talk.events == [PublishRequested("tag", "k-tag")]
    assert talk.session.overdue(NS_PER_S) == ""
    assert talk.session.overdue(2 * NS_PER_S) != ""


def test_an_address_without_a_feed_is_refused_unasked() -> None:
    talk = Talk()
    *_, (_, _, _, told) = commands(talk.say(talk.publisher.opening("secret/tag/more")))
    assert talk.events == []
    assert isinstance(told, dict)
    assert told["code"] == "NetStream.Publish.BadName"
    assert "rtmp://SERVER/live/FEED?key=KEY" in str(told["description"])
    assert "secret" not in str(told)


def test_who_wants_to_watch_is_refused() -> None:
    talk = Talk()
    me = talk.publisher
    talk.say(HELLO + C2 + me.connect() + me.command("createStream", 2, None))
    *_, (_, _, _, told) = commands(talk.say(me.command("play", 0, None, "tag?key=k-tag", stream_id=1)))
    assert isinstance(told, dict)
    assert (told["level"], told["code"]) == ("error", "NetStream.Play.Failed")
    assert (talk.events, talk.session.state) == ([], State.REFUSED)


@pytest.mark.parametrize("name", ["FCUnpublish", "closeStream", "deleteStream"])
def test_a_publisher_stops_and_begins_again(name: str) -> None:
    talk = Talk()
    me = talk.publisher
    talk.until_published()
    talk.say(me.command(name, 6, None, 1) + me.command("deleteStream", 7, None, 1))
    assert talk.events[1:] == [Unpublished()]
    picture = b"".join(me.pictures(small(1)))
    talk.say(picture)
    assert talk.events[2:] == []
    talk.say(me.publish() + picture)
    assert [type(event) for event in talk.events[2:]] == [
        PublishRequested,
        ParameterSets,
        Heard,
        SourcePicture,
    ]


def test_commands_in_the_form_of_amf3() -> None:
    talk = Talk()
    me = talk.publisher
    talk.say(HELLO + C2 + me.command("connect", 1, {"app": "live"}, kind=Kind.COMMAND_AMF3))
    talk.say(me.command("publish", 2, None, "tag?key=k-tag", kind=Kind.COMMAND_AMF3, stream_id=1))
    assert talk.events == [PublishRequested("tag", "k-tag")]


@pytest.mark.parametrize("asked", [{"fourCcList": ["hvc1"]}, {"videoFourCcInfoMap": {"*": 1}}, {"capsEx": 4}])
def test_who_asks_is_told_what_of_enhanced_rtmp_we_read(asked: dict[str, amf0.Value]) -> None:
    talk = Talk()
    ((_, _, server, told),) = commands(talk.say(HELLO + C2 + talk.publisher.connect(asked)))
    for answer in (server, told):
        assert isinstance(answer, dict)
        assert answer["fourCcList"] == ["avc1", "hvc1"]
        assert answer["capsEx"] == 4


def test_a_ping_is_answered() -> None:
    talk = Talk()
    talk.until_published()
    ping = talk.publisher.message(Kind.USER_CONTROL, bytes.fromhex("0006 0000002a"), chunk_stream=2)
    (pong,) = talk.say(ping)
    assert (pong.kind, pong.payload) == (Kind.USER_CONTROL, bytes.fromhex("0007 0000002a"))
    other = talk.publisher.message(Kind.USER_CONTROL, bytes.fromhex("0003 00000001 00000bb8"), chunk_stream=2)
    assert talk.say(other) == []


def test_bytes_are_acknowledged_once_in_a_window() -> None:
    talk = Talk()
    me = talk.publisher
    talk.until_published()
    data = me.message(Kind.WINDOW_ACKNOWLEDGEMENT_SIZE, (5000).to_bytes(4, "big"), chunk_stream=2)
    data += b"".join(me.message(Kind.AUDIO, bytes(994), 10 * index) for index in range(20))
    pieces = [data[at : at + 500] for at in range(0, len(data), 500)]
    answers = [message for piece in pieces for message in talk.say(piece)]
    assert {message.kind for message in answers} == {Kind.ACKNOWLEDGEMENT}
    told = [int.from_bytes(message.payload, "big") for message in answers]
    assert len(told) == 4
    assert all(5000 <= after - before < 5500 for before, after in pairwise(told))


def test_sound_without_pictures_is_named_and_beside_them_dropped() -> None:
    talk = Talk()
    talk.until_published()
    sound = talk.publisher.message(Kind.AUDIO, b"\xaf\x01" + bytes(100))
    talk.say(sound)
    (_, event) = talk.events
    assert isinstance(event, Unusable)
    assert event.reason == "no_video"
    talk.say(b"".join(talk.publisher.pictures(small(1))))
    before = len(talk.events)
    talk.say(talk.publisher.message(Kind.AUDIO, b"\xaf\x01" + bytes(100)))
    assert len(talk.events) == before


def test_a_large_picture_on_a_slow_way_is_heard() -> None:
    talk = Talk()
    talk.until_published()
    data = talk.publisher.message(Kind.VIDEO, bytes.fromhex("27 01 000000 00002710") + bytes(10_000))
    for at in range(0, len(data), 100):
        talk.now_ns += 20 * NS_PER_MS
        talk.say(data[at : at + 100])
    assert isinstance(talk.events[-1], SourcePicture)
    assert len(talk.events[1:-1]) in range(18, 22)
    assert set(map(type, talk.events[1:-1])) == {Heard}


def test_one_byte_a_second_is_not_waited_for() -> None:
    talk = Talk()
    for byte in HELLO[:9]:
        talk.now_ns += NS_PER_S
        talk.say(bytes((byte,)))
        assert talk.session.overdue(talk.now_ns) == ""
    talk.now_ns += NS_PER_S
    assert talk.session.overdue(talk.now_ns) == "nothing was published for 10 s"


def test_a_publisher_must_send_whole_messages() -> None:
    talk = Talk()
    talk.until_published()
    data = talk.publisher.message(Kind.VIDEO, bytes(500))
    for byte in data[:9]:
        talk.now_ns += NS_PER_S
        talk.say(bytes((byte,)))
    assert talk.session.overdue(talk.now_ns) == ""
    assert "sound" in talk.session.overdue(talk.now_ns + NS_PER_S)
    talk.say(data[9:])
    assert talk.session.overdue(talk.now_ns + NS_PER_S) == ""


def test_bytes_before_publishing_are_bounded() -> None:
    talk = Talk()
    me = talk.publisher
    talk.say(HELLO + C2 + me.connect())
    sound = me.message(Kind.AUDIO, bytes(BEFORE_PUBLISHING_BYTES - 4096))
    talk.say(sound)
    with pytest.raises(MalformedError, match="before anything was published"):
        talk.say(me.message(Kind.AUDIO, bytes(4096)))


def test_pictures_before_publishing_are_not_taken() -> None:
    talk = Talk()
    me = talk.publisher
    talk.say(HELLO + C2 + me.connect() + b"".join(me.pictures(small(2))))
    assert talk.events == []


@pytest.mark.parametrize(
    "values",
    [
        (),
        (7.0,),
        ("connect",),
        ("connect", "1"),
        (None, None),
        ("createStream", 2.0),
        ("publish", 2.0, None, "tag"),
    ],
)
def test_a_connection_begins_with_connect(values: tuple[amf0.Value, ...]) -> None:
    talk = Talk()
    with pytest.raises(MalformedError):
        talk.say(HELLO + C2 + talk.publisher.command(*values))


def test_what_is_done_twice_ends_the_connection() -> None:
    for name in ("connect", "publish"):
        talk = Talk()
        talk.until_published()
        again = talk.publisher.connect() if name == "connect" else talk.publisher.publish()
        with pytest.raises(MalformedError):
            talk.say(again)


def test_streams_are_bounded() -> None:
    talk = Talk()
    me = talk.publisher
    talk.say(HELLO + C2 + me.connect())
    with pytest.raises(MalformedError, match="streams"):
        talk.say(b"".join(me.command("createStream", 2, None) for _ in range(17)))


def test_a_publisher_is_displaced() -> None:
    talk = Talk()
    talk.until_published()
    talk.session.refuse("another publisher has taken this feed over", talk.now_ns)
    ((_, _, _, told),) = commands(talk.publisher.hear(talk.session.data_to_send()))
    assert isinstance(told, dict)
    assert told["code"] == "NetStream.Publish.BadName"
    with pytest.raises(ValueError, match="REFUSED"):
        talk.session.accept(talk.now_ns)
