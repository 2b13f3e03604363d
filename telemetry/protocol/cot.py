"""Cursor on Target 2.0: what TAK shows of an aircraft, of where its camera looks, and of what people marked.

Follows MITRE's event schema and, inside `detail`, what ATAK and WinTAK read. `hae` is the height above the
ellipsoid: aircraft tell theirs above mean sea level, and without a geoid model that is no `hae` (48 m off in
Germany). So it is unknown, 9999999 as CoT writes that, and the heights people use stand in the remarks.
`ce` is one standard deviation in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from flow.codec.xml_text import xml_text
from flow.doors import CameraLook
from flow.flights import Ellipse, Feed, Marker
from flow.markers import id_of
from flow.samples import Group, Place, TelemetrySample

AIRCRAFT = "a-f-A-M-H-Q"  # friendly, air, military rotary wing, drone: TAK has no civil symbol of it
POINT_OF_INTEREST = "b-m-p-s-p-i"
SPOT = "b-m-p-s-m"
DELETE = "t-x-d-d"
UNKNOWN = "9999999.0"
SIGMAS_95 = 2.4477
"""Semi-axis of a 95 % ellipse in standard deviations: the root of chi-squared, two degrees of freedom."""
NS_PER_S = 1_000_000_000
MARKER_STALE_NS = 300 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Event:
    """One CoT event; a newer one of the same `uid` makes it void."""

    uid: str
    xml: bytes


@dataclass(frozen=True, slots=True)
class Camera:
    """What an aircraft's event tells of its camera: feed, where it looks, where TAK gets the picture."""

    feed: Feed
    look: CameraLook | None = None
    video_url: str = ""


def uid_of(aircraft_id: str) -> str:
    return f"LAGEBILD-{aircraft_id}"


def aircraft_event(
    sample: TelemetrySample, name: str, now_ns: int, stale_ns: int, camera: Camera | None = None
) -> Event | None:
    """Where it is; None where that is not known, or older than `stale_ns`: old is never shown as fresh."""
    told_ns = sample.received_ns.get(Group.POSITION)
    if sample.lat_deg is None or sample.lon_deg is None or told_ns is None or now_ns - told_ns >= stale_ns:
        return None
    uid = uid_of(sample.aircraft_id)
    place = Place(sample.lat_deg, sample.lon_deg)
    event, detail = _event(
        uid,
        AIRCRAFT,
        "m-g",
        now_ns=now_ns,
        start_ns=told_ns,
        stale_ns=stale_ns,
        place=place,
        sigma_m=sample.h_accuracy_m,
    )

    def known(group: Group) -> bool:
        return now_ns - sample.received_ns.get(group, -stale_ns) < stale_ns

    _add(detail, "contact", callsign=name)
    if known(Group.ATTITUDE):
        speed_ms = sample.ground_speed_ms if known(Group.SPEED) else None
        _add(detail, "track", course=sample.yaw_deg, speed=speed_ms)
    if camera and known(Group.GIMBAL):
        _add_sensor(detail, sample, camera)
    if camera and camera.video_url:
        _add_video(detail, f"{uid}-{camera.feed.id}", f"{name}: {camera.feed.name}", camera.video_url)
    battery = sample.battery_pct if known(Group.BATTERY) else None
    if battery is not None and math.isfinite(battery):
        _add(detail, "status", battery=str(round(battery)))
    _remark(detail, _heights(sample))
    return Event(uid, _bytes(event))


def look_event(look: CameraLook, aircraft_id: str, name: str, now_ns: int, stale_ns: int) -> Event | None:
    """The middle of the picture on the ground (sensor point of interest); None where there is none."""
    if look.centre is None or now_ns - look.utc_ns >= stale_ns:
        return None
    uid = f"{uid_of(aircraft_id)}-{look.feed_id}-SPI"
    sigma_m = _sigma_m(look.centre.error)
    place = look.centre.place
    event, detail = _event(
        uid,
        POINT_OF_INTEREST,
        "m-f",
        now_ns=now_ns,
        start_ns=look.utc_ns,
        stale_ns=stale_ns,
        place=place,
        sigma_m=sigma_m,
    )
    _add(detail, "contact", callsign=f"{name}: Blickpunkt")
    _add(detail, "link", uid=uid_of(aircraft_id), type=AIRCRAFT, relation="p-p")
    return Event(uid, _bytes(event))


