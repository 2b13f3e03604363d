"""A replay goes where it is told while it runs, and says where it is."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import pytest

from flow.codec.rtp import is_rtcp, parse_rtp
from recordings.orders import Order, Orders
from recordings.plan import Manner
from recordings.player import LEAD_NS, Player, Position
from recordings.protocol.timing import Send
from recordings.recorded_flight import open_flight
from recordings.sender import Sender
from tests.unit.recordings.flights import MS, START_NS, decode
from tests.unit.recordings.flown import NS_PER_S, filmed, flight, said


class Stage:
    """A player on a clock that only its own sleep moves, whose datagrams are kept; with orders in time."""

    def __init__(self, folder: Path, manner: Manner, orders: dict[int, Order]) -> None:
        self.now = START_NS
        self.sent: list[Send] = []
        self.told: list[Position] = []
        self._due = sorted(orders.items())
        self._orders = Orders()
        sender = Sender([], lambda: self.now, self._sleep)
        sender._send = self._keep  # type: ignore[method-assign]
        self.player = Player(
            open_flight(folder)[1],
            manner,
            sender,
            lambda: self.now,
            orders=self._orders,
            tell=self.told.append,
        )
        self._orders.wait = self._sleep  # type: ignore[method-assign]
        self.player.run()

    def _keep(self, send: Send) -> None:
        self.sent.append(send)

    def _sleep(self, seconds: float | None) -> None:
        """Until then, or the next order; for ever without one means that they have ended."""
        until = None if seconds is None else self.now + round(seconds * 1e9)
        if self._due and (until is None or START_NS + self._due[0][0] * MS <= until):
            at_ms, order = self._due.pop(0)
            self.now = max(self.now, START_NS + at_ms * MS)
            self._orders.give(order)
        elif until is None:
            self._orders.have_ended = True
            self._orders.take()
        else:
            self.now = until

    def streams(self) -> dict[int, list[int]]:
        """Milliseconds after the start at which each stream's pictures went out, by SSRC."""
        found: dict[int, list[int]] = {}
        for send in self.sent:
            if send.port == 0 and not is_rtcp(send.data) and (packet := parse_rtp(send.data)).marker:
                found.setdefault(packet.ssrc, []).append((send.time_ns - START_NS) // MS)
        return found

    def boots(self) -> list[tuple[int, int]]:
        """(milliseconds after the start, time since boot) of each ATTITUDE."""
        told = [(send.time_ns, decode(send.data)) for send in self.sent if send.port == 1]
        return [((at - START_NS) // MS, m.time_boot_ms) for at, m in told if m.get_type() == "ATTITUDE"]


LEAD_MS = LEAD_NS // MS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return flight(tmp_path, {"tag": filmed("tag", 4.0)}, said(4))


def test_a_seek_is_a_new_stream_from_there(folder: Path) -> None:
    stage = Stage(folder, Manner(), {1250: Order(seek_s=3.2)})
    first, second = stage.streams().values()
    assert first[0] == LEAD_MS
    assert first[-1] == pytest.approx(1250, abs=34)
    assert second[0] == 1250 + LEAD_MS
    assert len(second) == 30, "from the keyframe at 3.0 s on"
    assert [round(p.position_s, 1) for p in stage.told[:3]] == [0.0, 0.8, 3.2]
    assert stage.told[0].duration_s == pytest.approx(4.0, abs=0.04)
    assert stage.told[-1].epoch == 2
    boots = stage.boots()
    assert all(b[1] >= a[1] for a, b in pairwise(boots)), "no aircraft starts anew"


def test_speed_and_pause(folder: Path) -> None:
    stage = Stage(
        folder, Manner(), {1250: Order(pause=True), 9000: Order(pause=False), 10_250: Order(speed=4.0)}
    )
    first, second, third = stage.streams().values()
    assert first[-1] == pytest.approx(1250, abs=34)
    assert second[0] == 9000 + LEAD_MS, "from the keyframe at 1.0 s"
    assert second[-1] == pytest.approx(10_250, abs=34)
    assert third[-1] - third[0] == pytest.approx(1966 / 4, abs=2), "from 2.0 s on"
    paused = [p for p in stage.told if p.paused]
    assert [round(p.position_s, 1) for p in paused] == [1.0]
    assert stage.told[-1].speed == 4.0


def test_after_a_seek_a_loop_begins_at_its_start(folder: Path) -> None:
    stage = Stage(
        folder,
        Manner(loop=True, from_ns=2 * NS_PER_S),
        {1000: Order(seek_s=0.0), 9000: Order(pause=True)},
    )
    _, second, third = stage.streams().values()
    assert len(second) == 120
    assert len(third) > 60
    positions = [round(p.position_s, 1) for p in stage.told]
    assert positions.count(2.0) > 2


def test_orders_are_read_to_their_end(caplog: pytest.LogCaptureFixture) -> None:
    orders = Orders()
    lines = b'{"seek_s": 3}\nrubbish\n{"speed": 50}\n{"seek_s": -1}\n{"x": 1}\n{"speed": 2, "pause": true}\n'
    orders.read(io.BytesIO(lines + b"[" * 10_000))
    assert orders.take() == [Order(seek_s=3), Order(speed=2, pause=True)]
    assert orders.have_ended
    assert orders.are_there, "for whoever waits, for ever"
    assert len(caplog.records) >= 4
