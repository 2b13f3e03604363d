"""CoT events: what is unknown or old is not in them."""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from flow.clock import NS_PER_S
from flow.doors import CameraLook
from flow.flights import Feed
from flow.samples import Group, TelemetrySample
from telemetry.protocol.cot import Camera, aircraft_event, look_event
from tests.fakes.clock import START_NS

STALE_NS = 10 * NS_PER_S
CAMERA = Camera(Feed("tag", "fritz", "Tageslicht"))
SAMPLE = TelemetrySample(
    "fritz", START_NS, lat_deg=49.4, lon_deg=7.6, yaw_deg=90.0, ground_speed_ms=3.0, gimbal_yaw_deg=10.0,
    battery_pct=50.0, received_ns=dict.fromkeys(Group, START_NS),
)  # fmt: skip


def elements(sample: TelemetrySample, now_ns: int = START_NS) -> set[str]:
    event = aircraft_event(sample, "Fritz", now_ns, STALE_NS, CAMERA)
    assert event
    return {each.tag for each in ET.fromstring(event.xml).iter()}


def test_no_position_is_no_event() -> None:
    for nowhere in (replace(SAMPLE, lat_deg=None), replace(SAMPLE, received_ns={})):
        assert aircraft_event(nowhere, "Fritz", START_NS, STALE_NS) is None


def test_an_old_position_is_no_event() -> None:
    assert aircraft_event(SAMPLE, "Fritz", START_NS + STALE_NS - 1, STALE_NS)
    assert aircraft_event(SAMPLE, "Fritz", START_NS + STALE_NS, STALE_NS) is None


@pytest.mark.parametrize(
    ("group", "element"),
    [(Group.ATTITUDE, "track"), (Group.GIMBAL, "sensor"), (Group.BATTERY, "status")],
)
def test_what_is_old_is_left_out(group: Group, element: str) -> None:
    now_ns = START_NS + STALE_NS
    fresh = replace(SAMPLE, received_ns=dict.fromkeys(Group, now_ns))
    assert element in elements(fresh, now_ns)
    old = replace(fresh, received_ns=fresh.received_ns | {group: START_NS})
    assert element not in elements(old, now_ns)
    never = {g: ns for g, ns in fresh.received_ns.items() if g is not group}
    assert element not in elements(replace(fresh, received_ns=never), now_ns)


def test_no_number_that_is_none() -> None:
    odd = replace(SAMPLE, yaw_deg=math.nan, battery_pct=math.inf, h_accuracy_m=math.nan)
    event = aircraft_event(odd, "Fritz", START_NS, STALE_NS, CAMERA)
    assert event
    assert b"nan" not in event.xml
    assert b"inf" not in event.xml


def test_a_look_that_meets_no_ground_is_no_point_of_interest() -> None:
    assert look_event(CameraLook("tag", START_NS, bearing_deg=3), "fritz", "F", START_NS, STALE_NS) is None
