"""Datagrams leave at their time, and how late they were is told truthfully."""

from __future__ import annotations

import socket

import pytest

from flow.errors import ConfigError
from recordings.protocol.timing import Send
from recordings.sender import Lateness, Sender, resolve
from tests.unit.recordings.flights import MS, START_NS


class Time:
    """A clock that only its own sleep moves, and always by a bit too much."""

    def __init__(self, oversleep_ns: int) -> None:
        self.now = START_NS
        self.oversleep_ns = oversleep_ns

    def now_ns(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9) + self.oversleep_ns


def test_datagrams_arrive_and_their_lateness_is_counted() -> None:
    time = Time(oversleep_ns=2 * MS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = Sender([resolve(f"127.0.0.1:{receiver.getsockname()[1]}")], time.now_ns, time.sleep)
        sender.run([Send(START_NS + 100 * MS, 0, b"one"), Send(START_NS + 101 * MS, 0, b"two")])
        sender.close()
        assert [receiver.recv(100), receiver.recv(100)] == [b"one", b"two"]
    assert sender.lateness.count == 2
    assert sender.lateness.max_ns == 2 * MS
    assert "2 datagrams, 0 refused by the network, late by" in str(sender)


def test_what_the_network_refuses_is_counted_and_does_not_stop_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time = Time(0)
    sender = Sender([resolve("127.0.0.1:9")], time.now_ns, time.sleep)
    sender.run([Send(START_NS, 0, bytes(70_000))] * 3)  # too long for UDP
    sender.close()
    assert sender.refused == 3
    assert len(caplog.records) == 1


def test_percentiles_of_lateness() -> None:
    lateness = Lateness()
    for number in range(100):
        lateness.add(number * 100_000)
    assert lateness.percentile_ms(50) == pytest.approx(4.9, abs=0.02)
    assert lateness.percentile_ms(99) == pytest.approx(9.8, abs=0.02)
    assert lateness.max_ns == 9_900_000
    lateness.add(5_000 * MS)
    assert lateness.max_ns == 5_000 * MS


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", ":5600", "a:b"]
)
def test_no_address(text: str) -> None:
    with pytest.raises(ConfigError, match="must be HOST:PORT"):
        resolve(text)


def test_addresses_of_both_families() -> None:
    assert resolve("127.0.0.1:5600").sockaddr == ("127.0.0.1", 5600)
    assert resolve("[::1]:5600").sockaddr[:2] == ("::1", 5600)
