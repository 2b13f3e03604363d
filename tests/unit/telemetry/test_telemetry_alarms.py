"""When alarms rise and fall: limits, patience, margins, silence, texts; and the watch that runs them."""

from __future__ import annotations

import asyncio
import itertools
import math
from typing import Any

import pytest

from flow.flights import Alarm, AlarmLevel
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, LinkStatus, Severity, StatusText, TelemetrySample
from telemetry.alarms import TICK_NS, AlarmWatch
from telemetry.protocol.alarm_texts import CODES, LOOKED_AT, ended_by, raised_by
from telemetry.protocol.alarms import GIVEN_UP_NS, AircraftAlarms
from telemetry.settings import Thresholds
from tests.fakes.clock import START_NS, FakeClock

S = 1_000_000_000
ALARM, WARNING = AlarmLevel.ALARM, AlarmLevel.WARNING


class Bird:
    """An aircraft in the air that reports once a second; `told` are (code, level or None where cleared)."""

    def __init__(self, **limits: Any) -> None:
        self.alarms = AircraftAlarms(Thresholds("otto", **limits))
        self.now_ns = START_NS
        self.told: list[tuple[str, AlarmLevel | None]] = []
        self.events: list[Alarm] = []
        self._texts = itertools.count()

    def reports(self, seconds: int = 10, **values: Any) -> None:
        for _ in range(seconds):
            self.now_ns += S
            state: dict[str, Any] = {"armed": True, "landed": "in_air"} | values
            self._take(self.alarms.sample(TelemetrySample("otto", self.now_ns, **state), self.now_ns))

    def is_silent(self, seconds: float) -> None:
        for _ in range(round(seconds * 2)):
            self.now_ns += S // 2
            self._take(self.alarms.poll(self.now_ns))

    def says(self, text: str) -> None:
        name = f"text-{next(self._texts)}"
        status = StatusText(name, "otto", self.now_ns, Severity.WARNING, text)
        self._take(self.alarms.text(status, self.now_ns))

    def _take(self, alarms: list[Alarm]) -> None:
        self.events += alarms
        self.told += [(alarm.code, alarm.level if alarm.active else None) for alarm in alarms]


@pytest.mark.parametrize(
    ("percent", "told"),
    [(30.0, []), (29.9, [WARNING]), (20.0, [WARNING]), (19.9, [ALARM]), (0.0, [ALARM]), (math.nan, [])],
)
def test_the_battery_limits_are_passed_below_and_not_at_them(percent: float, told: list[AlarmLevel]) -> None:
    bird = Bird()
    bird.reports(battery_pct=percent)
    assert bird.told == [("battery_percent", level) for level in told]


def test_an_alarm_is_told_once_while_it_stands_and_carries_the_limit_that_was_passed() -> None:
    bird = Bird()
    for percent in range(40, 5, -1):
        bird.reports(5, battery_pct=float(percent))
    assert bird.told == [("battery_percent", WARNING), ("battery_percent", ALARM)]
    assert [event.values for event in bird.events] == [{"limit": "30"}, {"limit": "20"}]
    assert len({event.id for event in bird.events}) == 2


def test_what_stood_of_a_flight_ends_with_it_at_once() -> None:
    """An exercise begins where another one has ended."""
    bird = Bird()
    bird.reports(battery_pct=10.0)
    bird.is_silent(60)
    stood = {code for code, _ in bird.told}
    assert stood == {"battery_percent", "telemetry_age"}
    bird.told.clear()
    bird._take(bird.alarms.forget(bird.now_ns))
    assert set(bird.told) == {(code, None) for code in stood}
    bird.is_silent(60)
    assert len(bird.told) == len(stood)


def test_a_figure_that_jumps_about_a_limit_neither_rings_nor_stills() -> None:
    bird = Bird()
    for _ in range(20):
        bird.reports(2, battery_pct=10.0)
        bird.reports(1, battery_pct=80.0)
    assert bird.told == []
    bird.reports(battery_pct=10.0)
    for _ in range(20):
        bird.reports(2, battery_pct=80.0)
        bird.reports(1, battery_pct=10.0)
    assert bird.told == [("battery_percent", ALARM)]


def test_a_figure_that_jumps_about_both_limits_is_a_warning() -> None:
    bird = Bird()
    for _ in range(5):
        bird.reports(1, battery_pct=25.0)
        bird.reports(1, battery_pct=15.0)
    assert bird.told == [("battery_percent", WARNING)]


