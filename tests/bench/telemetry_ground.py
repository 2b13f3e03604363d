"""Pixel to ground, measured: on the simulator's camera with seeded errors, and against a real ST 0601 stream.

No picture is drawn: the simulator's camera model says which point of the ground a pixel shows, and telemetry
of that flight, wrong by what the error model takes it to be, goes the way it goes in the house.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from flow.clock import NS_PER_S
from flow.codec.klv import KlvSplitter
from flow.codec.st0601 import St0601, decode_st0601
from flow.errors import UnlocatableError
from flow.flights import Ellipse, Feed
from flow.samples import Group, Metadata, MetadataKind, Place, TelemetrySample
from simulator import flightpath, place
from simulator.aircraft import Errors, Sensors, State, true_state
from simulator.camera import DAY_HFOV_DEG, Lens, View
from telemetry.protocol import ground_error
from telemetry.protocol.earth import Plane
from telemetry.protocol.geometry import Spot, footprint, locate
from telemetry.protocol.pose_track import PoseTrack
from telemetry.protocol.rotation import angles, product, rotation
from telemetry.protocol.sight import Picture, Sight, sight_of
from telemetry.protocol.track_klv import KlvTrack

from .figures import percentile

Json = dict[str, Any]

BANDS_M = (0, 50, 80, 120, 200, 400)
LEAST_HEIGHT_M = 20.0
"""Lower than this the demo aircraft takes off and lands."""

_LENS = Lens(1280, 720, DAY_HFOV_DEG)
_FEED = Feed("tag", "otto", "Tag", hfov_deg=DAY_HFOV_DEG)
_HOME = Place(place.HOME.lat_deg, place.HOME.lon_deg, place.HOME.alt_msl_m)
_START_NS = 1_795_330_000_000_000_000
_SAMPLE_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations of what the aircraft tells, and of its clock against the pictures'."""

    gps_m: float = 2.5
    height_m: float = ground_error.BAROMETER_M
    tilt_deg: float = ground_error.GIMBAL_TILT_DEG
    heading_deg: float = ground_error.HEADING_DEG
    clock_s: float = ground_error.CLOCK_ARRIVAL_S

    def times(self, factor: float) -> Noise:
        return Noise(*(factor * getattr(self, name) for name in self.__slots__))


NONE = Noise().times(0.0)


@dataclass(frozen=True, slots=True)
class Hit:
    """One pixel: how far off it was found, and whether the truth is inside its ellipse."""

    range_m: float
    error_m: float
    inside: bool


def measure_simulator(poses: int = 4_000, seed: int = 5) -> Json:
    """Errors by slant range with the noise that the model assumes, with none, with half and with twice it."""
    assumed = hits(poses, seed, Noise())
    clean = hits(poses, seed, NONE)
    return {
        "noise": {name: getattr(Noise(), name) for name in Noise.__slots__},
        "poses": poses,
        "seed": seed,
        "assumed": told(assumed),
        "clean": told(clean),
        "clean_p95_at_100_m": percentile([h.error_m for h in clean if 80 <= h.range_m < 120], 0.95, 4),
        "half": told(hits(poses, seed + 1, Noise().times(0.5))),
        "twice": told(hits(poses, seed + 2, Noise().times(2.0))),
        "ground_error_p95_m": percentile([h.error_m for h in assumed], 0.95, 2),
        "ellipse_coverage": coverage(assumed),
    }


def told(found: list[Hit]) -> Json:
    bands = zip(BANDS_M, [*BANDS_M[1:], math.inf], strict=True)
    return {
        "all": _row(found),
        "bands": [
            {"from_m": low, "to_m": None if high == math.inf else high}
            | _row([h for h in found if low <= h.range_m < high])
            for low, high in bands
        ],
    }


def coverage(found: list[Hit]) -> float | None:
    return round(sum(h.inside for h in found) / len(found), 4) if found else None


