"""A flight to report on: made at test time, with everything that a report tells of."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from PIL import Image

from flow.bus import Event
from flow.clock import NS_PER_S
from flow.codec.exif import Shot, with_exif
from flow.doors import CameraLook
from flow.flights import Aircraft, Alarm, AlarmLevel, Armed, Disarmed, Feed, Incident, IncidentKind, Marker
from flow.samples import Group, Place, Severity, StatusText, TelemetrySample
from recordings.export.order import ExportOrder, Logbook, Part
from recordings.export.source import ExportSource
from recordings.folders import SAMPLES_FILE
from recordings.samples_file import samples_within
from tests.fakes.clock import START_NS
from tests.fakes.recorded_flights import FlightMaker

MARTA = Aircraft(
    "marta",
    "Multikopter Łódź–Ümläut",
    (Feed("marta-tag", "marta", "Tageslicht"), Feed("marta-waerme", "marta", "Wärmebild")),
)
HOME = Place(49.44312, 7.76891)
LOGBOOK = Logbook("2026-117", "Žofie Müller-Şahin", "Kaiserslautern, Hof Дача", "Wind <böig> & Regen")
GROUPS = (Group.POSITION, Group.SPEED, Group.BATTERY, Group.MODE, Group.FIX)


@dataclass(frozen=True, slots=True)
class StillPast:
    """Of every moment the sample of that second."""

    samples: dict[int, TelemetrySample]

    def sample(self, utc_ns: int) -> TelemetrySample | None:
        return self.samples.get(utc_ns // NS_PER_S)

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        raise NotImplementedError

    def klv(self, feed_id: str, utc_ns: int) -> bytes | None:
        return None


def circle(seconds: int, at: Place = HOME, started_ns: int = START_NS) -> list[TelemetrySample]:
    """Two samples a second: on the ground for 10 s at either end, else round and round."""
    samples = []
    for half in range(2 * seconds):
        flying = 20 <= half < 2 * seconds - 20
        angle = half / 2 / 90 * 2 * math.pi
        lon_deg = at.lon_deg + (0.0018 * math.sin(angle) if flying else 0)
        utc_ns = started_ns + half * NS_PER_S // 2
        samples.append(
            TelemetrySample(
                "marta",
                utc_ns,
                lat_deg=at.lat_deg + (0.0011 * math.sin(2 * angle) if flying else 0),
                lon_deg=(lon_deg + 180) % 360 - 180,
                alt_home_m=84.4 if flying else 0.0,
                alt_msl_m=335.4 if flying else 251.0,
                ground_speed_ms=6.25 if flying else 0.0,
                battery_pct=98.0 - half / seconds * 10,
                armed=2 <= half < 2 * seconds - 2,
                landed="in_air" if flying else "on_ground",
                fix="3d",
                received_ns=dict.fromkeys(GROUPS, utc_ns),
            )
        )
    return samples


def happened() -> list[Event]:
    """With letters and signs that would do harm where they are not escaped."""
    at = START_NS
    return [
        Armed("e1", "marta", at + 1 * NS_PER_S),
        Marker(
            "e2", "marta", at + 20 * NS_PER_S, 49.4433, 7.7695, "Glutnest <script>", "ELW 1", marker_id="m"
        ),
        Marker("e3", "marta", at + 25 * NS_PER_S, 49.4427, 7.7681, "", "Ada", marker_id="n"),
        Alarm("e4", "marta", at + 40 * NS_PER_S, "battery_percent", {"limit": "20"}, AlarmLevel.WARNING),
        Alarm("e5", "marta", at + 55 * NS_PER_S, "battery_percent", active=False),
        StatusText("e6", "marta", at + 60 * NS_PER_S, Severity.WARNING, "Battery low"),
        Marker("e7", "marta", at + 70 * NS_PER_S, 49.4427, 7.7681, "", "Ada", marker_id="n", removed=True),
        Disarmed("e8", "marta", at + 119 * NS_PER_S),
    ]


def flown_flight(root: Path, samples: list[TelemetrySample]) -> FlightMaker:
    """Two cameras, one of them with a gap, and one that has nothing."""
    flight = FlightMaker(root, MARTA)
    flight.film("marta-tag", 2)
    flight.film("marta-tag", 2, gap_s=7.0)
    flight.sample(*samples)
    flight.end(120.0)
    return flight


def source_of(
    flight: FlightMaker, samples: list[TelemetrySample], events: list[Event], incident: Incident | None = None
) -> ExportSource:
    order = ExportOrder(
        flight.id, START_NS, START_NS + 120 * NS_PER_S, ("marta-tag", "marta-waerme"), (Part.REPORT,),
        "Meier, ELW 1", logbook=LOGBOOK,
    )  # fmt: skip
    path = flight.folder / SAMPLES_FILE
    return ExportSource(
        flight.folder,
        flight.file,
        order,
        incident,
        events,
        lambda: samples_within(path, order.from_ns, order.to_ns),
        StillPast({each.utc_ns // NS_PER_S: each for each in samples}),
    )


def in_english(source: ExportSource) -> ExportSource:
    return replace(source, order=msgspec.structs.replace(source.order, language="en"))


def stills(folder: Path, count: int = 3) -> list[Path]:
    paths = []
    for number in range(count):
        picture = Image.linear_gradient("L").resize((1280, 720)).convert("RGB")
        data = io.BytesIO()
        picture.save(data, "JPEG")
        taken_ns = START_NS + (30 + 12 * number) * NS_PER_S + 345_678_000
        shot = Shot(taken_ns, 1280, 720, "Feed marta-tag", f"feed=marta-tag n={number}")
        paths.append(folder / f"marta-tag-{number}.jpg")
        paths[-1].write_bytes(with_exif(data.getvalue(), shot))
    return paths


FIRE = Incident("20261122t044900z-hof", IncidentKind.EINSATZ, "Brand Bauernhof „Zum Löwen“", START_NS)
EXERCISE = replace(FIRE, kind=IncidentKind.UEBUNG)
