"""Duplicates and gaps."""

from __future__ import annotations

from telemetry.protocol.parser import COMPONENTS_KEPT, Frame, Parser
from telemetry.protocol.sequence import WINDOW, Duplicates, Gaps
from tests.fakes.aircraft import FakeAircraft


def frame_of(data: bytes) -> Frame:
    [frame] = Parser().push(data)
    return frame


def test_the_same_message_again_is_a_duplicate_also_as_mavlink_1() -> None:
    duplicates = Duplicates()
    new, old = FakeAircraft(), FakeAircraft(v1=True)
    assert not duplicates.seen(frame_of(new.hud(5.0, 0.0)))
    assert duplicates.seen(frame_of(old.hud(5.0, 0.0)))
    assert not duplicates.seen(frame_of(new.hud(5.0, 0.0)))  # the next number


def test_a_constant_message_is_no_duplicate_of_the_one_256_before() -> None:
    duplicates, sender = Duplicates(), FakeAircraft()
    assert not any(duplicates.seen(frame_of(sender.heartbeat())) for _ in range(600))


def test_other_systems_are_other_messages() -> None:
    duplicates = Duplicates()
    assert not any(duplicates.seen(frame_of(FakeAircraft(number).heartbeat())) for number in range(1, 200))


def test_memory_is_bounded() -> None:
    duplicates = Duplicates()
    for component in range(2 * COMPONENTS_KEPT):
        frame = Frame(component % 256, component // 256, 0, 0, b"", b"")
        duplicates.seen(frame)
    for number in range(3 * WINDOW):
        duplicates.seen(Frame(1, 1, number % 256, 0, number.to_bytes(2, "big"), b""))
    assert len(duplicates._recent) == COMPONENTS_KEPT
    assert max(map(len, duplicates._recent.values())) == WINDOW


def missing(*sequence: int) -> list[int]:
    gaps = Gaps()
    return [gaps.missing(number) for number in sequence]


def test_gaps() -> None:
    assert missing(250, 251, 255, 1) == [0, 0, 3, 1]
    assert missing(10, 10) == [0, 0]


def test_a_late_message_is_no_gap() -> None:
    assert missing(10, 11, 9, 12) == [0, 0, 0, 0]


def test_a_restarted_count_is_followed() -> None:
    assert missing(200, 0, 1, 2) == [0, 55, 0, 0]
    assert missing(100, 0, 1, 2, 5) == [0, 0, 0, 0, 2]