def hits(poses: int, seed: int, noise: Noise) -> list[Hit]:
    """A random pixel of each of so many random moments of the demo flight, whose errors have nothing to do
    with each other."""
    chance = random.Random(seed)
    found: list[Hit] = []
    while len(found) < poses:
        t = chance.uniform(0.0, flightpath.LOOP_S)
        pose = flightpath.pose_at(t)
        if pose.height_m < LEAST_HEIGHT_M:
            continue
        view = View(_LENS, pose.scene_position, pose.camera_bearing_deg, pose.camera_pitch_deg)
        sight = _sight(t, noise, chance)
        hit = _hit(sight, view, chance.random(), chance.random())
        if hit:
            found.append(hit)
    return found


def _hit(sight: Sight, view: View, x: float, y: float) -> Hit | None:
    """None where the ground is too far for an answer."""
    try:
        spot = locate(sight, x, y)
    except UnlocatableError:
        return None
    column, row = x * _LENS.width_px - 0.5, y * _LENS.height_px - 0.5
    east, north, scale = view.pixel_to_ground @ np.array([column, row, 1.0])
    truth = place.to_fix(float(east / scale), float(north / scale))
    return _judged(spot, truth.lat_deg, truth.lon_deg)


def _judged(spot: Spot, lat_deg: float, lon_deg: float) -> Hit:
    east, north = Plane(spot.place.lat_deg, spot.place.lon_deg).offset(lat_deg, lon_deg)
    return Hit(spot.slant_range_m, math.hypot(east, north), _is_inside(spot.error, east, north))


def _is_inside(error: Ellipse, east_m: float, north_m: float) -> bool:
    bearing = math.radians(error.bearing_deg)
    along = east_m * math.sin(bearing) + north_m * math.cos(bearing)
    across = east_m * math.cos(bearing) - north_m * math.sin(bearing)
    return math.hypot(along / error.semi_major_m, across / error.semi_minor_m) <= 1


def _row(found: list[Hit]) -> Json:
    errors = [h.error_m for h in found]
    return {
        "n": len(found),
        "median_m": percentile(errors, 0.5, 3),
        "p95_m": percentile(errors, 0.95, 3),
        "coverage": coverage(found),
    }


# --- what the aircraft tells --------------------------------------------------------------------------------


def _sight(t: float, noise: Noise, chance: random.Random) -> Sight:
    """The camera as Lagebild has it for the picture taken at `t`, from samples around that moment."""
    errors = Errors(gps_m=noise.gps_m, alt_m=noise.height_m, gimbal_deg=noise.tilt_deg)
    sensors = Sensors(errors, chance.getrandbits(32))
    across_deg = chance.gauss(0.0, noise.tilt_deg)  # the simulator's gimbal never rolls
    # Its errors of pitch and yaw have one size; a compass is worse than a level.
    heading_deg = chance.gauss(0.0, math.sqrt(max(0.0, noise.heading_deg**2 - noise.tilt_deg**2)))
    late_s = chance.gauss(0.0, noise.clock_s)
    first = t - chance.uniform(1.0, 2.0) * _SAMPLE_EVERY_S - late_s
    track = PoseTrack()
    for step in range(3):
        at = first + step * _SAMPLE_EVERY_S
        state = sensors.measure(true_state(flightpath.pose_at(at)), _SAMPLE_EVERY_S)
        track.add(_sample(state, at + late_s, across_deg, heading_deg, noise.gps_m))
    picture = Picture(_FEED, _LENS.height_px / _LENS.width_px, ground_error.CLOCK_ARRIVAL_S)
    return sight_of(track.at(_ns(t)), picture, None)


