"""The relay's port and its ICE-lite agent against aioice, a full agent, over loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import aioice
import aioice.ice
import aioice.stun
import pytest

from relay.port import Path, Port
from relay.protocol import stun
from relay.protocol.framing import Deframer, framed
from relay.protocol.icelite import CONSENT_NS, Credentials, IceLite
from tests.fakes.clock import FakeClock

S = 1_000_000_000


class Relay:
    """One viewer's session on a port of its own, put together as the hub does it."""

    def __init__(self) -> None:
        self.local, self.remote = Credentials.fresh(), Credentials.fresh()
        self.clock = FakeClock()
        self.ice: IceLite[Path] = IceLite(self.local, self.remote, self.clock.now_ns())
        self.data: list[tuple[bytes, Path]] = []
        self.unknown = 0

    async def open(self, host: str) -> None:
        self.port = await Port.open((host,), 0, self._receive, self.ice.forget)

    def _receive(self, datagram: bytes, path: Path) -> None:
        if datagram[0] > 3:
            self.data.append((datagram, path))
            return
        ufrag = (stun.username_of(datagram) or "").partition(":")[0]
        if ufrag != self.local.ufrag:
            self.unknown += 1
            return
        reply = self.ice.handle(datagram, path, path.address, self.clock.now_ns())
        if reply is not None:
            assert path.send(reply)


@contextlib.asynccontextmanager
async def relaying(host: str) -> AsyncIterator[Relay]:
    relay = Relay()
    await relay.open(host)
    try:
        yield relay
    finally:
        await relay.port.close()


@contextlib.asynccontextmanager
async def agent_of(
    relay: Relay,
    host: str,
    *,
    lite: bool = True,
    controlling: bool = True,
    password: str | None = None,
    ufrag: str | None = None,
) -> AsyncIterator[aioice.Connection]:
    """A viewer's full agent that knows what an answer would have told it."""
    agent = aioice.Connection(
        ice_controlling=controlling,
        use_ipv4=":" not in host,
        use_ipv6=":" in host,
        local_username=relay.remote.ufrag,
        local_password=relay.remote.password,
    )
    agent.remote_is_lite = lite
    agent.remote_username = ufrag or relay.local.ufrag
    agent.remote_password = password or relay.local.password
    await agent.gather_candidates()
    port = relay.port.port
    await agent.add_remote_candidate(
        aioice.Candidate(
            foundation="1", component=1, transport="udp", priority=1, host=host, port=port, type="host"
        )
    )
    await agent.add_remote_candidate(None)
    try:
        yield agent
    finally:
        await agent.close()


@pytest.fixture(autouse=True)
def _on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return ["127.0.0.1"] * use_ipv4 + ["::1"] * use_ipv6

    monkeypatch.setattr(aioice.ice, "get_host_addresses", loopback)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("lite", [True, False])
async def test_a_full_agent_connects_and_data_goes_both_ways(host: str, lite: bool) -> None:
    async with relaying(host) as relay, agent_of(relay, host, lite=lite) as agent:
        assert not relay.ice.checked
        await agent.connect()
        assert relay.ice.checked
        assert relay.ice.path is not None
        (candidate,) = agent.local_candidates
        assert relay.ice.path.address == (candidate.host, candidate.port)
        await agent.send(b"\x16 to the relay")
        await until(lambda: bool(relay.data))
        assert relay.data == [(b"\x16 to the relay", relay.ice.path)]
        assert relay.ice.path.send_run(memoryview(b"to the viewer"), 7)
        assert [await agent.recv(), await agent.recv()] == [b"to the ", b"viewer"]
        assert not relay.ice.refused


async def test_an_agent_that_believes_to_be_controlled_takes_control() -> None:
    async with relaying("127.0.0.1") as relay, agent_of(relay, "127.0.0.1", controlling=False) as agent:
        await agent.connect()
        assert agent.ice_controlling
        assert relay.ice.path is not None
        assert relay.ice.refused == {"role conflict": 1}


async def test_a_viewer_that_moved_is_followed() -> None:
    async with relaying("127.0.0.1") as relay:
        async with agent_of(relay, "127.0.0.1") as before, agent_of(relay, "127.0.0.1") as after:
            await before.connect()
            first = relay.ice.path
            await after.connect()
            assert relay.ice.path != first
            assert relay.ice.path is not None
            assert relay.ice.path.address[1] == after.local_candidates[0].port
            relay.ice.path.send(b"here now")
            assert await after.recv() == b"here now"
            assert len(relay.ice.paths) == 2


async def test_the_agents_own_consent_checks_keep_the_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.01)
    async with relaying("127.0.0.1") as relay:
        async with agent_of(relay, "127.0.0.1") as agent:
            await agent.connect()
            for _ in range(3):
                relay.clock.advance(20 * S)
                expected = relay.clock.now_ns() + CONSENT_NS
                await until(lambda expected=expected: relay.ice.consent_until_ns == expected)  # type: ignore[misc]
        kept = relay.ice.consent_until_ns
        relay.clock.advance(31 * S)
        assert relay.ice.consent_until_ns == kept < relay.clock.now_ns()


@pytest.mark.parametrize("wrong", ["password", "ufrag"])
async def test_an_agent_with_wrong_credentials_hears_nothing(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aioice.stun, "RETRY_MAX", 1)
    monkeypatch.setattr(aioice.stun, "RETRY_RTO", 0.01)
    async with relaying("127.0.0.1") as relay:
        async with agent_of(relay, "127.0.0.1", **{wrong: "x" * 24}) as agent:  # type: ignore[arg-type]
            with pytest.raises(ConnectionError):
                await agent.connect()
        assert not relay.ice.checked
        assert relay.ice.path is None
        assert relay.unknown == (2 if wrong == "ufrag" else 0)
        assert relay.ice.refused == ({"integrity": 2} if wrong == "password" else {})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_checks_by_tcp_open_a_path_and_its_end_falls_back(host: str) -> None:
    """aioice has no ICE-TCP: its messages, framed as RFC 6544 says, over a plain connection."""
    async with relaying(host) as relay, agent_of(relay, host) as agent:
        await agent.connect()
        by_udp = relay.ice.path
        reader, writer = await asyncio.open_connection(host, relay.port.port)
        request = agent.build_request(next(iter(agent._check_list)), nominate=True)
        request.add_message_integrity(relay.local.password.encode())
        writer.write(framed(bytes(request)))
        (reply,) = await _frames(reader)
        response = aioice.stun.parse_message(reply)
        assert response.check_message_integrity(relay.local.password.encode())
        source = writer.get_extra_info("sockname")[:2]
        assert response.attributes["XOR-MAPPED-ADDRESS"] == source
        assert relay.ice.path is not None
        assert relay.ice.path.kind == "tcp"
        assert relay.ice.path.address == source
        assert relay.ice.path.send_run(memoryview(b"aabbc"), 2)
        assert await _frames(reader, 3) == [b"aa", b"bb", b"c"]
        writer.close()
        await writer.wait_closed()
        await until(lambda: relay.ice.path == by_udp)


async def _frames(reader: asyncio.StreamReader, count: int = 1) -> list[bytes]:
    deframer = Deframer()
    frames: list[bytes] = []
    async with asyncio.timeout(10):
        while len(frames) < count:
            frames += deframer.push(await reader.read(2000))
    return frames