def test_it_takes_the_margin_to_be_well_again() -> None:
    bird = Bird()
    bird.reports(battery_pct=29.0)
    bird.reports(30, battery_pct=34.9)
    assert bird.told == [("battery_percent", WARNING)]
    bird.reports(battery_pct=35.0)
    assert bird.told[1:] == [("battery_percent", None)]


def test_unknown_changes_nothing() -> None:
    bird = Bird()
    bird.reports(battery_pct=15.0)
    bird.reports(30, battery_pct=None)
    bird.reports(30, battery_pct=math.nan)
    assert bird.told == [("battery_percent", ALARM)]


@pytest.mark.parametrize(("volts", "rings"), [(14.0, False), (13.99, True), (0.43, False), (0.0, False)])
def test_volts_count_where_a_limit_is_given_and_a_monitor_is_wired(volts: float, rings: bool) -> None:
    bird = Bird(battery_alarm_v=14.0)
    bird.reports(battery_v=volts)
    assert bird.told == ([("battery_volts", ALARM)] if rings else [])


def test_a_pack_that_tells_no_percentage_is_known_by_its_fall() -> None:
    bird = Bird()
    bird.reports(60, battery_v=25.2)
    bird.reports(4, battery_v=19.0)  # a climb
    assert bird.told == []
    bird.reports(60, battery_v=21.3)  # 3.55 V a cell
    bird.reports(60, battery_v=20.2)
    assert bird.told == [("battery_falling", WARNING), ("battery_falling", ALARM)]


def test_a_pack_that_tells_a_percentage_is_not_judged_by_its_fall() -> None:
    bird = Bird()
    bird.reports(60, battery_v=25.2, battery_pct=90.0)
    bird.reports(60, battery_v=19.0, battery_pct=80.0)
    assert bird.told == []


def test_link_quality_warns_and_rings() -> None:
    bird = Bird()
    bird.reports(link_quality_pct=39.0)
    bird.reports(link_quality_pct=19.0)
    bird.reports(link_quality_pct=99.0)
    assert bird.told == [("link_quality", WARNING), ("link_quality", ALARM), ("link_quality", None)]


def test_a_fix_that_is_lost_in_flight_rings_and_one_that_never_was_does_not() -> None:
    bird = Bird()
    bird.reports(60, fix="none")
    assert bird.told == []
    bird.reports(fix="3d", satellites=12)
    bird.reports(2, fix="2d")
    bird.reports(fix="rtk_fixed")
    assert bird.told == []
    bird.reports(fix="none")
    bird.reports(fix="3d")
    assert bird.told == [("no_fix", ALARM), ("no_fix", None)]


def test_few_satellites_warn_of_a_fix_that_may_go() -> None:
    bird = Bird()
    bird.reports(fix="3d", satellites=6)
    assert bird.told == []
    bird.reports(fix="3d", satellites=5)
    bird.reports(fix="3d", satellites=6)  # within the margin
    bird.reports(fix="3d", satellites=7)
    assert bird.told == [("few_satellites", WARNING), ("few_satellites", None)]


def test_nothing_rings_on_the_ground_and_landing_ends_what_stood() -> None:
    bird = Bird()
    ground: dict[str, Any] = {"armed": False, "landed": None, "fix": "none", "battery_pct": 3.0}
    bird.reports(60, **ground)
    bird.says("Radio Failsafe")
    bird.is_silent(60)
    assert bird.told == []
    bird.reports(battery_pct=3.0, fix="3d", mode="RTL")
    bird.says("Radio Failsafe")
    assert bird.told == [("battery_percent", ALARM), ("returning", WARNING), ("radio_failsafe", ALARM)]
    bird.reports(10, armed=True, landed="on_ground", battery_pct=3.0)
    assert sorted(bird.told[3:]) == [("battery_percent", None), ("radio_failsafe", None), ("returning", None)]


def test_a_restart_in_flight_stills_nothing_and_rings_nothing_new() -> None:
    bird = Bird()
    bird.reports(battery_pct=15.0, fix="3d", battery_v=14.0)
    bird.says("GPS Glitch")
    told = list(bird.told)
    bird.reports(20, armed=None, landed=None)
    assert bird.told == told == [("battery_percent", ALARM), ("gps_glitch", ALARM)]
    bird.reports(10, armed=True, landed=None, fix="none")
    assert bird.told[2:] == [("no_fix", ALARM)]


