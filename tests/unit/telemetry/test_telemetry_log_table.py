"""The table of the recorded flights, every number of it counted anew with pymavlink alone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as dialect

from tests.bench.telemetry_logs import GAP_S, Log, read_log, table

pytestmark = pytest.mark.feeds

FIXES = {0: "none", 1: "none", 3: "3d", 4: "dgps", 5: "rtk_float", 6: "rtk_fixed"}
GROUND = {51, 254, 255}  # the radio and the ground stations of these logs


def everything(path: Path) -> Iterator[Any]:
    """All messages as mavutil, or of a log without times as the parser alone, gives them."""
    if path.suffix == ".tlog":
        log = mavutil.mavlink_connection(str(path))
        yield from iter(log.recv_msg, None)
        log.close()
    else:
        parser = dialect.MAVLink(None)
        parser.robust_parsing = True
        yield from parser.parse_buffer(path.read_bytes())


class Counted:
    """One flight, counted message by message."""

    def __init__(self, path: Path) -> None:
        self.timed = path.suffix == ".tlog"
        self.kinds: Counter[str] = Counter()
        self.bad_bytes = self.messages = self.reboots = 0
        self.systems: set[int] = set()
        self.vehicles: set[int] = set()
        self.armed: list[bool] = []
        self.fixes: list[str] = []
        self.times_s: list[float] = []
        self.uptimes_ms: list[int] = []
        self.adopted = False
        for message in everything(path):
            self.count(message)

    def count(self, message: Any) -> None:
        kind = message.get_type()
        if kind == "BAD_DATA":
            self.bad_bytes += len(message.data)
            return
        system = message.get_srcSystem()
        if system in GROUND:
            return
        self.adopted |= kind == "HEARTBEAT" and message.get_srcComponent() == 1
        if not self.adopted:  # nobody is shown before his first heartbeat
            return
        self.systems.add(system)
        self.messages += 1
        if self.timed:
            self.times_s.append(message._timestamp)
        if message.get_srcComponent() == 1:
            self.of_autopilot(kind, message)

    def of_autopilot(self, kind: str, message: Any) -> None:
        self.kinds[kind] += 1
        if kind == "HEARTBEAT":
            self.vehicles.add(message.type)
            self.armed.append(bool(message.base_mode & 128))
        elif kind == "GPS_RAW_INT":
            self.fixes.append(FIXES[message.fix_type])
        elif kind == "ATTITUDE":
            self.uptimes_ms.append(message.time_boot_ms)

    @property
    def steps_ms(self) -> list[int]:
        return [after - before for before, after in itertools.pairwise(self.uptimes_ms)]

    @property
    def pauses_s(self) -> list[float]:
        return [after - before for before, after in itertools.pairwise(self.times_s)]


FLIGHTS = {
    "copter_real_cmac_2015.tlog": ("quadrotor", 0.98),
    "plane_real_cuav_2016_multilink.tlog": ("fixed_wing", 4.6),
    "plane_real_cuav_2018_notimestamps.mavlink": ("fixed_wing", None),
    "plane_real_sydney_2012_mavlink1.tlog": ("fixed_wing", 1.0),
    "quadplane_sitl_2018.tlog": ("fixed_wing", 1.0),
    "sub_real_bluerov_2024_nogps.tlog": ("submarine", 1.0),
}

STUMBLED = {"plane_real_cuav_2016_multilink.tlog": 13}
"""Bytes that are bad to pymavlink only: a false start makes it lose two messages of a ground station."""


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_flight(feeds: Path, name: str) -> None:
    ours, theirs = read_log(feeds / "telemetry" / name), Counted(feeds / "telemetry" / name)
    vehicle, clock_speed = FLIGHTS[name]
    assert ({ours.system_id}, ours.vehicle) == (theirs.systems, vehicle)
    assert [dialect.enums["MAV_TYPE"][each].name for each in theirs.vehicles] == [
        f"MAV_TYPE_{vehicle.upper()}"
    ]
    assert ours.messages + ours.duplicates == theirs.messages
    assert ours.bad_bytes == theirs.bad_bytes - STUMBLED.get(name, 0)
    check_events(ours, theirs)
    check_clock(ours, theirs)
    if clock_speed is not None:
        assert ours.clock_speed == pytest.approx(clock_speed, abs=0.01)


def check_events(ours: Log, theirs: Counted) -> None:
    changes = [after - before for before, after in itertools.pairwise([False, *theirs.armed])]
    assert (ours.armings, ours.disarmings) == (changes.count(1), changes.count(-1))
    assert ours.fixes == [fix for fix, _ in itertools.groupby(theirs.fixes)]
    assert ours.texts <= theirs.kinds["STATUSTEXT"]


def check_clock(ours: Log, theirs: Counted) -> None:
    assert ours.reboots == sum(step < -3000 for step in theirs.steps_ms)
    late_ms = sum(-step for step in theirs.steps_ms if -3000 <= step < 0)
    forward_ms = sum(step for step in theirs.steps_ms if step > 0)
    assert forward_ms - late_ms <= ours.uptime_s * 1000 + 0.5 <= forward_ms + 1
    if theirs.timed:
        assert ours.span_s == pytest.approx(theirs.times_s[-1] - theirs.times_s[0], abs=0.01)
        assert ours.gaps == sum(pause > GAP_S for pause in theirs.pauses_s)
        assert ours.longest_gap_s == pytest.approx(max(theirs.pauses_s), abs=0.01)
    else:
        assert (ours.span_s, ours.gaps, ours.longest_gap_s, ours.clock_speed) == (None, None, None, None)


def test_the_table_has_a_row_for_each_and_empty_cells_for_what_is_not_known() -> None:
    logs = [Log("timed", gaps=2, longest_gap_s=3.25, span_s=100.0, uptime_s=450.0), Log("bare")]
    lines = table(logs).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert "| 3.2 s | 100 s | 450 s | 4.50 |" in lines[2]
    assert "|  |  |  | 0 s |  |" in lines[3]
