"""KLV within a feed's stream (MISB ST 0601, EG 0104) -> samples of the aircraft that flies its camera."""

from __future__ import annotations

from typing import Any, TypeAlias

from flow.clock import NS_PER_MS
from flow.codec.eg0104 import EG0104_KEY, decode_eg0104
from flow.codec.klv import KEY_BYTES
from flow.codec.st0601 import St0601, decode_st0601
from flow.samples import Group, Metadata, Place, TelemetrySample
from flow.source_clock import ClockState, ClockStatus

from .places import compass_deg
from .rotation import angles, product, rotation

_Fields: TypeAlias = dict[str, Any]
"""Of a TelemetrySample, by name."""

_CLOCK_OFF_MOST_MS = 24 * 3600 * 1000.0
"""A clock further off is not set, or the set is from an old recording."""
_CLOCK_JITTER_MS = 100.0


class KlvTrack:
    """See tracks.py TrackAssembler. A set tells some groups of fields, and need not tell all: each keeps what
    was told of it last, and the age of that."""

    def __init__(self, aircraft_id: str) -> None:
        self._aircraft_id = aircraft_id
        self._known: dict[Group, tuple[int, _Fields]] = {}  # when that was, and the fields
        self._clock: ClockState | None = None
        self._last = b""  # set

    @property
    def clock(self) -> ClockState | None:
        return self._clock

    def take(self, metadata: Metadata) -> list[TelemetrySample]:
        """Take one set. Raises MalformedError: "bad_checksum", "no_checksum", "unknown_set", "malformed"."""
        groups, utc_us = _told(metadata.data)
        utc_ns = metadata.utc_ns
        if utc_us:
            self._set_clock(utc_us / 1000 - utc_ns / NS_PER_MS)
            if metadata.data == self._last:
                return []  # an encoder that repeats the last it was told: of the same moment, and no younger
        self._last = metadata.data
        told = {group: (utc_ns, fields) for group, fields in groups.items() if _says_anything(fields)}
        if not told:
            return []
        # What is dated later than this is not known at its moment; were it kept, a set with a time gone wrong
        # would date all that follow.
        before = {group: known for group, known in self._known.items() if known[0] <= utc_ns}
        self._known = before | told
        fields = {name: value for _, known in self._known.values() for name, value in known.items()}
        received_ns = {group: at_ns for group, (at_ns, _) in self._known.items()}
        return [TelemetrySample(self._aircraft_id, utc_ns, **fields, received_ns=received_ns)]

    def _set_clock(self, offset_ms: float) -> None:
        """Steady while it only jitters: whoever shows it would be told of nothing else."""
        told = self._clock.offset_ms if self._clock else None
        if told is not None and abs(told - offset_ms) < _CLOCK_JITTER_MS:
            return
        if abs(offset_ms) > _CLOCK_OFF_MOST_MS:
            self._clock = ClockState(ClockStatus.REFUSED, "clock_bogus", offset_ms)
        else:
            self._clock = ClockState(ClockStatus.GOOD, offset_ms=offset_ms)


def _says_anything(fields: _Fields) -> bool:
    return any(value is not None for value in fields.values())


def _told(data: bytes) -> tuple[dict[Group, _Fields], int | None]:
    """What a set says, by group, and when its sender says that was."""
    if data[:KEY_BYTES] == EG0104_KEY:
        universal = decode_eg0104(data)
        look = _look_told(universal.look_yaw_deg, universal.look_pitch_deg, universal.look_roll_deg)
        return _groups(universal.items, look), universal.items.utc_us
    items = decode_st0601(data)
    return _groups(items, _look(items)), items.utc_us


def _groups(items: St0601, look: _Fields) -> dict[Group, _Fields]:
    position = _place(items.sensor_lat_deg, items.sensor_lon_deg, items.sensor_alt_msl_m)
    return {
        Group.POSITION: {
            "lat_deg": position and position.lat_deg,
            "lon_deg": position and position.lon_deg,
            "alt_msl_m": items.sensor_alt_msl_m,  # of the ellipsoid nobody here knows the way to the sea
            "alt_agl_m": items.sensor_alt_agl_m,
        },
        Group.ATTITUDE: {
            "roll_deg": items.platform_roll_deg,
            "pitch_deg": items.platform_pitch_deg,
            "yaw_deg": _compass(items.platform_heading_deg),
        },
        Group.SPEED: {"ground_speed_ms": items.ground_speed_ms, "climb_ms": items.climb_ms},
        Group.GIMBAL: look,
        Group.CAMERA: {
            "hfov_deg": items.hfov_deg or None,  # a lens of 0 degrees is one that nobody has told of
            "vfov_deg": items.vfov_deg or None,
            "frame_centre": _place(
                items.frame_centre_lat_deg, items.frame_centre_lon_deg, items.frame_centre_alt_msl_m
            ),
        },
    }


def _look(items: St0601) -> _Fields:
    """Where the camera looks, in the earth frame: the platform's rotation, and on from there the sensor's."""
    platform = items.platform_heading_deg, items.platform_pitch_deg, items.platform_roll_deg
    azimuth, elevation, roll = items.sensor_azimuth_deg, items.sensor_elevation_deg, items.sensor_roll_deg
    heading, pitch, bank = platform
    if heading is None or pitch is None or bank is None or azimuth is None or elevation is None:
        return _look_told(None, None, None)
    turned = product(rotation(heading, pitch, bank), rotation(azimuth, elevation, roll or 0.0))
    look = angles(turned)
    return _look_told(look.yaw_deg, look.pitch_deg, None if roll is None else look.roll_deg)


def _look_told(yaw_deg: float | None, pitch_deg: float | None, roll_deg: float | None) -> _Fields:
    return {"gimbal_yaw_deg": _compass(yaw_deg), "gimbal_pitch_deg": pitch_deg, "gimbal_roll_deg": roll_deg}


def _compass(angle_deg: float | None) -> float | None:
    return None if angle_deg is None else compass_deg(angle_deg)


def _place(lat_deg: float | None, lon_deg: float | None, alt_msl_m: float | None) -> Place | None:
    """None for 0/0, which is "no position", or beyond the Earth."""
    if lat_deg is None or lon_deg is None or not (lat_deg or lon_deg):
        return None
    if abs(lat_deg) > 90 or abs(lon_deg) > 180:
        return None
    return Place(lat_deg, lon_deg, alt_msl_m)
