"""By which addresses and connections a viewer is reached, and who may change that."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest
from aioice.stun import Class, Message, Method

from relay import candidates
from relay.settings import RelaySettings
from tests.fakes.light_viewer import LightViewer, Wire

from .watching import FEED, House, one_viewer, open_house

ANYWHERE = RelaySettings(addresses=())


def offered(viewer: LightViewer) -> list[str]:
    return [host for kind, host, _ in viewer.candidates if kind == "udp"]


async def accepted(house: House, viewer: LightViewer) -> None:
    viewer.accept((await house.relay.answer(FEED, viewer.offer())).sdp)


async def test_where_udp_is_blocked_the_picture_comes_by_tcp() -> None:
    async with one_viewer("tcp") as (house, viewer):
        house.film(*house.camera.group(10, size=5000))
        await viewer.until_pictures(11)
        assert house.relay.viewers()[0].path == "tcp"
        assert viewer.timestamps == sorted(viewer.timestamps)


async def test_tcp_is_not_offered_where_it_is_switched_off() -> None:
    async with open_house(RelaySettings(tcp=False)) as house:
        viewer = LightViewer()
        await accepted(house, viewer)
        assert {kind for kind, _, _ in viewer.candidates} == {"udp"}
        with socket.socket() as caller, pytest.raises(ConnectionRefusedError):
            caller.connect(("127.0.0.1", house.relay.port))


@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_a_viewer_by_ipv6(kind: str) -> None:
    async with open_house(RelaySettings(addresses=("::1",))) as house:
        with LightViewer() as viewer:
            house.film(house.camera.keyframe())
            await house.join(viewer, kind, "::1")
            await viewer.until_pictures(1)
            mapped = viewer.answers[0].attributes["XOR-MAPPED-ADDRESS"]
            assert tuple(mapped) == viewer.wire.address


@pytest.mark.parametrize("profile", ["gcm", "cm80"])
async def test_both_kinds_of_srtp(profile: str) -> None:
    async with one_viewer(profile=profile) as (house, viewer):
        house.film(*house.camera.group(5, size=5000))
        await viewer.until_pictures(6)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
async def test_bound_to_a_wildcard_it_answers_from_the_address_that_was_called(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "host_addresses", lambda: [host])
    async with open_house(ANYWHERE) as house:
        with LightViewer() as viewer:
            house.film(house.camera.keyframe())
            await accepted(house, viewer)
            assert offered(viewer) == list(dict.fromkeys([host, "127.0.0.1"]))
            viewer.open("udp", host).socket.connect(viewer.wire.to)  # takes answers from nobody else
            monkeypatch.setattr(viewer.wire, "send", viewer.wire.socket.send)
            viewer.check()
            await viewer.until(lambda: bool(viewer.answers))
            await viewer.shake_hands()
            await viewer.until_pictures(1)


async def test_a_public_address_is_offered_beside_the_local_one() -> None:
    async with open_house(RelaySettings(public_host="203.0.113.7")) as house:
        viewer = LightViewer()
        await accepted(house, viewer)
        assert offered(viewer) == ["127.0.0.1", "203.0.113.7"]
        assert ("tcp", "203.0.113.7", house.relay.port) in viewer.candidates


async def test_a_public_name_is_looked_up_again_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [["198.51.100.1"], ["198.51.100.2", "2001:db8::2"]]

    async def lookup(*_: object, **__: object) -> Sequence[tuple[object, ...]]:
        addresses = found[0] if len(found) == 1 else found.pop(0)
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", lookup)
    async with open_house(RelaySettings(public_host="elw.example")) as house:
        viewer = LightViewer()
        await accepted(house, viewer)
        assert offered(viewer) == ["127.0.0.1", "198.51.100.1"]
        await house.pass_s(60.0)
        await accepted(house, viewer)
        assert offered(viewer) == ["127.0.0.1", "198.51.100.2", "2001:db8::2"]


@pytest.mark.parametrize("name", ["nowhere.invalid", "a..b", "x" * 64 + ".example"])
async def test_a_public_name_that_is_none_leaves_the_local_addresses(name: str) -> None:
    async with open_house(RelaySettings(public_host=name)) as house:
        viewer = LightViewer()
        for _ in range(3):
            await house.turn()
            await accepted(house, viewer)
        assert offered(viewer) == ["127.0.0.1"]


async def test_a_new_address_is_followed_and_the_old_one_gets_nothing_more() -> None:
    async with one_viewer() as (house, viewer):
        old = viewer.wire
        new = viewer.open()
        viewer.check(nominate=False)
        await viewer.until(lambda: len(viewer.answers) == 2)
        house.film()
        await house.turn()
        assert media(old) == 1  # checked, but not chosen
        assert media(new) == 0
        viewer.check()
        await viewer.until(lambda: len(viewer.answers) == 3)
        house.film(*house.camera.group(3))
        await house.turn()
        assert media(old) == 0
        assert media(new) == 3


def media(wire: Wire) -> int:
    return sum(datagram[0] >= 128 for datagram in wire.received())


async def test_an_address_that_only_repeats_a_check_is_sent_nothing() -> None:
    async with one_viewer() as (house, viewer):
        check = viewer.check()
        await viewer.until(lambda: len(viewer.answers) == 2)
        thief = viewer.open()
        thief.send(check)
        thief.send(viewer.check(key=b"not the password"))
        house.film()
        await viewer.until_pictures(2)
        assert thief.received() == []


async def test_nobody_takes_over_the_address_of_a_viewer_that_is_there() -> None:
    async with one_viewer() as (house, viewer):
        with LightViewer() as thief:
            await accepted(house, thief)
            thief.wires, thief.wire = [viewer.wire], viewer.wire  # as by a forged sender
            thief.check()
            await house.turn()
            assert house.relay.refused()["taken path"] == 1
            await house.pass_s(6.0)
            thief.check()  # after a reload of the page a browser may get its old port again
            await house.turn()
            assert house.relay.refused()["taken path"] == 1
            thief.wires = []


async def test_dtls_from_an_unchecked_address_is_not_even_looked_at() -> None:
    async with open_house() as house:
        with LightViewer() as viewer:
            house.film(house.camera.keyframe())
            await accepted(house, viewer)
            viewer.open()
            for record in viewer._dtls.start():
                viewer.wire.send(record)
            await house.turn()
            viewer.read()
            assert house.relay._sessions._refused["unknown sender"] == 1
            assert not viewer.media
            assert not viewer._dtls.connected
            viewer.check()
            for record in viewer._dtls.due():
                viewer.wire.send(record)
            await viewer.until_pictures(1)


async def test_a_lost_tcp_connection_is_replaced_by_the_other_way_the_viewer_checks() -> None:
    async with one_viewer("tcp") as (house, viewer):
        by_tcp = viewer.wire
        viewer.open("udp")
        viewer.check(nominate=False)
        await viewer.until(lambda: len(viewer.answers) == 2)
        by_tcp.socket.close()
        viewer.wires.remove(by_tcp)
        while house.relay.viewers()[0].path == "tcp":
            await house.turn()
        house.film(house.camera.keyframe())
        await viewer.until_pictures(2)


async def test_a_connection_that_ends_as_the_handshake_does_is_the_viewers_own_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_house() as house:
        with LightViewer() as viewer:
            await accepted(house, viewer)
            await viewer.connect("tcp")
            session = next(iter(house.relay._viewers.values()))
            for path in list(session.ice.paths):
                session.path_closed(path)
            await house.until("", 0)
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_a_keepalive_that_is_no_check_does_no_harm(kind: str) -> None:
    async with one_viewer(kind) as (house, viewer):
        viewer.wire.send(bytes(Message(Method.BINDING, Class.INDICATION)))  # RFC 8445 11
        house.film()
        await viewer.until_pictures(2)
        await viewer.settle()
        assert house.relay._sessions._refused["unknown session"] == 1


async def test_a_tcp_connection_without_the_password_is_closed() -> None:
    async with open_house() as house:
        with LightViewer() as viewer:
            await accepted(house, viewer)
            wire = viewer.open("tcp")
            viewer.check(key=b"not the password")
            wire.socket.setblocking(True)
            wire.socket.settimeout(0)
            closed = False
            for _ in range(10_000):
                await house.turn()
                try:
                    closed = wire.socket.recv(1) == b""
                except BlockingIOError:
                    continue
                except ConnectionResetError:
                    closed = True
                break
            assert closed


async def test_two_sessions_on_one_socket_do_not_share_their_fate() -> None:
    """Nobody's browser does that; whoever does it harms himself."""
    async with one_viewer() as (house, viewer):
        with LightViewer() as other:
            session = await house.relay.answer(FEED, other.offer())
            other.accept(session.sdp)
            other.wire = viewer.wire
            other.check()
            await viewer.until(lambda: house.relay._sessions._by_path != {})
            await house.relay.close(session.session_id)
            house.film()
            await viewer.until_pictures(2)


async def test_more_ways_than_are_kept_leave_the_chosen_one() -> None:
    async with one_viewer() as (house, viewer):
        chosen = viewer.wire
        for _ in range(20):
            viewer.check(by=viewer.open(), nominate=False)
        await viewer.until(lambda: len(viewer.answers) == 21)
        assert len(house.relay._sessions._by_path) == 8
        house.film()
        await viewer.until_pictures(2)
        viewer.wire = chosen
        await viewer.settle()
        assert house.relay.viewers()[0].state == "connected"
