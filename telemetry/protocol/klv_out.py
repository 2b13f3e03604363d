"""What is known of an aircraft and its camera at the instant of a picture -> a MISB ST 0601 set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flow.clock import NS_PER_S
from flow.codec.st0601 import VERSION, St0601
from flow.doors import CameraLook
from flow.flights import Feed
from flow.samples import Group, Place, TelemetrySample

from .places import compass_deg, longitude_deg
from .pose_track import ATTITUDE, GIMBAL, POSITION, Moment
from .rotation import Angles, Matrix, angles, product, rotation

STALE_NS = 2 * NS_PER_S
"""What was told so long before or after a picture says nothing of it, and is left out."""


@dataclass(frozen=True, slots=True)
class Names:
    """Who sends: the operation, the aircraft and the camera, as people call them."""

    mission: str
    aircraft: str
    camera: str


def sample_at(moment: Moment) -> TelemetrySample:
    """What is known of the instant itself: the pose between what was told before and after it."""
    pose: dict[str, Any] = {
        **dict(zip(POSITION, moment.position.values, strict=True)),
        **dict(zip(ATTITUDE, moment.attitude.values, strict=True)),
        **dict(zip(GIMBAL, moment.gimbal.values, strict=True)),
    }
    for name in ("yaw_deg", "gimbal_yaw_deg"):  # the short way round may lead past north
        if (angle_deg := pose[name]) is not None:
            pose[name] = compass_deg(angle_deg)
    if pose["lon_deg"] is not None:
        pose["lon_deg"] = longitude_deg(pose["lon_deg"])
    return replace(moment.sample, **pose)


def klv_set(
    sample: TelemetrySample, utc_ns: int, feed: Feed, names: Names, look: CameraLook | None = None
) -> St0601 | None:
    """The set of a picture taken at `utc_ns`; None where nothing is known of that moment.

    What a camera sees of the ground is that of `look`, if it knows it. Sensor angles are relative to the
    airframe (ST 0601 tags 18 to 20), so they need its whole attitude.
    """
    known = {group for group, told_ns in sample.received_ns.items() if abs(utc_ns - told_ns) <= STALE_NS}
    if not known:
        return None
    fields = _told(sample, known) | _camera(sample, known, feed) | (_ground(look) if look else {})
    return St0601(
        utc_us=utc_ns // 1000,
        mission_id=names.mission or None,
        platform_designation=names.aircraft,
        image_source=names.camera,
        image_coordinates="Geodetic WGS84",
        version=VERSION,
        **fields,
    )


def _told(sample: TelemetrySample, known: set[Group]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if Group.POSITION in known:
        fields |= {
            "sensor_lat_deg": sample.lat_deg,
            "sensor_lon_deg": sample.lon_deg,
            "sensor_alt_msl_m": sample.alt_msl_m,
            "sensor_alt_agl_m": sample.alt_agl_m,
        }
    if Group.ATTITUDE in known:
        fields |= {
            "platform_heading_deg": sample.yaw_deg,
            "platform_pitch_deg": sample.pitch_deg,
            "platform_roll_deg": sample.roll_deg,
        }
    if Group.SPEED in known:
        fields |= {"ground_speed_ms": sample.ground_speed_ms, "climb_ms": sample.climb_ms}
    if Group.CAMERA in known and sample.frame_centre is not None:
        fields |= _centre(sample.frame_centre)
    return fields


def _camera(sample: TelemetrySample, known: set[Group], feed: Feed) -> dict[str, Any]:
    """Its lens, and where it points; one without a gimbal is bolted on, its mount's pitch below the nose."""
    told = Group.CAMERA in known
    fields: dict[str, Any] = {
        "hfov_deg": (sample.hfov_deg if told else None) or feed.hfov_deg,
        "vfov_deg": sample.vfov_deg if told else None,
    }
    relative: Angles | None = None
    if sample.gimbal_pitch_deg is None and feed.mount_pitch_deg is not None:
        relative = Angles(0.0, feed.mount_pitch_deg, 0.0)
    elif Group.GIMBAL in known and Group.ATTITUDE in known:
        relative = relative_angles(sample)
    if relative is not None:
        fields["sensor_azimuth_deg"] = relative.yaw_deg
        fields["sensor_elevation_deg"] = relative.pitch_deg
        fields["sensor_roll_deg"] = compass_deg(relative.roll_deg)
    return fields


def relative_angles(sample: TelemetrySample) -> Angles | None:
    """The camera's angles in the earth frame turned back into the airframe's; None where some are unknown. A
    gimbal that tells no roll holds its picture level."""
    airframe = sample.yaw_deg, sample.pitch_deg, sample.roll_deg
    yaw_deg, pitch_deg, roll_deg = airframe
    if yaw_deg is None or pitch_deg is None or roll_deg is None:
        return None
    if sample.gimbal_yaw_deg is None or sample.gimbal_pitch_deg is None:
        return None
    camera = rotation(sample.gimbal_yaw_deg, sample.gimbal_pitch_deg, sample.gimbal_roll_deg or 0.0)
    return angles(product(_transposed(rotation(yaw_deg, pitch_deg, roll_deg)), camera))


def _transposed(matrix: Matrix) -> Matrix:
    first, second, third = zip(*matrix, strict=True)
    return first, second, third


def _ground(look: CameraLook) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if look.centre is not None:
        fields |= {"slant_range_m": look.centre.slant_range_m, **_centre(look.centre.place)}
    if len(look.corners) == 4 and not look.cut:  # a corner that is cut is none of the picture's
        fields["corners"] = tuple((corner.lat_deg, corner.lon_deg) for corner in look.corners)
    return fields


def _centre(place: Place) -> dict[str, Any]:
    return {
        "frame_centre_lat_deg": place.lat_deg,
        "frame_centre_lon_deg": place.lon_deg,
        "frame_centre_alt_msl_m": place.alt_msl_m,
    }
