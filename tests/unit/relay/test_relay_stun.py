"""relay/protocol/stun.py against the vectors of RFC 5769 and against aioice's own STUN."""

from __future__ import annotations

import hashlib
import itertools

import aioice.stun
import pytest

from flow.errors import MalformedError
from relay.protocol import stun

KEY = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")

# RFC 5769 2.1 to 2.4, as printed there.
REQUEST = bytes.fromhex(
    "00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74"
    "00240004 6e0001ff 80290008 932ff9b151263b36 00060009 6576746a3a68367659202020"
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf"
)
RESPONSE_V4 = bytes.fromhex(
    "0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220"
    "00200008 0001a147e112a643 00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96"
)
RESPONSE_V6 = bytes.fromhex(
    "01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220"
    "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c"
)
REQUEST_LONG_TERM = bytes.fromhex(
    "00010060 2112a442 78ad3433c6ad72c029da412e 00060012 e3839ee38388e383aae38383e382afe382b90000"
    "0015001c 662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b 6578616d706c652e6f726700"
    "00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666"
)


def test_the_sample_request_is_read_and_its_integrity_verified() -> None:
    message = stun.parse(REQUEST)
    assert message.kind == stun.BINDING_REQUEST
    assert message.transaction_id == TRANSACTION
    assert message.attributes[stun.USERNAME] == b"evtj:h6vY"
    assert message.attributes[stun.PRIORITY] == bytes.fromhex("6e0001ff")
    assert message.attributes[stun.ICE_CONTROLLED] == bytes.fromhex("932ff9b151263b36")
    assert message.is_signed_with(KEY)
    assert not message.is_signed_with(KEY + b"x")
    assert stun.username_of(REQUEST) == "evtj:h6vY"


