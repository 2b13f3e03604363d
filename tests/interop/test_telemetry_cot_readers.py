"""Our CoT events, as others read them: takproto (TAK's own messages), and lxml with the event schema."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flow.clock import NS_PER_S
from flow.doors import CameraLook, GroundPoint
from flow.flights import Ellipse, Feed, Marker
from flow.samples import Group, Place, TelemetrySample
from telemetry.protocol.cot import Camera, Event, aircraft_event, look_event, marker_event
from tests.fakes.clock import START_NS

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-stations" / "bin" / "python"
STALE_NS = 10 * NS_PER_S
HOSTILE = "<&\">\x00\x1b\ud800' ]]> Löschzug 🚒"
CLEAN = "<&\">' ]]> Löschzug 🚒"
FEED = Feed("tag", "fritz", "Tageslicht", hfov_deg=66.0)
NOW_NS = START_NS + 2 * NS_PER_S
ALL = dict.fromkeys(Group, START_NS)
SAMPLE = TelemetrySample(
    "fritz", START_NS, lat_deg=49.4123456, lon_deg=7.6, alt_msl_m=420.0, alt_home_m=84.0, yaw_deg=271.5,
    ground_speed_ms=12.5, gimbal_pitch_deg=-45.0, gimbal_yaw_deg=280.0, battery_pct=71.4, h_accuracy_m=1.2,
    received_ns=ALL,
)  # fmt: skip
CENTRE = GroundPoint("tag", START_NS, Place(49.413, 7.601, 336.0), 118.7, Ellipse(12.24, 6.0, 30.0), False)
LOOK = CameraLook("tag", START_NS, bearing_deg=280.0, centre=CENTRE)


def read(*events: Event | None) -> list[dict[str, Any]]:
    if not PYTHON.exists():
        pytest.skip("takproto is not set up: scripts/setup test")
    texts = [event.xml.decode() for event in events if event]
    script = Path(__file__).with_name("cot_reader.py")
    done = subprocess.run(
        [str(PYTHON), str(script)], input=json.dumps(texts), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    assert [each["complaints"] for each in told] == [[]] * len(texts)
    return told


def ms_of(event: dict[str, Any], name: str) -> int:
    return int(event[name])


def test_what_others_read() -> None:
    camera = Camera(FEED, LOOK, "udp://239.0.0.1:5004")
    whole = aircraft_event(SAMPLE, "Fritz", NOW_NS, STALE_NS, camera)
    marker = Marker(
        "e1", "fritz", START_NS, 49.41, 7.61, "Glutnest", "Einsatzleiter", "m1", error=Ellipse(4.9, 2, 0)
    )
    gone = Marker("e2", "fritz", START_NS, 49.41, 7.61, "Glutnest", "x", "m1", removed=True)
    spi = look_event(LOOK, "fritz", "Fritz", NOW_NS, STALE_NS)
    aircraft, look, spot, deleted = read(whole, spi, marker_event(marker, NOW_NS), marker_event(gone, NOW_NS))

    assert (aircraft["type"], aircraft["uid"], aircraft["how"]) == ("a-f-A-M-H-Q", "LAGEBILD-fritz", "m-g")
    assert (aircraft["lat"], aircraft["lon"]) == (49.4123456, 7.6)
    assert (aircraft["hae"], aircraft["ce"], aircraft["le"]) == (9999999, 1.2, 9999999)
    start_ms = START_NS // 1_000_000
    assert ms_of(aircraft, "sendTime") == start_ms + 2000
    assert ms_of(aircraft, "staleTime") - ms_of(aircraft, "startTime") == 10_000
    assert ms_of(aircraft, "sendTime") - ms_of(aircraft, "startTime") == 2000
    detail = aircraft["detail"]
    assert detail["contact"]["callsign"] == "Fritz"
    assert detail["track"] == {"course": 271.5, "speed": 12.5}
    assert detail["status"]["battery"] == 71
    sensor = aircraft["elements"]["sensor"]
    assert (sensor["azimuth"], sensor["elevation"], sensor["fov"]) == ("280.00", "-45.00", "66.00")
    assert sensor["range"] == "118.70"
    (video,) = aircraft["video"]
    assert (video["protocol"], video["address"], video["port"]) == ("udp", "239.0.0.1", "5004")
    assert aircraft["elements"]["remarks"][""] == "84 m über Start, 420 m ü. NHN"

    assert (look["type"], look["uid"]) == ("b-m-p-s-p-i", "LAGEBILD-fritz-tag-SPI")
    assert (look["lat"], look["lon"]) == (49.413, 7.601)
    assert look["ce"] == pytest.approx(
        12.24 / math.sqrt(5.991), abs=0.1
    )  # one sigma of 95 % in two dimensions
    assert look["elements"]["link"]["uid"] == "LAGEBILD-fritz"

    assert (spot["type"], spot["detail"]["contact"]["callsign"]) == ("b-m-p-s-m", "Glutnest")
    assert "Einsatzleiter" in spot["elements"]["remarks"][""]
    assert (deleted["type"], deleted["elements"]["link"]["uid"]) == ("t-x-d-d", spot["uid"])


def test_hostile_names_stay_well_formed() -> None:
    feed = Feed("tag", "fritz", HOSTILE)
    marker = Marker("e", "fritz", START_NS, 49.4, 7.6, HOSTILE, HOSTILE, HOSTILE)
    told = read(
        aircraft_event(SAMPLE, HOSTILE, NOW_NS, STALE_NS, Camera(feed, LOOK, 'udp://239.0.0.1:5004/<&">')),
        look_event(LOOK, "fritz", HOSTILE, NOW_NS, STALE_NS),
        marker_event(marker, NOW_NS),
    )
    assert told[0]["detail"]["contact"]["callsign"] == CLEAN
    assert told[0]["elements"]["sensor"]["model"] == CLEAN
    assert told[1]["detail"]["contact"]["callsign"] == f"{CLEAN}: Blickpunkt"
    assert told[2]["detail"]["contact"]["callsign"] == CLEAN
    assert told[2]["uid"] == f"LAGEBILD-M-{CLEAN}"
