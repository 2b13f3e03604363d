"""From what is told of an aircraft to its camera over the ground, or the reason why that cannot be said."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flow.errors import UnlocatableError
from flow.flights import Feed
from flow.samples import TelemetrySample

from .camera import Axes, Camera, Lens, gimbal_axes, lens_of, mixed, mounted_axes
from .earth import Plane
from .ground import FlatGround, Ground, no_terrain
from .ground_error import (
    BAROMETER_M,
    BODY_TILT_DEG,
    GIMBAL_TILT_DEG,
    GPS_HEIGHT,
    HEADING_DEG,
    POSITION_M,
    POSITION_UNTOLD_M,
    RANGEFINDER_M,
    Accuracy,
    Motion,
)
from .height_grid import Surroundings
from .pose_track import Instant, Moment
from .relief import Relief

LEAST_HEIGHT_M = 0.5
"""Lower than this an aircraft stands on the ground, as far as its height can be trusted."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A camera over its ground at one instant."""

    camera: Camera
    ground: Ground
    accuracy: Accuracy
    motion: Motion


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a feed's pictures beside the pose. `clock_s` is the standard deviation of their times
    against those of the telemetry."""

    feed: Feed
    height_by_width: float | None
    clock_s: float


def sight_of(moment: Moment | None, picture: Picture, around: Surroundings | None) -> Sight:
    """Raises UnlocatableError: "no_position", "pose_stale", "no_attitude", "no_gimbal", "no_height",
    "no_lens", and "no_terrain" while the height model is being read."""
    lat_deg, lon_deg = moment.position.values[:2] if moment else (None, None)
    if moment is None or lat_deg is None or lon_deg is None:
        raise UnlocatableError("the aircraft's position is not known", code="no_position")
    _check_fresh(moment.position, "position")
    turned = _turned(moment, picture.feed)
    axes = _axes(moment, picture.feed)
    lens = _lens(moment.sample, picture)
    plane = Plane(lat_deg, lon_deg)
    ground = _ground(moment, plane, around)
    away_s = max(moment.position.away_ns, turned.away_ns) / 1e9
    fixed = picture.feed.mount_pitch_deg is not None
    accuracy = Accuracy(
        horizontal_m=_horizontal_m(moment.sample),
        tilt_deg=BODY_TILT_DEG if fixed else GIMBAL_TILT_DEG,
        heading_deg=HEADING_DEG,
        time_s=math.hypot(picture.clock_s, away_s),
    )
    return Sight(Camera(axes, lens), ground, accuracy, _motion(moment, turned, plane))


def bearing_of(moment: Moment | None, feed: Feed) -> float | None:
    """Where the camera looks on the compass, whatever else is missing; None: not known, or stale."""
    if moment is None:
        return None
    turned = moment.attitude if feed.mount_pitch_deg is not None else moment.gimbal
    yaw = turned.values[0]
    return None if yaw is None or turned.stale else yaw % 360.0


def _check_fresh(told: Instant, what: str) -> None:
    if told.stale:
        away_s = told.away_ns / 1e9
        raise UnlocatableError(f"the {what} is {away_s:.1f} s away from the picture", code="pose_stale")


def _turned(moment: Moment, feed: Feed) -> Instant:
    """What the camera turns with. Raises UnlocatableError where it is not known or stale."""
    if feed.mount_pitch_deg is not None:
        if None in moment.attitude.values:
            raise UnlocatableError("the aircraft's attitude is not known", code="no_attitude")
        _check_fresh(moment.attitude, "attitude")
        return moment.attitude
    yaw, pitch, _ = moment.gimbal.values
    if pitch is None:
        told = "no gimbal tells where it looks; a fixed camera needs its mount_pitch_deg"
        raise UnlocatableError(told, code="no_gimbal")
    if yaw is None:
        raise UnlocatableError("the gimbal's direction needs the aircraft's heading", code="no_attitude")
    _check_fresh(moment.gimbal, "gimbal's direction")
    return moment.gimbal


def _axes(moment: Moment, feed: Feed) -> Axes:
    if feed.mount_pitch_deg is not None:
        yaw, pitch, roll = (angle or 0.0 for angle in moment.attitude.values)
        return mounted_axes(yaw, pitch, roll, feed.mount_pitch_deg)
    yaw, pitch, roll = (angle or 0.0 for angle in moment.gimbal.values)  # a level gimbal tells no roll
    return gimbal_axes(yaw, pitch, roll)


def _lens(sample: TelemetrySample, picture: Picture) -> Lens:
    """What the settings say of this camera goes before what the aircraft says of one of its own."""
    configured = picture.feed.hfov_deg
    hfov = configured if configured is not None else sample.hfov_deg
    vfov = sample.vfov_deg if configured is None else None
    lens = lens_of(hfov, vfov, picture.height_by_width) if hfov is not None else None
    if lens is None:
        raise UnlocatableError("the camera's field of view is not known: set hfov_deg", code="no_lens")
    return lens


def _motion(moment: Moment, turned: Instant, plane: Plane) -> Motion:
    lat, lon, *_ = moment.position.values
    lat_rate, lon_rate, *climbs = moment.position.rates
    east, north = plane.offset((lat or 0.0) + (lat_rate or 0.0), (lon or 0.0) + (lon_rate or 0.0))
    climb = next((rate for rate in climbs if rate is not None), 0.0)
    yaw_rate, pitch_rate, _ = (math.radians(rate or 0.0) for rate in turned.rates)
    yaw = math.radians(turned.values[0] or 0.0)
    right = math.cos(yaw), -math.sin(yaw), 0.0
    return Motion((east, north, climb), mixed(pitch_rate, right, -yaw_rate, (0.0, 0.0, 1.0)))


# --- heights ------------------------------------------------------------------------------------------------


def _ground(moment: Moment, plane: Plane, around: Surroundings | None) -> Ground:
    if around is not None:
        relief = _relief(moment, plane, around)
        if relief is not None:
            return relief
    above_m, height_m, sigma_m = _over_flat_ground(moment)
    _check_airborne(above_m)
    return FlatGround(plane, above_m, height_m, sigma_m)


def _relief(moment: Moment, plane: Plane, around: Surroundings) -> Relief | None:
    """The camera over the height model; None where that does not reach below the aircraft, or its height in
    the model's own terms is not known.

    The barometer counts from the start, whose height the model knows: that is far better than the height of
    a satellite fix.
    """
    if around.grid is None:
        raise no_terrain()
    beneath = around.grid.height_m(*plane.place(0.0, 0.0))
    _, _, over_sea, over_home, over_ground = moment.position.values
    if beneath is None:
        return None
    if over_home is not None and around.home_m is not None:
        camera_m, sigma_m = around.home_m + over_home, BAROMETER_M
    elif over_sea is not None:
        camera_m, sigma_m = over_sea, _vertical_m(moment.sample)
    elif over_ground is not None:
        camera_m, sigma_m = beneath + over_ground, RANGEFINDER_M
    else:
        return None
    _check_airborne(camera_m - beneath)
    return Relief(plane, camera_m, beneath, around.grid, sigma_m)


def _over_flat_ground(moment: Moment) -> tuple[float, float | None, float]:
    """Height over flat ground, that ground's height over the sea where known, and a standard deviation."""
    sample = moment.sample
    _, _, over_sea, over_home, over_ground = moment.position.values
    centre, home = sample.frame_centre, sample.home
    if over_sea is not None and centre is not None and centre.alt_msl_m is not None:
        return over_sea - centre.alt_msl_m, centre.alt_msl_m, _vertical_m(sample)  # it knows what it looks at
    home_m = home.alt_msl_m if home is not None else None
    if over_home is not None:
        return over_home, home_m, BAROMETER_M
    if over_ground is not None:
        return over_ground, None, RANGEFINDER_M
    if over_sea is not None and home_m is not None:
        return over_sea - home_m, home_m, _vertical_m(sample)
    raise UnlocatableError("the aircraft's height over the ground is not known", code="no_height")


def _check_airborne(above_m: float) -> None:
    if above_m < LEAST_HEIGHT_M:
        raise UnlocatableError(f"the aircraft is {above_m:.1f} m over the ground", code="no_height")


def _horizontal_m(sample: TelemetrySample) -> float:
    if sample.h_accuracy_m:  # 0 is a receiver that does not tell
        return sample.h_accuracy_m
    return POSITION_M.get(sample.fix, POSITION_UNTOLD_M) if sample.fix else POSITION_UNTOLD_M


def _vertical_m(sample: TelemetrySample) -> float:
    return sample.v_accuracy_m or GPS_HEIGHT * _horizontal_m(sample)
