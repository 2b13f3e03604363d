"""The wire form: what goes in comes out, what is none of ours says so, and old and new programs agree."""

from __future__ import annotations

import json
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.bus import Item
from flow.errors import MalformedError
from flow.flights import Alarm, RecordingSwitch, SourceState, SourceStatus
from flow.samples import Group, Place, RawTelemetry, TelemetrySample
from flow.units import AccessUnit, Codec, CodecConfig, Rendition, UtcOrigin
from flow.wire import Deframer, decode, encode, frame, wire_size
from tests.fakes.pictures import Camera

KINDS: tuple[type[Any], ...] = tuple(
    kind for member in get_args(Item) for kind in (get_args(member) or (member,))
)
SHORT = settings(derandomize=True, max_examples=60, deadline=None)

int64 = st.integers(-(2**63), 2**63 - 1)
units = st.builds(
    AccessUnit,
    feed_id=st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True),
    rendition=st.sampled_from(Rendition),
    codec=st.sampled_from(Codec),
    epoch=int64,
    seq=int64,
    dts_90k=int64,
    pts_90k=int64,
    utc_ns=int64,
    utc_origin=st.sampled_from(UtcOrigin),
    keyframe=st.booleans(),
    data=st.binary(max_size=300),
)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type; floats without NaN, which equals nothing."""
    if get_origin(hint) in (types.UnionType, Union):
        return st.one_of([values(alternative) for alternative in get_args(hint)])
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=4).map(tuple)
    if get_origin(hint) is dict:
        key, value = get_args(hint)
        return st.dictionaries(values(key), values(value), max_size=4)
    if hint is float:
        return st.floats(allow_nan=False)
    return st.none() if hint is types.NoneType else st.from_type(hint)


def of_kind(kind: type[Any]) -> st.SearchStrategy[Any]:
    if kind is AccessUnit:
        return units
    return st.builds(kind, **{name: values(hint) for name, hint in get_type_hints(kind).items()})


st.register_type_strategy(Place, of_kind(Place))
st.register_type_strategy(CodecConfig, of_kind(CodecConfig))


@pytest.mark.parametrize("kind", KINDS)
def test_every_item_comes_back_as_it_was(kind: type[Any]) -> None:
    @SHORT
    @given(of_kind(kind))
    def check(item: Any) -> None:
        message = encode(item)
        back = decode(message)
        assert back == item
        assert type(back) is kind
        assert wire_size(item) == len(message)

    check()


def test_values_keep_their_types() -> None:
    """Equality is not enough: StrEnums equal strings, and 1 equals True."""
    config = CodecConfig(Codec.H265, 1920, 1080, 1, 0, 123, "4:2:0", 8, False, True)
    state = decode(encode(SourceState("f", SourceStatus.LIVE, 2**62 + 1, config=config, notes=("b_frames",))))
    assert isinstance(state, SourceState)
    assert state.since_ns == 2**62 + 1
    assert state.status is SourceStatus.LIVE
    assert isinstance(state.config, CodecConfig)
    assert state.config.codec is Codec.H265
    assert state.config.reorders is True
    assert state.notes == ("b_frames",)
    sample = decode(encode(TelemetrySample("a", 1, lat_deg=1, received_ns={Group.FIX: 3})))
    assert isinstance(sample, TelemetrySample)
    assert isinstance(sample.lat_deg, float)
    assert list(map(type, sample.received_ns)) == [Group]


def test_an_access_unit_byte_by_byte() -> None:
    """The form is fixed: other programs and older versions read it."""
    unit = AccessUnit(
        "fritz", Rendition.WEB, Codec.H265, 1, 2, 3, -4, 5, UtcOrigin.ARRIVAL, True, b"\x00\x00\x00\x01\x26"
    )
    message = bytes.fromhex(
        "4c42 01 01"  # "LB", version 1, AccessUnit
        "0038"  # header of 56 bytes
        "01 01 01 01 05"  # H.265, web, arrival, keyframe, 5 bytes of feed id
        "0000000000000001 0000000000000002 0000000000000003 fffffffffffffffc 0000000000000005"
        "667269747a"
        "0000000126"
    )
    assert encode(unit) == message
    assert decode(message) == unit


def with_body(type_id: int, body: dict[str, Any]) -> bytes:
    return b"LB\x01" + bytes([type_id]) + json.dumps(body).encode()


def test_a_newer_program_may_add_fields() -> None:
    switch = RecordingSwitch("1", "fritz", 2, True, "Anna")
    assert decode(with_body(18, {**json.loads(encode(switch)[4:]), "reason": "Einsatz"})) == switch
    unit = Camera().keyframe()
    message = encode(unit)
    header_end = len(message) - len(unit.data)
    longer = message[:4] + (header_end + 3).to_bytes(2) + message[6:header_end] + b"new" + unit.data
    assert decode(longer) == unit


def test_an_older_program_may_lack_fields() -> None:
    assert decode(with_body(3, {"aircraft_id": "fritz", "utc_ns": 1})) == TelemetrySample("fritz", 1)
    assert decode(with_body(20, {"id": "1", "aircraft_id": "a", "utc_ns": 1, "code": "c"})) == Alarm(
        "1", "a", 1, "c"
    )


RAW = {"aircraft_id": "a", "link": "l", "utc_ns": 1, "data": ""}
LINK = {"aircraft_id": "a", "link": "l", "status": "live", "since_ns": 1}
SAMPLE = {"aircraft_id": "a", "utc_ns": 1}


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"", "0 bytes"),
        (b"LB\x01", "3 bytes"),
        (b"XX\x01\x02{}", "starts with 5858"),
        (b"LB\x02\x02{}", "version 2"),
        (b"LB\x01\x63{}", "type id 99"),
        (b"LB\x01\x01", "AccessUnit of 4 bytes"),
        (b"LB\x01\x02{", "RawTelemetry is no JSON"),
        (b"LB\x01\x02\xff", "RawTelemetry is no JSON"),
        (b"LB\x01\x02" + b"[" * 100_000, "RawTelemetry is no JSON"),
        (b"LB\x01\x02[]", "RawTelemetry must be an object"),
        (with_body(2, {}), "RawTelemetry lacks aircraft_id, data, link, utc_ns"),
        (with_body(2, {**RAW, "utc_ns": "1"}), "RawTelemetry.utc_ns must be int, is '1'"),
        (with_body(2, {**RAW, "utc_ns": True}), "RawTelemetry.utc_ns must be int"),
        (with_body(2, {**RAW, "utc_ns": 1.5}), "RawTelemetry.utc_ns must be int"),
        (with_body(2, {**RAW, "link": None}), "RawTelemetry.link must be str"),
        (with_body(2, {**RAW, "data": "?"}), "RawTelemetry.data must be base64"),
        (with_body(2, {**RAW, "data": 7}), "RawTelemetry.data must be base64"),
        (with_body(5, {**LINK, "status": "asleep"}), "LinkState.status must be a LinkStatus"),
        (with_body(5, {**LINK, "status": []}), "LinkState.status must be a LinkStatus"),
        (with_body(5, {**LINK, "unassigned_system_ids": 3}), "unassigned_system_ids must be a list"),
        (with_body(5, {**LINK, "unassigned_system_ids": ["3"]}), "unassigned_system_ids must be int"),
        (with_body(3, {**SAMPLE, "received_ns": []}), "received_ns must be an object"),
        (with_body(3, {**SAMPLE, "received_ns": {"mood": 1}}), "received_ns must be a Group"),
        (with_body(3, {**SAMPLE, "home": {"lat_deg": 1.0}}), "TelemetrySample.home lacks lon_deg"),
        (with_body(3, {**SAMPLE, "lat_deg": 10**400}), "lat_deg must be a float"),
        (with_body(3, {**SAMPLE, "lat_deg": True}), "lat_deg must be a number"),
        (with_body(3, {**SAMPLE, "armed": 1}), "armed must be bool"),
    ],
)
def test_what_is_wrong_is_said(message: bytes, complaint: str) -> None:
    with pytest.raises(MalformedError, match="wire: ") as raised:
        decode(message)
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("offset", "value", "complaint"),
    [
        (4, b"\x00\x01", "says 1 header bytes"),
        (4, b"\xff\xff", "says 65535 header bytes"),
        (6, b"\x09", "codec 9"),
        (7, b"\x09", "rendition 9"),
        (8, b"\x09", "origin 9"),
        (10, b"\xff", "header bytes"),
        (51, b"\xff", "not ASCII"),
    ],
)
def test_what_is_wrong_with_a_unit_is_said(offset: int, value: bytes, complaint: str) -> None:
    message = bytearray(encode(Camera().keyframe()))
    message[offset : offset + len(value)] = value
    with pytest.raises(MalformedError, match=complaint):
        decode(bytes(message))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.sampled_from([1, 2, 3, 4, 5, 7, 20, 23]), st.binary(max_size=120))
def test_junk_is_malformed_and_nothing_else(type_id: int, body: bytes) -> None:
    for message in (body, b"LB\x01" + bytes([type_id]) + body):
        try:
            decode(message)
        except MalformedError:
            continue


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [SourceState("f", SourceStatus.LIVE, 1), decode(with_body(5, LINK)), TelemetrySample("a", 1)]
    ),
    st.data(),
)
def test_any_json_in_any_field_is_read_or_malformed(item: Any, data: st.DataObject) -> None:
    message = encode(item)
    body = json.loads(message[4:])
    body[data.draw(st.sampled_from(sorted(body)))] = data.draw(json_values)
    try:
        back = decode(message[:4] + json.dumps(body).encode())
    except MalformedError:
        return
    assert type(back) is type(item)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(units, st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_damaged_units_are_read_or_malformed(unit: AccessUnit, offset: int, damage: bytes) -> None:
    message = bytearray(encode(unit))
    message[offset : offset + len(damage)] = damage
    try:
        decode(bytes(message))
    except MalformedError:
        return


class TestDeframer:
    @SHORT
    @given(
        st.lists(st.binary(max_size=50), max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=20)
    )
    def test_messages_survive_any_slicing(self, messages: list[bytes], sizes: list[int]) -> None:
        stream = b"".join(map(frame, messages))
        deframer, received, position = Deframer(), [], 0
        for number in range(len(stream)):
            size = sizes[number % len(sizes)]
            received += deframer.push(stream[position : position + size])
            position += size
        assert received == messages

    def test_a_frame_beyond_the_limit_is_refused_before_it_is_there(self) -> None:
        deframer = Deframer(limit_bytes=10)
        assert deframer.push(frame(b"x" * 10)) == [b"x" * 10]
        with pytest.raises(MalformedError, match="11 bytes, the limit is 10"):
            deframer.push(frame(b"x" * 11)[:4])
        with pytest.raises(MalformedError):
            deframer.push(frame(b"fine"))

    def test_bus_items_through_a_stream(self) -> None:
        items: list[Item] = [
            Camera().keyframe(),
            RawTelemetry("a", "l", 1, b"\xfd\x00"),
            TelemetrySample("a", 1),
        ]
        received = Deframer().push(b"".join(frame(encode(item)) for item in items))
        assert [decode(message) for message in received] == items
