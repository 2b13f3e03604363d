"""The alarms that real recorded flights are worth: every one of them, and none on the ground.

The limits of the radio link are zero here: what its messages mean as a quality is not for these tests.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flow.flights import Alarm
from flow.samples import StatusText, TelemetrySample
from telemetry.protocol.alarms import AircraftAlarms
from telemetry.protocol.fleet import Fleet
from telemetry.settings import Thresholds
from tests.unit.telemetry.test_telemetry_feeds import UNTIMED, timed

pytestmark = pytest.mark.feeds

S = 1_000_000_000
FEED_TEXTS = Path(__file__).parents[3] / "web/dashboard/test/feedTexts.json"
COPTER = "copter_real_cmac_2015.tlog"

COPTER_TOLD = [
    (13, "no_fix_to_arm", "warning"),
    (66, "no_fix_to_arm", "over"),
    (470, "battery_volts", "alarm"),  # 3.5 V a cell of three; 6.98 V at its worst
    (483, "battery_low", "alarm"),  # "Low Battery!"
    (574, "battery_low", "over"),  # disarmed
    (576, "battery_volts", "over"),
    (600, "battery_volts", "alarm"),
    (642, "returning", "warning"),
    (666, "returning", "over"),
    (739, "battery_volts", "over"),
    (757, "locate", "alarm"),  # "Locate Copter Alarm!", three times, on the ground
    (798, "battery_volts", "alarm"),
    (847, "locate", "over"),
    (861, "battery_volts", "over"),
    (927, "battery_volts", "alarm"),
    (943, "battery_low", "alarm"),
    (952, "battery_low", "over"),
    (956, "battery_volts", "over"),
    (971, "battery_volts", "alarm"),
    (981, "battery_low", "alarm"),
    (990, "battery_percent", "warning"),
    (1037, "battery_low", "over"),
    (1042, "battery_percent", "over"),
    (1042, "battery_volts", "over"),
]

UNTIMED_TOLD = [
    (906, "telemetry_age", "alarm"),
    (1022, "telemetry_age", "over"),
    (1128, "telemetry_age", "alarm"),
]


def watched(path: Path, volts: float | None) -> tuple[list[Alarm], int, set[tuple[str, str]]]:
    """The alarms in the course of a log, when it began, and what the aircraft said."""
    limits = Thresholds("fritz", battery_alarm_v=volts, link_warning_pct=0, link_alarm_pct=0)
    fleet, aircraft = Fleet("file", [("fritz", None)]), AircraftAlarms(limits)
    records = timed(path)
    began_ns = poll_ns = records[0][0]
    told: list[Alarm] = []
    said: set[tuple[str, str]] = set()
    for utc_ns, data in records:
        while poll_ns < utc_ns:
            told += aircraft.poll(poll_ns)
            poll_ns += S // 2
        for item in fleet.receive(data, "file", utc_ns):
            if isinstance(item, TelemetrySample):
                told += aircraft.sample(item, utc_ns)
            elif isinstance(item, StatusText):
                told += aircraft.text(item, utc_ns)
                said.add((str(item.severity), item.text))
    return told, began_ns, said


@pytest.mark.parametrize(
    ("name", "volts", "expected"),
    [
        (COPTER, 10.5, COPTER_TOLD),
        ("plane_real_cuav_2016_multilink.tlog", None, []),
        # its bytes come at an even pace, which it was not flown at: as over a queue, 7 s old at times
        (UNTIMED, None, UNTIMED_TOLD),
        # armed until the last that is heard of it; its ground station's log goes on for minutes
        ("plane_real_sydney_2012_mavlink1.tlog", None, [(1076, "telemetry_age", "alarm")]),
        ("quadplane_sitl_2018.tlog", None, []),
        ("sub_real_bluerov_2024_nogps.tlog", 14.0, []),  # 0.43 V: a monitor that is not wired
    ],
)
def test_the_alarms_and_the_words_of_a_real_flight(
    feeds: Path, name: str, volts: float | None, expected: list[tuple[int, str, str]]
) -> None:
    told, began_ns, said = watched(feeds / "telemetry" / name, volts)
    heard = [
        ((alarm.utc_ns - began_ns) // S, alarm.code, str(alarm.level) if alarm.active else "over")
        for alarm in told
    ]
    assert heard == expected
    # The page's own test puts all of these into words.
    assert said == {(severity, text) for severity, text in json.loads(FEED_TEXTS.read_text())[name]}
