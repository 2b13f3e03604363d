"""STUN, ICE-lite and RFC 4571 framing under random, mutated and replayed input; the port under the same."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import MalformedError
from relay.port import Path, Port
from relay.protocol import stun
from relay.protocol.framing import MAX_FRAME_BYTES, Deframer, framed
from relay.protocol.icelite import HELD_NS, MAX_PATHS, REMEMBERED_CHECKS, Credentials, IceLite

QUICK = settings(derandomize=True, deadline=None, max_examples=300)
SEEDS = range(8)
ROUNDS = 1500

OURS = Credentials("ours", "a password of ours")
THEIRS = Credentials("thrs", "a password of theirs")
KEY = OURS.password.encode()
SOURCE = ("2001:db8::7", 5000)


def check(chance: random.Random) -> bytes:
    attributes = [
        (stun.USERNAME, b"ours:thrs"),
        (stun.PRIORITY, chance.randbytes(4)),
        (chance.choice([stun.ICE_CONTROLLING, stun.ICE_CONTROLLED, 0xC057, 0x7001]), chance.randbytes(8)),
    ]
    if chance.random() < 0.5:
        attributes.append((stun.USE_CANDIDATE, b""))
    return stun.serialize(stun.BINDING_REQUEST, chance.randbytes(12), attributes, KEY)


def mutated(chance: random.Random, datagram: bytes) -> bytes:
    changed = bytearray(datagram)
    for _ in range(chance.randrange(1, 4)):
        kind, at = chance.randrange(4), chance.randrange(len(changed) + 1)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del changed[at : at + chance.randrange(1, 9)]
        elif kind == 2:
            changed[at:at] = chance.randbytes(chance.choice([1, 4, 8]))
        elif at + 2 <= len(changed):
            changed[at : at + 2] = chance.choice([b"\x00\x00", b"\xff\xff", b"\x00\x08", b"\x80\x28"])
    if chance.random() < 0.7 and len(changed) >= stun.HEADER_SIZE:  # mostly past the first check
        changed[2:4] = (len(changed) - stun.HEADER_SIZE).to_bytes(2, "big")
        changed += bytes(-len(changed) % 4)
    return bytes(changed)


def inputs(seed: int) -> Iterator[bytes]:
    """Checks: good, seen before, changed on the way, changed with no fingerprint to tell; answers; noise."""
    chance = random.Random(seed)
    seen = [check(chance)]
    for _ in range(ROUNDS):
        good = check(chance)
        seen = [*seen[-50:], good]
        bare = good[:2] + (len(good) - 8 - stun.HEADER_SIZE).to_bytes(2, "big") + good[4:-8]
        kinds = [good, chance.choice(seen), mutated(chance, good), mutated(chance, bare)]
        kinds += [b"\x01\x01" + bare[2:], chance.randbytes(60)]
        yield chance.choice(kinds)


@given(st.binary(max_size=200))
@QUICK
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    stun.username_of(data)
    try:
        message = stun.parse(data)
    except MalformedError:
        return
    assert stun.is_stun(data)
    message.is_signed_with(KEY)


attributes = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=12)


@given(
    st.integers(0, 0x3FF),
    st.binary(min_size=12, max_size=12),
    attributes,
    st.none() | st.binary(max_size=80),
)
@QUICK
def test_what_is_written_is_read(
    kind: int, transaction_id: bytes, attributes: list[tuple[int, bytes]], key: bytes | None
) -> None:
    ours = {stun.MESSAGE_INTEGRITY, stun.FINGERPRINT}
    attributes = [(kind, value) for kind, value in attributes if kind not in ours]
    message = stun.parse(stun.serialize(kind, transaction_id, attributes, key))
    assert (message.kind, message.transaction_id) == (kind, transaction_id)
    first = dict(reversed(attributes))
    assert {k: v for k, v in message.attributes.items() if k not in ours} == first
    assert message.is_signed_with(key or b"") == (key is not None)
    assert not message.is_signed_with((key or b"") + b"x")


@given(st.ip_addresses().map(str), st.integers(0, 65535), st.binary(min_size=12, max_size=12))
@QUICK
def test_any_address_comes_back(ip: str, port: int, transaction_id: bytes) -> None:
    assert stun.mapped_address(stun.parse(stun.success(transaction_id, (ip, port), KEY))) == (ip, port)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20), st.data())
@QUICK
def test_frames_survive_any_cut(datagrams: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(framed, datagrams))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    deframer = Deframer()
    received: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += deframer.push(stream[start:end])
    assert received == datagrams


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stream_of_junk_ends_or_stays_small(seed: int) -> None:
    chance = random.Random(seed)
    deframer = Deframer()
    try:
        for _ in range(500):
            for datagram in deframer.push(chance.randbytes(chance.randrange(1, 20))):
                assert 0 < len(datagram) <= MAX_FRAME_BYTES
            assert len(deframer._rest) < 2 + MAX_FRAME_BYTES
    except MalformedError:
        return


@pytest.mark.parametrize("seed", SEEDS)
def test_the_agent_stays_small_and_follows_only_what_is_signed(seed: int) -> None:
    chance = random.Random(seed + 100)
    ice: IceLite[int] = IceLite(OURS, THEIRS, now_ns=0)
    answered: set[bytes] = set()
    for now_ns, datagram in enumerate(inputs(seed), start=1):
        before = (ice.path, ice.consent_until_ns)
        reply = ice.handle(datagram, chance.randrange(40), SOURCE, now_ns)
        if reply is None:
            assert (ice.path, ice.consent_until_ns) == before
        else:
            assert stun.parse(datagram).is_signed_with(KEY)
            assert stun.parse(reply).is_signed_with(KEY)
            assert stun.parse(reply).transaction_id == datagram[8:20]
            answered.add(datagram)
        if now_ns % 50 == 0:
            ice.forget(chance.randrange(40))
        assert len(ice.paths) <= MAX_PATHS
        assert ice.path is None or ice.path in ice.paths
        assert len(ice._transactions) <= REMEMBERED_CHECKS
        ice.dropped()
    assert len(answered) > ROUNDS // 8
    reasons = {"malformed", "integrity", "username", "no request", "replayed", "late path"}
    assert set(ice.refused) == reasons | {"unknown attribute", "role conflict"}


@pytest.mark.parametrize("seed", range(2))
async def test_the_port_outlives_junk_by_udp_and_tcp(seed: int) -> None:
    chance = random.Random(seed)
    ice: IceLite[Path] = IceLite(OURS, THEIRS, now_ns=0)
    received = 0

    def receive(datagram: bytes, path: Path) -> None:
        nonlocal received
        received += 1
        reply = ice.handle(datagram, path, path.address, received * HELD_NS)
        if reply is not None:
            path.send(reply)

    port = await Port.open(("127.0.0.1",), 0, receive, ice.forget)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", port.port))
            for datagram in inputs(seed + 50):
                client.send(datagram)
                await asyncio.sleep(0)
        for _ in range(60):
            _, writer = await asyncio.open_connection("127.0.0.1", port.port)
            stream = b"".join(framed(check(chance)) for _ in range(5))
            writer.write(stream[: chance.randrange(len(stream))] + chance.randbytes(chance.randrange(3000)))
            writer.close() if chance.random() < 0.5 else writer.transport.abort()
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        good = stun.serialize(
            stun.BINDING_REQUEST, bytes(12), [(stun.USERNAME, b"ours:thrs"), (stun.USE_CANDIDATE, b"")], KEY
        )
        writer.write(framed(good))
        async with asyncio.timeout(10):
            reply = Deframer().push(await reader.read(2000))
        assert [stun.parse(message).kind for message in reply] == [stun.BINDING_SUCCESS]
        assert ice.path is not None
        assert ice.path.kind == "tcp"
        writer.close()
    finally:
        await port.close()
    assert not port._connections
    assert received > ROUNDS
