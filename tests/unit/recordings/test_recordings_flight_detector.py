"""When a flight begins, ends and is split: tables of what happens at which second, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from flow.clock import NS_PER_S
from recordings.protocol.flight_detector import End, FlightDetector, Split, Start, Turn
from tests.fakes.clock import START_NS

HOUR = 3600
Input: TypeAlias = Callable[[FlightDetector, int], list[Turn]]
Row: TypeAlias = tuple[float, Input, list[Turn]]
Table: TypeAlias = list[Row]


def at(second: float) -> int:
    return START_NS + round(second * NS_PER_S)


def start(second: float) -> list[Turn]:
    return [Start(at(second))]


def end(second: float) -> list[Turn]:
    return [End(at(second))]


def keyframe(detector: FlightDetector, now_ns: int) -> list[Turn]:
    return detector.picture(True, now_ns)


def picture(detector: FlightDetector, now_ns: int) -> list[Turn]:
    return detector.picture(False, now_ns)


def armed(detector: FlightDetector, now_ns: int) -> list[Turn]:
    return detector.telemetry(True, now_ns, now_ns)


def disarmed(detector: FlightDetector, now_ns: int) -> list[Turn]:
    return detector.telemetry(False, now_ns, now_ns)


def mute(detector: FlightDetector, now_ns: int) -> list[Turn]:
    """Telemetry that does not say whether the aircraft is armed."""
    return detector.telemetry(None, now_ns, now_ns)


def on(detector: FlightDetector, now_ns: int) -> list[Turn]:
    return detector.switch(True, now_ns)


def off(detector: FlightDetector, now_ns: int) -> list[Turn]:
    return detector.switch(False, now_ns)


def tick(detector: FlightDetector, now_ns: int) -> list[Turn]:
    return detector.tick(now_ns)


def every(step: float, first: float, last: float, said: Input) -> Table:
    """The same again and again, and nothing follows from it."""
    return [(first + n * step, said, []) for n in range(int((last - first) / step) + 1)]


TABLES: dict[str, Table] = {
    "no telemetry: from the first picture to 120 s after the last": [
        (0, tick, []),
        (5, keyframe, start(5)),
        (6, picture, []),
        (100, picture, []),
        (219, tick, []),
        (220, tick, end(100)),
        (400, tick, []),
        (500, picture, start(500)),
    ],
    "armed to 60 s after disarming": [
        (0, disarmed, []),
        (1, keyframe, []),
        (10, armed, start(10)),
        (11, keyframe, []),
        *every(1, 12, 40, armed),
        (41, disarmed, []),
        *every(1, 42, 100, disarmed),
        (100.5, keyframe, []),
        (101, tick, end(101)),
        (102, keyframe, []),
    ],
    "armed again within 60 s is the same flight": [
        (0, armed, start(0)),
        (10, disarmed, []),
        (69, armed, []),
        (75, tick, []),
        (80, disarmed, []),
        (139, tick, []),
        (140, disarmed, end(140)),
    ],
    "armed without any picture": [(0, armed, start(0)), *every(10, 10, 300, armed)],
    "the first picture comes before the first heartbeat, which says disarmed": [
        (0, keyframe, start(0)),
        (1, disarmed, []),
        (30, disarmed, []),
        (60.9, keyframe, []),
        (61, disarmed, end(61)),
        (62, keyframe, []),
    ],
    "the first picture comes before the first heartbeat, then it is armed": [
        (0, keyframe, start(0)),
        (1, disarmed, []),
        (20, armed, []),
        *every(10, 30, 300, armed),
    ],
    "disarmed and known: nothing is recorded": every(1, 0, 30, disarmed) + every(0.5, 31, 59, keyframe),
    "telemetry that never says armed is no reason not to record": [
        (0, mute, []),
        (1, keyframe, start(1)),
        *every(10, 2, 400, mute),
    ],
    "telemetry alone that never says armed is no flight": every(1, 0, 300, mute),
    "armed, then the link dies: it goes on while pictures come": [
        (0, armed, start(0)),
        *every(10, 1, 1001, picture),
        (1120, tick, []),
        (1121, tick, end(1001)),
    ],
    "disarmed, and the link dies within the minute: it ends all the same": [
        (0, armed, start(0)),
        (10, disarmed, []),
        (40, picture, []),
        (69, picture, []),
        (70, tick, end(70)),
    ],
    "a link that stutters on the ground begins no flight": [
        (0, disarmed, []),
        (29, keyframe, []),
        (29.5, disarmed, []),
        (59, keyframe, []),
    ],
    "disarmed, but the link is gone: later nobody knows": [(0, disarmed, []), (31, picture, start(31))],
    "link silent from the start": [(0, tick, []), (1, picture, start(1))],
    "switched on while disarmed: until switched off": [
        (0, disarmed, []),
        (1, on, start(1)),
        *every(10, 2, 302, disarmed),
        (310, off, end(310)),
        (311, keyframe, []),
        (320, disarmed, []),
    ],
    "landed and switched off, while a ground encoder goes on: no second flight": [
        (0, armed, start(0)),
        (10, disarmed, []),
        *every(5, 12, 67, picture),
        (70, tick, end(70)),
        *every(5, 72, 300, keyframe),
        (301, armed, start(301)),
        (311, disarmed, []),
        (370, picture, []),
        (371, tick, end(371)),
        (372, picture, []),
        (373, on, start(373)),
    ],
    "landed and switched off: pictures after a pause are first ones": [
        (0, armed, start(0)),
        (10, disarmed, []),
        (69, picture, []),
        (70, tick, end(70)),
        (78, picture, []),
        (88, picture, start(88)),
    ],
    "never armed: where the radio dies on the ground, pictures are recorded": [
        (0, keyframe, start(0)),
        (1, disarmed, []),
        *every(5, 2, 57, keyframe),
        (61, disarmed, end(61)),
        *every(5, 62, 87, keyframe),
        (92, keyframe, start(92)),
    ],
    "switched on during the minute after landing: it goes on": [
        (0, armed, start(0)),
        (10, disarmed, []),
        (20, on, []),
        *every(10, 30, 200, disarmed),
        (210, off, end(210)),
    ],
    "switched off and on again in flight: it ends with its landing, like any other": [
        (0, armed, start(0)),
        (5, off, end(5)),
        (8, on, start(8)),
        (9, armed, []),
        (20, disarmed, []),
        (50, disarmed, []),
        (80, disarmed, end(80)),
        (90, keyframe, []),
        (95, armed, start(95)),
    ],
    "switched on with nothing there: from the first sign of life": [
        (0, on, []),
        (5, tick, []),
        (9, disarmed, start(9)),
        (129, tick, end(9)),
        (200, picture, start(200)),
    ],
    "switched off in flight: nothing until armed anew": [
        (0, armed, start(0)),
        (10, off, end(10)),
        (11, armed, []),
        (12, keyframe, []),
        (20, disarmed, []),
        (90, keyframe, []),
        (100, armed, start(100)),
        (110, disarmed, []),
        (170, tick, end(170)),
    ],
    "switched off on the ground: arming counts": [(0, disarmed, []), (1, off, []), (5, armed, start(5))],
    "switched off without telemetry: until switched on": [
        (0, keyframe, start(0)),
        (1, off, end(1)),
        (2, keyframe, []),
        (500, keyframe, []),
        (501, on, start(501)),
    ],
    "switched twice": [(0, keyframe, start(0)), (1, on, []), (2, on, []), (3, off, end(3)), (4, off, [])],
    "pictures alone: split every two hours, at a keyframe": [
        (0, keyframe, start(0)),
        *every(60, 60, 2 * HOUR - 60, keyframe),
        (2 * HOUR, picture, []),
        (2 * HOUR + 1, keyframe, [Split(at(2 * HOUR + 1))]),
        *every(60, 2 * HOUR + 60, 4 * HOUR, keyframe),
        (4 * HOUR + 2, keyframe, [Split(at(4 * HOUR + 2))]),
    ],
    "armed: never split": [
        (0, armed, start(0)),
        *every(20, 10, 3 * HOUR, lambda d, now_ns: armed(d, now_ns) + keyframe(d, now_ns)),
    ],
    "both ends at once: the clock ran ahead by hours between two pictures": [
        (0, keyframe, start(0)),
        (5 * HOUR, keyframe, [*end(0), *start(5 * HOUR)]),
    ],
    "the clock steps back: time stands still": [
        (0, keyframe, start(0)),
        (100, keyframe, []),
        (-5000, keyframe, []),
        (-4000, tick, []),
        (219, tick, []),
        (220, tick, end(100)),
    ],
    "disarmed while the clock runs ahead": [
        (0, armed, start(0)),
        (10, disarmed, []),
        (3 * HOUR, disarmed, end(10)),
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_what_follows(name: str) -> None:
    detector = FlightDetector()
    for row, (second, said, wanted) in enumerate(TABLES[name]):
        assert said(detector, at(second)) == wanted, f"row {row}, at {second} s"


def test_a_resumed_flight_goes_on() -> None:
    detector = FlightDetector.resumed(at(0), at(100))
    assert detector.tick(at(150)) == []
    assert detector.picture(True, at(151)) == []
    assert detector.telemetry(False, at(152), at(152)) == []
    assert detector.tick(at(212)) == end(212)


def test_a_resumed_flight_that_stays_silent_ends_with_its_last_data() -> None:
    detector = FlightDetector.resumed(at(0), at(100))
    assert detector.tick(at(219)) == []
    assert detector.tick(at(220)) == end(100)


def test_it_says_why_it_is_idle() -> None:
    detector = FlightDetector()
    assert detector.idle_reason == "no_flight"
    detector.switch(False, at(0))
    assert detector.idle_reason == "switched_off"
    detector.telemetry(False, at(1), at(1))
    detector.telemetry(True, at(2), at(2))
    assert detector.started_ns == at(2)
