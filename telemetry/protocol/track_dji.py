"""DJI's subtitles -> the state of the aircraft, cue by cue."""

from __future__ import annotations

from flow.clock import NS_PER_S
from flow.codec.dji_subtitles import Angles, DjiCue, parse_cue
from flow.samples import Group, Metadata, Place, TelemetrySample
from flow.source_clock import ClockState

from .news import News, updated
from .places import compass_deg

REPEAT_NS = NS_PER_S // 10


class DjiTrack:
    """`take` the cues of one film in their order. Those written for every picture mostly repeat what was
    measured ten times a second: a cue that says nothing new makes no sample for so long.

    Vertical speed is left out: no film that is known tells whether DJI counts it upwards.
    """

    def __init__(self, aircraft_id: str) -> None:
        self._known = TelemetrySample(aircraft_id, 0)
        self._news: News = {}

    @property
    def clock(self) -> ClockState | None:
        """None: a film is not of today, whatever it says of the time."""
        return None

    def take(self, metadata: Metadata) -> list[TelemetrySample]:
        """One sample, or none of a cue that says nothing of the aircraft."""
        news = _fields(parse_cue(metadata.data.decode("utf-8", errors="replace")))
        if not news or (news == self._news and 0 <= metadata.utc_ns - self._known.utc_ns < REPEAT_NS):
            return []
        self._news = news
        self._known = updated(self._known, news, metadata.utc_ns)
        return [self._known]


def _fields(cue: DjiCue) -> News:
    news: News = {}
    if cue.lat_deg is not None or cue.rel_alt_m is not None:
        news[Group.POSITION] = {
            "lat_deg": cue.lat_deg,
            "lon_deg": cue.lon_deg,
            "alt_msl_m": cue.abs_alt_m,
            "alt_home_m": cue.rel_alt_m,
        }
    if cue.satellites is not None:
        news[Group.FIX] = {"satellites": cue.satellites}
    if cue.home is not None:
        news[Group.HOME] = {"home": Place(*cue.home, cue.home_alt_m)}
    if cue.horizontal_speed_ms is not None:
        news[Group.SPEED] = {"ground_speed_ms": cue.horizontal_speed_ms}
    if cue.aircraft is not None:
        news[Group.ATTITUDE] = _angles(cue.aircraft, "")
    if cue.gimbal is not None:
        news[Group.GIMBAL] = _angles(cue.gimbal, "gimbal_")
    return news


def _angles(angles: Angles, of: str) -> dict[str, float]:
    return {
        f"{of}pitch_deg": angles.pitch_deg,
        f"{of}roll_deg": angles.roll_deg,
        f"{of}yaw_deg": compass_deg(angles.yaw_deg),
    }
