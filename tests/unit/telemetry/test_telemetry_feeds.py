"""Real recorded flights: what is in the files, and what the assembly makes of them.

The numbers are those of the feeds' PROVENANCE.md, counted with other tools.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.codec.tlog import read_tlog
from flow.flights import Armed, Disarmed
from flow.samples import RawTelemetry, StatusText, TelemetrySample
from telemetry.protocol.fleet import Fleet, Heard
from telemetry.protocol.parser import Parser

pytestmark = pytest.mark.feeds

US = 1000
UNTIMED = "plane_real_cuav_2018_notimestamps.mavlink"
UNTIMED_CHUNK, UNTIMED_STEP_NS = 3101, 1_000_000_000  # 1258 s of flight in 1258 chunks


@dataclass
class Flown:
    """One file after it has gone through a fleet that adopts its aircraft."""

    heard: Heard
    restarts: int
    samples: list[TelemetrySample] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    events: list[type] = field(default_factory=list)
    raw: int = 0

    def span(self, name: str) -> tuple[float, float] | None:
        """Least and greatest known value of a field."""
        known = [value for sample in self.samples if (value := getattr(sample, name)) is not None]
        return (min(known), max(known)) if known else None


def timed(path: Path) -> list[tuple[int, bytes]]:
    data = path.read_bytes()
    if path.suffix == ".tlog":
        return [(utc_us * US, message) for utc_us, message in read_tlog(data)]
    pieces = range(0, len(data), UNTIMED_CHUNK)
    return [(10**18 + n * UNTIMED_STEP_NS, data[at : at + UNTIMED_CHUNK]) for n, at in enumerate(pieces)]


def flown(path: Path) -> Flown:
    fleet = Fleet("file", [("fritz", None)])
    records = timed(path)
    out = [item for utc_ns, data in records for item in fleet.receive(data, "file", utc_ns)]
    out += fleet.poll(records[-1][0] + 10**9)
    flight = Flown(fleet.heard("fritz", records[-1][0]), fleet._aircraft[0].assembly.restarts)
    for item in out:
        if isinstance(item, TelemetrySample):
            flight.samples.append(item)
        elif isinstance(item, StatusText):
            flight.texts.append(item.text)
        elif isinstance(item, RawTelemetry):
            flight.raw += 1
        else:
            flight.events.append(type(item))
    return flight


def counted(path: Path) -> tuple[Counter[str], int]:
    """Messages by name, and bad bytes."""
    parser = Parser()
    frames = [frame for _, data in timed(path) for frame in parser.push(data)]
    names = (dialect.mavlink_map[frame.message_id].msgname for frame in frames)
    return Counter(names), parser.bad_bytes


@pytest.mark.parametrize(
    ("name", "total", "bad_bytes", "parts"),
    [
        # 1314 messages of a ground station with another definition of their type: 13 bytes each.
        (
            "copter_real_cmac_2015.tlog",
            75_477,
            1314 * 13,
            {
                "GLOBAL_POSITION_INT": 2833, "ATTITUDE": 2829, "SYS_STATUS": 2868, "GPS_RAW_INT": 2858,
                "RADIO": 1370, "HOME_POSITION": 0, "BATTERY_STATUS": 0,
            },
        ),
        # Two more valid frames than counted there; why is not known.
        (
            "plane_real_cuav_2016_multilink.tlog",
            32_078,
            0,
            {
                "HOME_POSITION": 3096, "SYS_STATUS": 1145, "GPS_RAW_INT": 1129, "GLOBAL_POSITION_INT": 1098,
                "ATTITUDE": 1088,
            },
        ),
        (
            UNTIMED,
            116_376,
            3,
            {
                "GLOBAL_POSITION_INT": 3647, "ATTITUDE": 3313, "SYS_STATUS": 4079, "BATTERY_STATUS": 2802,
                "GPS_RAW_INT": 4011, "HOME_POSITION": 117,
            },
        ),
        (
            "plane_real_sydney_2012_mavlink1.tlog",
            47_872,
            0,
            {
                "VFR_HUD": 8535, "ATTITUDE": 8526, "GLOBAL_POSITION_INT": 3011, "GPS_RAW_INT": 1958,
                "SYS_STATUS": 1956,
            },
        ),
        (
            "quadplane_sitl_2018.tlog",
            23_894,
            0,
            {
                "ATTITUDE": 888, "GLOBAL_POSITION_INT": 807, "GPS_RAW_INT": 799, "SYS_STATUS": 796,
                "HOME_POSITION": 6,
            },
        ),
        (
            "sub_real_bluerov_2024_nogps.tlog",
            30_439,
            0,
            {
                "ATTITUDE": 2392, "BATTERY_STATUS": 723, "GLOBAL_POSITION_INT": 724, "GPS_RAW_INT": 484,
                "SYS_STATUS": 707,
            },
        ),
    ],
)  # fmt: skip
def test_every_message_is_found(
    feeds: Path, name: str, total: int, bad_bytes: int, parts: dict[str, int]
) -> None:
    counts, bad = counted(feeds / "telemetry" / name)
    assert {part: counts[part] for part in parts} == parts
    assert (counts.total(), bad) == (total, bad_bytes)


def test_copter(feeds: Path) -> None:
    flight = flown(feeds / "telemetry/copter_real_cmac_2015.tlog")
    assert flight.heard.system_id == 1
    assert flight.heard.unassigned_system_ids == ()
    assert flight.raw == flight.heard.messages == 70_964
    assert flight.span("lat_deg") == pytest.approx((-35.36235, -35.36197), abs=1e-5)
    assert flight.span("lon_deg") == pytest.approx((149.16544, 149.16597), abs=1e-5)
    assert flight.span("alt_home_m") == pytest.approx((-1.8, 13.3), abs=0.05)
    assert flight.span("ground_speed_ms") == pytest.approx((0.0, 8.0), abs=0.1)
    assert (flight.span("battery_v") or (0,))[0] == pytest.approx(6.98, abs=0.01)
    assert {"Low Battery!", "Locate Copter Alarm!"} <= set(flight.texts)
    assert "RTL" in {sample.mode for sample in flight.samples}
    assert {"none", "3d"} <= {sample.fix for sample in flight.samples}
    assert flight.restarts == 1
    assert flight.events == [Armed, Disarmed] * 7
    for sample in flight.samples:
        assert sample.fix != "none" or sample.lat_deg is None
        assert sample.home is None


def test_the_gimbal_of_the_copter_holds_the_horizon(feeds: Path) -> None:
    """Its servos follow pitch and roll inversely, which shows that MOUNT_STATUS is against the body."""
    flight = flown(feeds / "telemetry/copter_real_cmac_2015.tlog")
    held = [(one.pitch_deg, one.gimbal_pitch_deg, one.gimbal_roll_deg) for one in flight.samples]
    pitch, camera, roll = zip(*[each for each in held if None not in each], strict=True)
    assert len(pitch) > 2500
    assert statistics.stdev(pitch) > 6
    assert statistics.stdev(camera) < 3
    assert statistics.mean(camera) == pytest.approx(3.2, abs=0.5)
    assert statistics.stdev(roll) < 3


def test_the_copters_radio_and_its_height_over_ground(feeds: Path) -> None:
    flight = flown(feeds / "telemetry/copter_real_cmac_2015.tlog")
    quality = flight.span("link_quality_pct")
    assert quality == pytest.approx((9.2, 100.0), abs=0.1)  # beside the station, and at the end
    heights = flight.span("alt_agl_m")
    assert heights is not None
    assert heights[0] > -5
    assert heights[1] == pytest.approx(13, abs=4)
    assert flight.span("h_accuracy_m") is None


def test_a_rangefinder_out_of_range_does_not_count(feeds: Path) -> None:
    """It reaches 10 m, and says 0 and 13 m where the plane flies at 90 m."""
    flight = flown(feeds / "telemetry" / UNTIMED)
    high = [one for one in flight.samples if one.alt_home_m is not None and one.alt_home_m > 70]
    known = [one.alt_agl_m for one in high if one.alt_agl_m is not None]
    assert len(known) > 100
    assert min(known) > 55
    assert flight.span("link_quality_pct") is None  # no radio, and a remote control that measures nothing


def test_plane_heard_over_several_links(feeds: Path) -> None:
    flight = flown(feeds / "telemetry/plane_real_cuav_2016_multilink.tlog")
    assert flight.heard.system_id == 2
    assert flight.span("lat_deg") == pytest.approx((-35.36576, -35.36024), abs=1e-5)
    assert flight.span("lon_deg") == pytest.approx((149.16032, 149.16531), abs=1e-5)
    assert flight.span("alt_home_m") == pytest.approx((0, 105.4), abs=0.05)
    assert flight.span("ground_speed_ms") == pytest.approx((0, 28.1), abs=0.05)
    assert {sample.mode for sample in flight.samples} - {None} == {"MANUAL", "FBWA", "AUTO"}
    assert flight.samples[-1].home is not None
    assert (flight.restarts, flight.heard.rival) == (0, None)
    # Its clock runs 4.5 times too fast: the samples stay with their arrivals all the same.
    times = [sample.utc_ns for sample in flight.samples]
    assert 126e9 < times[-1] - times[0] < 132e9


def test_plane_as_a_bare_byte_stream(feeds: Path) -> None:
    flight = flown(feeds / "telemetry" / UNTIMED)
    assert flight.span("lat_deg") == pytest.approx((-35.36457, -35.36155), abs=1e-5)
    assert flight.span("lon_deg") == pytest.approx((149.16283, 149.16573), abs=1e-5)
    assert flight.span("alt_home_m") == pytest.approx((-1.9, 109.9), abs=3)
    assert {sample.mode for sample in flight.samples} - {None} == {"FBWA", "AUTO"}
    assert flight.span("battery_v") is not None


def test_the_oldest_dialect(feeds: Path) -> None:
    flight = flown(feeds / "telemetry/plane_real_sydney_2012_mavlink1.tlog")
    assert (flight.heard.system_id, flight.heard.unassigned_system_ids) == (1, ())
    assert flight.span("lat_deg") == pytest.approx((-33.82400, -33.82017), abs=1e-5)
    assert flight.span("lon_deg") == pytest.approx((151.05977, 151.06877), abs=1e-5)
    assert (flight.span("alt_home_m") or (0, 0))[1] == pytest.approx(56.0, abs=0.05)
    assert flight.span("battery_v") == (10.08, 10.08)
    assert flight.span("battery_pct") is None


def test_simulated_quadplane(feeds: Path) -> None:
    flight = flown(feeds / "telemetry/quadplane_sitl_2018.tlog")
    assert flight.span("lat_deg") == pytest.approx((-35.36481, -35.36076), abs=1e-5)
    assert flight.span("alt_home_m") == pytest.approx((-2.7, 63.4), abs=0.1)
    assert {sample.mode for sample in flight.samples} >= {"QLOITER", "CIRCLE", "GUIDED", "QLAND"}
    assert {sample.fix for sample in flight.samples} - {None} == {"rtk_fixed"}
    assert (flight.span("battery_v"), flight.span("battery_pct")) == (None, None)


def test_a_submarine_without_a_fix_is_nowhere(feeds: Path) -> None:
    flight = flown(feeds / "telemetry/sub_real_bluerov_2024_nogps.tlog")
    assert len(flight.samples) > 2000
    for name in ("lat_deg", "lon_deg", "alt_msl_m", "ground_speed_ms", "battery_pct"):
        assert flight.span(name) is None
    assert flight.span("battery_v") == pytest.approx((0.433, 0.435))
    assert {sample.mode for sample in flight.samples} - {None} == {"MANUAL"}
    assert {sample.fix for sample in flight.samples} - {None} == {"none"}
    assert flight.events == [Armed, Disarmed]
