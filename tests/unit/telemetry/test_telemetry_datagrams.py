"""UDP read in batches: nothing lost or out of order, true arrival times, few wake-ups in a flood."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from telemetry.datagrams import AT_ONCE, AT_ONCE_BYTES, LONGEST, MOST_AGE_NS, DatagramReader


class Taken:
    """What a reader brought, and in which turn of the loop."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.ages_ns: list[int] = []
        self.senders: set[Any] = set()

    def __call__(self, data: bytes, address: Any, age_ns: int) -> None:
        self.data.append(data)
        self.senders.add(address)
        self.ages_ns.append(age_ns)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.data) < count:
                await asyncio.sleep(0)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(receiver.getsockname())
            yield sender, receiver


async def test_all_of_it_in_order_with_its_sender(pair: tuple[socket.socket, socket.socket]) -> None:
    sender, receiver = pair
    taken = Taken()
    reader = DatagramReader(receiver, taken)
    reader.start()
    sent = [b"%d" % number for number in range(2 * AT_ONCE + 3)]
    for data in sent:
        sender.send(data)
    await taken.until(len(sent))
    reader.stop()
    assert taken.data == sent
    assert taken.senders == {sender.getsockname()}


async def test_what_waited_is_as_old_as_it_is(pair: tuple[socket.socket, socket.socket]) -> None:
    sender, receiver = pair
    taken = Taken()
    reader = DatagramReader(receiver, taken)
    reader.start()
    async with asyncio.timeout(10):
        while True:  # the kernel begins to stamp a moment after the first socket has asked for it
            before_ns, count = time.time_ns(), len(taken.data)
            sender.send(b"early")
            while time.time_ns() - before_ns < 30_000_000:  # the loop is busy with something else
                pass
            await taken.until(count + 1)
            assert taken.ages_ns[-1] <= min(MOST_AGE_NS, time.time_ns() - before_ns)
            if taken.ages_ns[-1] >= 29_000_000:
                break
    reader.stop()


async def test_a_stream_wakes_the_loop_less_often_than_it_has_messages(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, receiver = pair
    taken, wakes = Taken(), 0
    reader = DatagramReader(receiver, taken)
    read = reader._read

    def counted() -> None:
        nonlocal wakes
        wakes += 1
        read()

    monkeypatch.setattr(reader, "_read", counted)
    reader.start()
    for number in range(150):  # the kernel's buffer holds them all
        sender.send(b"%d" % number)
        await asyncio.sleep(0)  # the loop could read each of them
    await taken.until(150)
    reader.stop()
    assert wakes < 50


async def test_one_turn_takes_no_more_than_it_has_time_for(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = pair
    taken = Taken()
    reader = DatagramReader(receiver, taken)
    for _ in range(9):
        sender.send(bytes(AT_ONCE_BYTES // 4))
    reader._read()
    assert len(taken.data) == 4
    reader._read()
    assert len(taken.data) == 8
    sender.send(bytes(60_000))
    reader._read()
    assert [len(data) for data in taken.data[8:]] == [AT_ONCE_BYTES // 4, LONGEST]
    reader.stop()


async def test_after_stop_nothing_is_taken_any_more(pair: tuple[socket.socket, socket.socket]) -> None:
    sender, receiver = pair
    taken = Taken()
    reader = DatagramReader(receiver, taken)
    reader.start()
    for _ in range(3):
        sender.send(b"x")
        await taken.until(1)
    reader.stop()  # it may be resting
    before = len(taken.data)
    sender.send(b"late")
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert len(taken.data) == before