def _sample(
    state: State, shown_s: float, across_deg: float, heading_deg: float, gps_m: float
) -> TelemetrySample:
    """`across_deg` tips the camera about the level axis that it looks along."""
    yaw_deg = state.camera_yaw_deg + heading_deg
    level = rotation(yaw_deg, 0.0, across_deg)
    look = angles(product(level, rotation(0.0, state.camera_pitch_deg, 0.0)))
    utc_ns = _ns(shown_s)
    return TelemetrySample(
        "otto",
        utc_ns,
        lat_deg=state.lat_deg,
        lon_deg=state.lon_deg,
        alt_msl_m=state.alt_msl_m,
        alt_home_m=state.height_m,
        yaw_deg=state.yaw_deg,
        gimbal_yaw_deg=look.yaw_deg,
        gimbal_pitch_deg=look.pitch_deg,
        gimbal_roll_deg=look.roll_deg,
        home=_HOME,
        h_accuracy_m=gps_m or None,
        received_ns=dict.fromkeys((Group.POSITION, Group.ATTITUDE, Group.GIMBAL), utc_ns),
    )


def _ns(t: float) -> int:
    return _START_NS + round(t * NS_PER_S)


# --- a real stream ------------------------------------------------------------------------------------------


def measure_klv(path: Path) -> Json:
    """Our frame centre and corners from platform, sensor angles and field of view, against the stream's own.

    The ground is flat at the stream's frame-centre elevation. `corners_level` leaves the camera's roll out:
    a stream whose sensor roll (tag 20) is always 0, though the platform banks, has a level picture.
    """
    centres: list[tuple[float, float]] = []
    corners: list[tuple[float, float]] = []
    level: list[tuple[float, float]] = []
    ranges: list[float] = []
    for items, sample in _klv_samples(path):
        sight = _klv_sight(sample)
        spot = locate(sight, 0.5, 0.5)
        centre = sample.frame_centre
        if centre is not None:
            centres.append((_off_m(spot.place, (centre.lat_deg, centre.lon_deg)), spot.slant_range_m))
        if items.slant_range_m:
            ranges.append(abs(spot.slant_range_m - items.slant_range_m))
        corners += _corners_off(sight, items, spot.slant_range_m)
        level += _corners_off(_klv_sight(replace(sample, gimbal_roll_deg=0.0)), items, spot.slant_range_m)
    return {
        "sets": len(centres),
        "centre": _relative(centres),
        "corners": _relative(corners),
        "corners_level": _relative(level),
        "slant_range": {"median_m": percentile(ranges, 0.5, 1), "p95_m": percentile(ranges, 0.95, 1)},
    }


def _klv_samples(path: Path) -> Iterator[tuple[St0601, TelemetrySample]]:
    track = KlvTrack("c208b")
    for data in KlvSplitter().push(path.read_bytes()):
        items = decode_st0601(data)
        told_ns = (items.utc_us or 0) * 1000
        for sample in track.take(Metadata("fmv", MetadataKind.KLV, told_ns, data)):
            yield items, sample


def _klv_sight(sample: TelemetrySample) -> Sight:
    track = PoseTrack()
    track.add(sample)
    return sight_of(track.at(sample.utc_ns), Picture(Feed("fmv", "c208b", "FMV"), None, 0.0), None)


def _corners_off(sight: Sight, items: St0601, range_m: float) -> list[tuple[float, float]]:
    if not items.corners:
        return []
    ours, _ = footprint(sight)
    return [(_off_m(corner, theirs), range_m) for corner, theirs in zip(ours, items.corners, strict=True)]


def _off_m(ours: Place, theirs: tuple[float, float]) -> float:
    return math.hypot(*Plane(ours.lat_deg, ours.lon_deg).offset(*theirs))


def _relative(found: list[tuple[float, float]]) -> Json:
    shares = [off / range_m for off, range_m in found]
    return {
        "n": len(found),
        "median_m": percentile([off for off, _ in found], 0.5, 1),
        "p95_m": percentile([off for off, _ in found], 0.95, 1),
        "median_of_range": percentile(shares, 0.5, 4),
        "p95_of_range": percentile(shares, 0.95, 4),
    }
