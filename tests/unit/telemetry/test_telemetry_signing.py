"""Signatures, made by pymavlink: what counts, what does not, and why."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from functools import partial
from typing import Any

import pytest

from flow.samples import LinkStatus, RawTelemetry, TelemetrySample
from telemetry.protocol.fleet import Fleet
from telemetry.protocol.parser import Frame, Parser
from telemetry.protocol.signing import EPOCH_NS, UNIT_NS, Refusal, Signatures, key_of
from telemetry.settings import AircraftLink
from tests.fakes import aircraft as fake
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.unit.telemetry.test_telemetry_link import LOCAL, Running, running, udp_socket

MS = 1_000_000
S = 1000 * MS
KEY = hashlib.sha256(b"Feuerwehr").digest()
WRONG = hashlib.sha256(b"Feuerwehr ").digest()


def signer(key: bytes = KEY, system_id: int = 1, *, link_id: int = 0, at_ns: int = START_NS) -> FakeAircraft:
    """An aircraft that signs as pymavlink does, its clock showing `at_ns`."""
    drone = FakeAircraft(system_id, key=key)
    drone.set_signing(link_id, (at_ns - EPOCH_NS) // UNIT_NS)
    return drone


def frame_of(data: bytes) -> Frame:
    [frame] = Parser().push(data)
    return frame


class Air:
    """A link with one aircraft whose key is known."""

    def __init__(self, system_id: int | None = 1) -> None:
        self.fleet = Fleet("udpin:x", [("fritz", system_id)], {"fritz": KEY})
        self.now_ns = START_NS
        self.out: list[Any] = []

    def send(self, *messages: bytes, sender: str = "a") -> None:
        for message in messages:
            self.now_ns += 20 * MS
            self.out += self.fleet.receive(message, sender, self.now_ns, datagram=True)
        self.out += self.fleet.poll(self.now_ns + 40 * MS)

    @property
    def counted(self) -> list[object]:
        """How many messages counted, how many were refused, and why."""
        heard = self.fleet.heard("fritz", self.now_ns)
        return [heard.messages, heard.unsigned, heard.refusal]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Feuerwehr", KEY),
        ("ab" * 32, bytes.fromhex("ab" * 32)),
        ("AB" * 32, bytes.fromhex("ab" * 32)),
        ("ab" * 31, hashlib.sha256(b"ab" * 31).digest()),
        ("Lösch", hashlib.sha256("Lösch".encode()).digest()),
    ],
)
def test_keys(text: str, key: bytes) -> None:
    assert key_of(text) == key


def test_signed_frames_count() -> None:
    air, drone = Air(), signer()
    sent = [drone.heartbeat(armed=True), drone.position(1000), drone.text("Hallo")]
    air.send(*sent)
    assert air.counted == [3, 0, None]
    assert [item.data for item in air.out if isinstance(item, RawTelemetry)] == sent
    assert [item.lat_deg for item in air.out if isinstance(item, TelemetrySample)][-1] == 49.4


@pytest.mark.parametrize(
    ("stranger", "why"),
    [
        (FakeAircraft(), Refusal.MISSING),
        (FakeAircraft(v1=True), Refusal.MISSING),
        (signer(WRONG), Refusal.WRONG),
        (signer(at_ns=START_NS - 61 * S), Refusal.REPLAYED),
    ],
    ids=["unsigned", "MAVLink 1", "wrong key", "old"],
)
def test_what_does_not_count(stranger: FakeAircraft, why: Refusal) -> None:
    air, drone = Air(), signer()
    air.send(stranger.heartbeat(armed=True), stranger.position(1000, 50.0))
    assert (air.counted, air.out) == ([0, 2, why], [])
    air.send(drone.heartbeat(), drone.position(1000, 49.4))
    assert air.counted == [2, 2, why]
    air.send(stranger.position(1100, 50.0), stranger.text("Akku leer"))
    places = {item.lat_deg for item in air.out if isinstance(item, TelemetrySample)}
    assert places <= {49.4, None}
    assert air.counted == [2, 4, why]
    air.now_ns += 6 * S
    assert air.counted == [2, 4, None]  # no news any more


def test_a_changed_byte_is_refused() -> None:
    message = signer().position(1000)
    for at in (*range(4, 10), *range(len(message) - 13, len(message))):
        changed = bytearray(message)
        changed[at] ^= 1
        signatures = Signatures(KEY)
        parts = frame_of(message)._replace(raw=bytes(changed))
        assert signatures.refusal(parts, START_NS) is Refusal.WRONG


def test_a_replay_is_refused_and_shuts_nobody_out() -> None:
    air, drone = Air(), signer()
    first = [drone.heartbeat(), *(drone.position(1000 + 100 * number) for number in range(100))]
    air.send(*first)
    air.send(*first[:20], sender="replayer")
    assert air.counted == [101, 20, Refusal.REPLAYED]
    air.send(drone.position(12_000))
    assert air.counted == [102, 20, Refusal.REPLAYED]


def test_a_forged_time_in_the_future_shuts_nobody_out() -> None:
    air = Air()
    air.send(signer(WRONG, at_ns=START_NS + 10**15).heartbeat())
    air.send(signer().heartbeat())
    assert air.counted == [1, 1, Refusal.WRONG]


def test_links_have_clocks_of_their_own() -> None:
    air = Air()
    one, two = signer(link_id=0), signer(link_id=1, at_ns=START_NS - 20 * S)
    for _ in range(5):
        air.send(one.hud())
        two.skip(7)
        air.send(two.hud(), sender="b")
    assert air.counted[1:] == [0, None]


def test_the_same_over_a_second_router_is_a_duplicate_and_no_replay() -> None:
    air, drone = Air(), signer()
    for number in range(50):
        message = drone.position(1000 + 100 * number)
        air.send(message, sender="a")
        air.send(message, sender="b")
    assert air.counted == [50, 0, None]
    assert air.fleet.heard("fritz", air.now_ns).duplicates == 50


def test_a_frame_that_is_repeated_for_ever_neither_lives_nor_holds_the_aircrafts_place() -> None:
    air, drone = Air(), signer()
    flown = [drone.position(1000 + 100 * number) for number in range(10)]
    air.send(*flown)
    heard_ns = air.now_ns
    for _ in range(10):
        air.now_ns += S
        air.send(flown[-1], sender="repeater")
    heard = air.fleet.heard("fritz", air.now_ns)
    assert (heard.heard_ns, heard.duplicates) == (heard_ns, 10)
    air.send(drone.position(12_000), sender="a, from another port")
    assert (air.counted, air.fleet.heard("fritz", air.now_ns).rival) == ([11, 0, None], None)


def test_a_clock_that_was_never_set_is_believed_until_it_has_known_the_time() -> None:
    air, unset = Air(), signer(at_ns=EPOCH_NS + S)
    air.send(unset.heartbeat(), unset.heartbeat())
    assert air.counted == [2, 0, None]
    air.send(signer().hud())  # its receiver has found the time
    air.send(unset.heartbeat(), signer(link_id=3, at_ns=EPOCH_NS + S).home(49.4, 7.6, 200))
    assert air.counted == [3, 2, Refusal.REPLAYED]


def test_radios_do_not_sign_and_only_tell_of_the_link() -> None:
    air, drone = Air(), signer()
    radio = FakeAircraft(51, 68, v1=True)
    air.send(radio.radio(200, 48), drone.heartbeat(), radio.radio(86, 48), drone.position(1000))
    samples = [item for item in air.out if isinstance(item, TelemetrySample)]
    assert samples[-1].link_quality_pct == pytest.approx(50)
    assert air.counted == [2, 0, None]


def test_an_unsigned_word_of_a_radio_does_not_prove_that_the_aircraft_is_there() -> None:
    air = Air()
    air.send(FakeAircraft(1).radio(200, 48), FakeAircraft(51, 68).radio(200, 48))
    assert (air.counted, air.out) == ([0, 0, None], [])
    assert air.fleet.heard("fritz", air.now_ns).heard_ns is None


def test_only_who_holds_the_key_is_adopted() -> None:
    air = Air(None)
    air.send(FakeAircraft(9).heartbeat(), signer(WRONG, 8).heartbeat(), FakeAircraft(9).position(1000))
    heard = air.fleet.heard("fritz", air.now_ns)
    assert (heard.system_id, heard.unassigned_system_ids) == (None, (8, 9))
    air.send(signer(system_id=4).heartbeat(), FakeAircraft(4).heartbeat(mode=6))
    assert air.fleet.heard("fritz", air.now_ns).system_id == 4
    assert air.counted[0] == 1


def test_others_on_the_link_need_not_sign() -> None:
    fleet = Fleet("x", [("fritz", 1), ("ottmar", 2)], {"fritz": KEY})
    for message in (FakeAircraft(1).heartbeat(), FakeAircraft(2).heartbeat()):
        fleet.receive(message, "a", START_NS)
    assert [fleet.heard(name, START_NS).messages for name in ("fritz", "ottmar")] == [0, 1]


def test_what_is_remembered_is_bounded_by_who_holds_the_key() -> None:
    signatures = Signatures(KEY)
    for number in range(300):
        signatures.refusal(frame_of(signer(WRONG, link_id=number % 256).heartbeat()), START_NS)
    assert signatures._newest == {}


def says(run: Running, reason: str) -> bool:
    return run.state().reason == reason


async def test_the_link_says_why_and_never_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    link = AircraftLink("fritz", LOCAL, 1, signing_key="Feuerwehr")
    assert "Feuerwehr" not in repr(link)
    cases = [
        (FakeAircraft().heartbeat(), "signature_missing"),
        (signer(WRONG).heartbeat(), "signature_wrong"),
        (signer(at_ns=START_NS - 100 * S).heartbeat(), "signature_replayed"),
    ]
    async with running(link) as run:
        where = await run.opened()
        with udp_socket() as peer:
            for number, (message, reason) in enumerate(cases, 1):
                peer.sendto(message, where)
                await run.until(partial(says, run, reason), 100 * MS)
                assert (run.state().status, run.state().unsigned) == (LinkStatus.CONNECTING, number)
            peer.sendto(signer(at_ns=run.clock.now_ns()).heartbeat(kind=fake.PLANE), where)
            await run.until(lambda: run.state().status is LinkStatus.LIVE)
            await run.until(lambda: run.state().status is LinkStatus.SILENT, 100 * MS)
            await asyncio.sleep(0)
            peer.sendto(cases[1][0], where)
            await run.until(lambda: run.state().reason == "signature_wrong", 100 * MS)
    assert "Feuerwehr" not in caplog.text
    assert KEY.hex() not in caplog.text