@pytest.mark.parametrize(
    ("response", "address"),
    [
        (RESPONSE_V4, ("192.0.2.1", 32853)),
        (RESPONSE_V6, ("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
)
def test_the_sample_responses_are_read(response: bytes, address: stun.Address) -> None:
    message = stun.parse(response)
    assert message.kind == stun.BINDING_SUCCESS
    assert message.is_signed_with(KEY)
    assert stun.mapped_address(message) == address
    assert stun.xor_address(address, TRANSACTION) == message.attributes[stun.XOR_MAPPED_ADDRESS]
    assert stun.username_of(response) is None


def test_the_sample_request_with_a_long_term_key_is_verified() -> None:
    # RFC 8489 9.2.2: the key is MD5 of user:realm:password, here after SASLprep, as RFC 5769 2.4 says.
    assert stun.parse(REQUEST_LONG_TERM).is_signed_with(LONG_TERM_KEY)


LONG_TERM_KEY = hashlib.md5("マトリックス:example.org:TheMatrIX".encode()).digest()


@pytest.mark.parametrize(
    ("vector", "key"), [(REQUEST, KEY), (RESPONSE_V6, KEY), (REQUEST_LONG_TERM, LONG_TERM_KEY)]
)
def test_what_is_changed_on_the_way_is_never_accepted_as_signed(vector: bytes, key: bytes) -> None:
    untouched = stun.parse(vector)
    for at, bit in itertools.product(range(len(vector)), range(8)):
        changed = bytearray(vector)
        changed[at] ^= 1 << bit
        try:
            message = stun.parse(bytes(changed))
        except MalformedError:
            continue
        if message.is_signed_with(key):
            # Padding is of no meaning where nothing covers it, and FINGERPRINT itself is not signed.
            assert message.transaction_id == untouched.transaction_id
            signed = {k: v for k, v in untouched.attributes.items() if k != stun.FINGERPRINT}
            assert {k: message.attributes[k] for k in signed} == signed
            assert set(message.attributes) <= set(untouched.attributes)


def test_the_vectors_are_written_as_printed_but_for_the_padding() -> None:
    # RFC 5769 pads with spaces, we with zeros (RFC 8489 14 leaves it open); IPv4's needs none in front of it.
    attributes = [(0x8022, b"STUN test client"), (stun.PRIORITY, bytes.fromhex("6e0001ff"))]
    attributes += [(stun.ICE_CONTROLLED, bytes.fromhex("932ff9b151263b36")), (stun.USERNAME, b"evtj:h6vY")]
    written = stun.serialize(stun.BINDING_REQUEST, TRANSACTION, attributes, KEY)
    integrity = written.index(bytes.fromhex("00080014"))
    assert written[:integrity] == REQUEST[:integrity].replace(b"h6vY   ", b"h6vY\0\0\0")
    assert stun.parse(written).is_signed_with(KEY)


def test_aioice_reads_what_we_write() -> None:
    answer = aioice.stun.parse_message(stun.success(TRANSACTION, ("192.0.2.1", 32853), KEY))
    assert answer.message_class == aioice.stun.Class.RESPONSE
    assert answer.transaction_id == TRANSACTION
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 32853)
    assert answer.check_message_integrity(KEY)

    answer = aioice.stun.parse_message(stun.success(TRANSACTION, ("2001:db8::1", 9), KEY))
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ("2001:db8::1", 9)

    answer = aioice.stun.parse_message(stun.error(TRANSACTION, 487, "Role Conflict", KEY))
    assert answer.message_class == aioice.stun.Class.ERROR
    assert answer.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert answer.check_message_integrity(KEY)


def test_a_420_names_what_was_unknown() -> None:
    message = stun.parse(stun.error(TRANSACTION, 420, "Unknown Attribute", KEY, [0x0018, 0x7FFF]))
    assert message.attributes[stun.ERROR_CODE][:4] == bytes((0, 0, 4, 20))
    assert message.attributes[stun.UNKNOWN_ATTRIBUTES] == bytes.fromhex("00187fff")


def test_we_read_what_aioice_writes() -> None:
    request = aioice.stun.Message(
        message_method=aioice.stun.Method.BINDING, message_class=aioice.stun.Class.REQUEST
    )
    request.attributes["USERNAME"] = "ours:theirs"
    request.attributes["PRIORITY"] = 1853824767
    request.attributes["ICE-CONTROLLING"] = 0x0123456789ABCDEF
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(KEY)
    message = stun.parse(bytes(request))
    assert message.is_signed_with(KEY)
    assert stun.username_of(bytes(request)) == "ours:theirs"
    assert message.attributes[stun.USE_CANDIDATE] == b""
    assert message.attributes[stun.PRIORITY] == (1853824767).to_bytes(4, "big")
    assert message.attributes[stun.ICE_CONTROLLING] == bytes.fromhex("0123456789abcdef")

    request.attributes = {"XOR-MAPPED-ADDRESS": ("2001:db8::17", 4711)}
    assert stun.mapped_address(stun.parse(bytes(request))) == ("2001:db8::17", 4711)


def attribute(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


def message_of(*attributes: bytes, kind: int = stun.BINDING_REQUEST) -> bytes:
    body = b"".join(attributes)
    header = kind.to_bytes(2, "big") + len(body).to_bytes(2, "big")
    return header + bytes.fromhex("2112a442") + TRANSACTION + body


def test_what_follows_the_integrity_is_not_kept() -> None:
    signed = stun.serialize(stun.BINDING_REQUEST, TRANSACTION, [(stun.USERNAME, b"a:b")], KEY)[:-8]
    added = signed[stun.HEADER_SIZE :] + attribute(stun.USE_CANDIDATE, b"") + attribute(stun.USERNAME, b"c:d")
    message = stun.parse(message_of(added))
    assert message.is_signed_with(KEY)
    assert stun.USE_CANDIDATE not in message.attributes
    assert message.attributes[stun.USERNAME] == b"a:b"


def test_of_an_attribute_given_twice_the_first_counts() -> None:
    message = stun.parse(message_of(attribute(stun.USERNAME, b"a:b"), attribute(stun.USERNAME, b"c:d")))
    assert message.attributes[stun.USERNAME] == b"a:b"
    assert not message.is_signed_with(KEY)


MALFORMED = {
    "nothing": b"",
    "shorter than a header": REQUEST[:19],
    "wrong cookie": REQUEST[:4] + bytes(4) + REQUEST[8:],
    "first bits not zero": b"\x80" + REQUEST[1:],
    "cut off": REQUEST[:-4],
    "longer than its length": REQUEST + bytes(4),
    "length not a multiple of four": REQUEST[:2] + b"\x00\x59" + REQUEST[4:] + b"\x00",
    "attribute beyond the end": message_of(b"\x00\x06\x00\x05abcd"),
    "integrity too short": message_of(attribute(stun.MESSAGE_INTEGRITY, bytes(16))),
    "fingerprint too long": message_of(attribute(stun.FINGERPRINT, bytes(8))),
    "fingerprint wrong": message_of(attribute(stun.FINGERPRINT, bytes(4))),
    "fingerprint not last": message_of(
        attribute(stun.FINGERPRINT, (0x12345678).to_bytes(4, "big")), attribute(stun.PRIORITY, bytes(4))
    ),
    "too many attributes": message_of(*[attribute(0xC000, b"")] * (stun.MAX_ATTRIBUTES + 1)),
}


@pytest.mark.parametrize("datagram", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_message_is_refused(datagram: bytes) -> None:
    with pytest.raises(MalformedError, match=r"STUN|RFC 8489"):
        stun.parse(datagram)


def test_a_username_is_found_without_reading_the_rest() -> None:
    assert stun.username_of(message_of(attribute(stun.USERNAME, b"ab:cd"))) == "ab:cd"
    assert stun.username_of(message_of(attribute(stun.PRIORITY, bytes(4)))) is None
    assert stun.username_of(message_of(attribute(stun.USERNAME, "ä:b".encode()))) is None
    assert stun.username_of(message_of(b"\x00\x06\x00\x09ab:c")) is None
    assert stun.username_of(message_of(attribute(stun.USERNAME, b"ab:cd"), kind=stun.BINDING_SUCCESS)) is None
    assert stun.username_of(b"\x16\xfe\xfd" + bytes(40)) is None  # DTLS


@pytest.mark.parametrize("value", [b"", bytes(4), bytes((0, 1)) + bytes(18), bytes((0, 2)) + bytes(6)])
def test_a_mapped_address_of_the_wrong_size_is_refused(value: bytes) -> None:
    datagram = message_of(attribute(stun.XOR_MAPPED_ADDRESS, value), kind=stun.BINDING_SUCCESS)
    with pytest.raises(MalformedError, match="XOR-MAPPED-ADDRESS"):
        stun.mapped_address(stun.parse(datagram))