def test_silence_in_flight_rings_from_the_last_word_and_ends_when_words_keep_coming() -> None:
    bird = Bird(telemetry_age_s=5.0)
    bird.reports(3)
    heard_ns = bird.now_ns
    bird.is_silent(5)
    assert bird.told == []
    bird.is_silent(30)
    assert bird.told == [("telemetry_age", ALARM)]
    assert bird.events[0].utc_ns == heard_ns
    bird.reports(1)
    assert len(bird.told) == 1  # one word is not a link
    bird.reports(3)
    assert bird.told[1:] == [("telemetry_age", None)]


def test_telemetry_that_comes_but_is_old_rings() -> None:
    """A queue has grown: samples keep coming, and all are half a minute old."""
    bird = Bird(telemetry_age_s=5.0)
    bird.reports(3)
    said_ns = bird.now_ns
    bird.now_ns += 30 * S
    for number in range(20):
        bird.now_ns += S
        old = TelemetrySample("otto", said_ns + number * S, armed=True, landed="in_air")
        bird._take(bird.alarms.sample(old, bird.now_ns))
    assert bird.told == [("telemetry_age", ALARM)]
    bird.reports(4)
    assert bird.told[1:] == [("telemetry_age", None)]


def test_a_link_that_fails_rings_at_once_in_flight_only() -> None:
    bird = Bird()
    failed = LinkState("otto", "udpin:127.0.0.1:14550", LinkStatus.FAILED, START_NS)
    assert bird.alarms.link(failed, bird.now_ns) == []
    bird.reports(1)
    assert [alarm.code for alarm in bird.alarms.link(failed, bird.now_ns)] == ["telemetry_age"]


def test_an_aircraft_not_heard_of_for_an_hour_has_no_alarms() -> None:
    bird = Bird()
    bird.reports(battery_pct=10.0)
    bird.is_silent(GIVEN_UP_NS / S + 10)
    assert bird.told[:2] == [("battery_percent", ALARM), ("telemetry_age", ALARM)]
    assert sorted(bird.told[2:]) == [("battery_percent", None), ("telemetry_age", None)]


def test_what_it_says_stands_until_it_says_that_it_is_over() -> None:
    bird = Bird()
    bird.reports(1)
    bird.says("Radio Failsafe - Continuing Auto Mode")
    bird.says("Radio Failsafe - Continuing Auto Mode")
    bird.reports(100)
    assert bird.told == [("radio_failsafe", ALARM)]
    bird.says("Radio Failsafe Cleared")
    assert bird.told[1:] == [("radio_failsafe", None)]


def test_what_it_says_on_the_ground_stands_for_a_minute() -> None:
    bird = Bird()
    bird.reports(1, armed=False, landed=None)
    bird.says("PreArm: Need 3D Fix")
    bird.says("Locate Copter Alarm!")
    bird.reports(3, armed=False, landed=None, fix="3d")
    assert bird.told == [("no_fix_to_arm", WARNING), ("locate", ALARM), ("no_fix_to_arm", None)]
    bird.is_silent(60)
    assert bird.told[3:] == [("locate", None)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Low Battery!", "battery_low"),
        ("Battery 1 is low 14.20V used 3400 mAh", "battery_low"),
        ("Low battery level! Return advised", "battery_low"),
        ("Battery 1 is critical 13.10V used 4100 mAh", "battery_critical"),
        ("Battery Failsafe", "battery_critical"),
        ("Emergency battery level, land immediately", "battery_critical"),
        ("Radio Failsafe", "radio_failsafe"),
        ("Manual control lost", "radio_failsafe"),
        ("GCS Failsafe", "gcs_failsafe"),
        ("MYGCS: 255, heartbeat lost", "gcs_failsafe"),
        ("EKF Failsafe: changed to LAND Mode", "ekf"),
        ("EKF variance", "ekf"),
        ("GPS Glitch or Compass error", "gps_glitch"),
        ("Crash: Disarming: AngErr=87>30, Accel=2.1<3.0", "crash"),
        ("Fence Breached", "fence"),
        ("Potential Thrust Loss (3)", "motor"),
        ("Vibration compensation ON", "vibration"),
        ("Failsafe mode activated", "failsafe"),
        ("Failsafe. Long event on: type=2/reason=3", "failsafe"),
        ("EKF3 IMU0 is using GPS", None),
        ("EKF2 IMU1 switching to compass 1", None),
        ("EKF3 IMU0 forced reset", None),
        ("PreArm: Battery 1 low voltage failsafe", None),
        ("PreArm: Radio failsafe on", None),
        ("Throttle armed", None),
        ("Geofence loaded", None),
        ("Vibration compensation OFF", None),
        ("GPS Glitch cleared", None),
    ],
)
def test_texts_are_told_apart(text: str, code: str | None) -> None:
    said = raised_by(text)
    assert (said.code if said else None) == code


