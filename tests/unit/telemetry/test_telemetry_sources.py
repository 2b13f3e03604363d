"""Connections that telemetry makes and accepts: names, and how many there may be."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from flow.samples import LinkStatus
from telemetry.settings import AircraftLink
from telemetry.sources import CONNECTIONS_MOST, IDLE_NS, READ_BYTES, run_source
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import FakeClock
from tests.unit.telemetry.test_telemetry_link import running

MS = 1_000_000
PORT = "tcpin:127.0.0.1:0"


async def test_a_name_that_cannot_be_resolved_is_one_clear_line() -> None:
    async with running(AircraftLink("fritz", "tcp:drohne.invalid:5760", 1)) as run:
        await run.until(lambda: run.states() and run.state().status is LinkStatus.FAILED, 100 * MS)
        assert run.state().reason == "connect_failed"
        assert "drohne.invalid:5760" in run.state().detail


class Pieces:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.address = asyncio.get_running_loop().create_future()
        self.data: list[bytes] = []
        self.over = asyncio.Event()

    def opened(self, address: str) -> None:
        self.address.set_result(address)

    def receive(self, data: bytes, sender: str, *, datagram: bool = False, age_ns: int = 0) -> None:
        self.data.append(data)

    def refused(self, sender: str) -> None:
        raise AssertionError(sender)

    def ended(self, sender: str) -> None:
        self.over.set()


async def test_what_comes_all_at_once_is_read_little_by_little() -> None:
    pieces, sent = Pieces(), bytes(range(256)) * 2000
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        source = group.create_task(run_source(PORT, (), FakeClock(), pieces))
        port = int((await pieces.address).rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.close()
        await pieces.over.wait()
        source.cancel()
    assert b"".join(pieces.data) == sent
    assert max(map(len, pieces.data)) <= READ_BYTES


class Caller:
    """One connection to the port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.write = writer.write
        self.ended = asyncio.ensure_future(reader.read())  # until it is closed by the port

    @classmethod
    async def calls(cls, where: tuple[str, int], stack: AsyncExitStack) -> Caller:
        reader, writer = await asyncio.open_connection(*where)
        caller = cls(reader, writer)
        stack.callback(writer.close)
        stack.callback(caller.ended.cancel)
        return caller


async def test_connections_that_have_fallen_silent_make_way() -> None:
    old, new = FakeAircraft(1), FakeAircraft(2)
    links = AircraftLink("fritz", PORT, 1), AircraftLink("ottmar", PORT, 2)
    async with running(*links) as run, AsyncExitStack() as stack:
        where = await run.opened()
        callers = [await Caller.calls(where, stack) for _ in range(CONNECTIONS_MOST)]
        callers[0].write(old.heartbeat())
        await run.until(lambda: run.state().messages == 1)
        turned_away = await Caller.calls(where, stack)  # all others have only just come
        await run.until(turned_away.ended.done)
        run.clock.advance(IDLE_NS)
        callers[0].write(old.heartbeat())
        await run.until(lambda: run.state().messages == 2)
        newcomer = await Caller.calls(where, stack)
        newcomer.write(new.heartbeat())
        await run.until(lambda: run.state("ottmar").messages == 1)
        callers[0].write(old.heartbeat())
        await run.until(lambda: run.state().messages == 3)
        ended = [caller.ended.done() for caller in callers]
        assert (ended[0], sum(ended)) == (False, 1)