def marker_event(marker: Marker, now_ns: int) -> Event:
    """A place somebody marked, or that it is gone."""
    uid = f"LAGEBILD-M-{xml_text(id_of(marker))}"
    place = Place(marker.lat_deg, marker.lon_deg)
    sigma_m = _sigma_m(marker.error) if marker.error else None
    kind = DELETE if marker.removed else SPOT
    event, detail = _event(
        uid,
        kind,
        "h-e",
        now_ns=now_ns,
        start_ns=now_ns,
        stale_ns=MARKER_STALE_NS,
        place=place,
        sigma_m=sigma_m,
    )
    if marker.removed:
        _add(detail, "link", uid=uid, type="none", relation="none")
        _add(detail, "__forcedelete")
        return Event(uid, _bytes(event))
    _add(detail, "contact", callsign=marker.label or "Markierung")
    _add(detail, "link", uid=uid_of(marker.aircraft_id), type=AIRCRAFT, relation="p-p")
    _remark(detail, f"markiert um {_time(marker.utc_ns)} von {marker.by}" if marker.by else "")
    return Event(uid, _bytes(event))


def _event(
    uid: str,
    kind: str,
    how: str,
    *,
    now_ns: int,
    start_ns: int,
    stale_ns: int,
    place: Place,
    sigma_m: float | None,
) -> tuple[ET.Element, ET.Element]:
    """An event and its empty detail; it is stale so long after what it tells was so, not after it is told."""
    event = ET.Element("event", {"version": "2.0", "uid": uid, "type": kind, "how": how})
    event.set("time", _time(now_ns))
    event.set("start", _time(start_ns))
    event.set("stale", _time(start_ns + stale_ns))
    error = f"{sigma_m:.1f}" if sigma_m is not None and math.isfinite(sigma_m) else UNKNOWN
    where = {"lat": f"{place.lat_deg:.7f}", "lon": f"{place.lon_deg:.7f}"}
    ET.SubElement(event, "point", where | {"hae": UNKNOWN, "ce": error, "le": UNKNOWN})
    return event, ET.SubElement(event, "detail")


def _add_sensor(detail: ET.Element, sample: TelemetrySample, camera: Camera) -> None:
    """ATAK draws the field of view from these: degrees from true north and from the horizon, metres."""
    if sample.gimbal_yaw_deg is None:
        return
    centre = camera.look.centre if camera.look else None
    _add(
        detail,
        "sensor",
        azimuth=sample.gimbal_yaw_deg,
        elevation=sample.gimbal_pitch_deg,
        roll=sample.gimbal_roll_deg,
        fov=camera.feed.hfov_deg if sample.hfov_deg is None else sample.hfov_deg,
        vfov=sample.vfov_deg,
        range=centre.slant_range_m if centre else None,
        model=camera.feed.name,
        type="r-e",
    )


def _add_video(detail: ET.Element, uid: str, alias: str, url: str) -> None:
    video = _add(detail, "__video", uid=uid, url=url)
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    _add(
        video,
        "ConnectionEntry",
        uid=uid,
        alias=alias,
        protocol=parts.scheme,
        address=parts.hostname or "",
        port=str(parts.port or -1),
        path=path,
        networkTimeout="12000",
        bufferTime="-1",
        roverPort="-1",
        rtspReliable="0",
        ignoreEmbeddedKLV="false",
    )


def _heights(sample: TelemetrySample) -> str:
    heights = (
        (sample.alt_home_m, "m über Start"),
        (sample.alt_agl_m, "m über Grund"),
        (sample.alt_msl_m, "m ü. NHN"),
    )
    return ", ".join(f"{value:.0f} {unit}" for value, unit in heights if value is not None)


def _remark(detail: ET.Element, text: str) -> None:
    if text:
        ET.SubElement(detail, "remarks").text = xml_text(text)


def _add(parent: ET.Element, name: str, **values: str | float | None) -> ET.Element:
    """A child with those attributes that are known."""
    child = ET.SubElement(parent, name)
    for key, value in values.items():
        if isinstance(value, str):
            child.set(key, xml_text(value))
        elif value is not None and math.isfinite(value):
            child.set(key, f"{value:.2f}")
    return child


def _sigma_m(error: Ellipse) -> float:
    return error.semi_major_m / SIGMAS_95


def _time(utc_ns: int) -> str:
    whole = datetime.fromtimestamp(utc_ns // NS_PER_S, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{utc_ns % NS_PER_S // 1_000_000:03d}Z"


def _bytes(event: ET.Element) -> bytes:
    data: bytes = ET.tostring(event, encoding="utf-8", xml_declaration=False)
    return data