def test_every_text_that_ends_something_ends_what_a_text_raises() -> None:
    endings = {
        "Radio Failsafe Cleared": "radio_failsafe",
        "GCS Failsafe Cleared": "gcs_failsafe",
        "GPS Glitch cleared": "gps_glitch",
        "EKF Failsafe Cleared": "ekf",
        "Fence Breach Cleared": "fence",
        "Manual control regained": "radio_failsafe",
        "Data link regained": "gcs_failsafe",
        "Failsafe mode deactivated": "failsafe",
        "Vibration compensation OFF": "vibration",
    }
    assert {text: ended_by(text) for text in endings} == endings
    assert set(endings.values()) <= set(CODES)


async def test_the_watch_publishes_what_rises_and_lives_on_the_bus() -> None:
    bus, clock = MemoryBus(), FakeClock()
    watch = AlarmWatch(bus, clock, (Thresholds("otto"),))
    with bus.events(Alarm) as alarms:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(watch.run())
            old = StatusText("old", "otto", START_NS - 120 * S, Severity.CRITICAL, "Crash: Disarming")
            bus.publish(old)
            for item in (
                TelemetrySample("otto", START_NS, armed=True),
                TelemetrySample("stranger", START_NS, armed=True),
            ):
                bus.publish(item)
                await _turns()
            bus.publish(StatusText("new", "otto", START_NS, Severity.CRITICAL, "Fence Breached"))
            await _turns()
            for _ in range(12):
                clock.advance(TICK_NS)
                await _turns()
            running.cancel()
        told = [(alarm.aircraft_id, alarm.code) for alarm in alarms.drain() if isinstance(alarm, Alarm)]
    assert told == [("otto", "fence"), ("otto", "telemetry_age")]


async def test_a_defect_in_the_alarms_ends_neither_them_nor_the_telemetry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bus, clock = MemoryBus(), FakeClock()
    watch = AlarmWatch(bus, clock, (Thresholds("otto"),))
    sound = AircraftAlarms.sample

    def broken(self: AircraftAlarms, sample: TelemetrySample, now_ns: int) -> list[Alarm]:
        monkeypatch.setattr(AircraftAlarms, "sample", sound)
        raise ArithmeticError

    monkeypatch.setattr(AircraftAlarms, "sample", broken)
    with bus.events(Alarm) as alarms:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(watch.run())
            await _turns()
            bus.publish(TelemetrySample("otto", START_NS, armed=True))
            await _turns()
            for _ in range(14):
                clock.advance(TICK_NS)
                await _turns()
            running.cancel()
        told = [alarm.code for alarm in alarms.drain() if isinstance(alarm, Alarm)]
    assert told == ["telemetry_age"]  # it heard the newest sample again


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_of_a_text_without_end_only_the_beginning_is_looked_at() -> None:
    """Somebody who sends twenty chunks of nonsense again and again must not keep the others waiting."""
    assert raised_by("Battery Failsafe" + " x" * 500) is not None
    assert raised_by("x" * LOOKED_AT + " Battery Failsafe") is None
    assert ended_by("x" * LOOKED_AT + " Battery failsafe cleared") is None


def test_a_breached_fence_stands_until_the_aircraft_says_that_it_is_back() -> None:
    bird = Bird()
    bird.reports(fence_breached=False)
    bird.reports(fence_breached=True)
    assert bird.told == [("fence_breached", ALARM)]
    bird.says("Fence Breached")  # the same once more, in words
    bird.reports(fence_breached=None)  # not told any more: it stands
    assert bird.told == [("fence_breached", ALARM)]
    bird.reports(fence_breached=False)
    assert bird.told == [("fence_breached", ALARM), ("fence_breached", None)]
