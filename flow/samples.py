"""Telemetry: one assembled state of one aircraft, and the raw bytes it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .source_clock import ClockState
from .units import UtcOrigin


class Group(StrEnum):
    """Fields of a TelemetrySample that come from the same messages and so share one age."""

    POSITION = "position"  # lat, lon, alt_*
    ATTITUDE = "attitude"  # roll, pitch, yaw
    SPEED = "speed"  # ground speed, climb
    GIMBAL = "gimbal"
    BATTERY = "battery"
    FIX = "fix"  # fix, satellites
    MODE = "mode"  # mode, armed, landed, fence_breached
    HOME = "home"
    LINK = "link"
    CAMERA = "camera"  # field of view, frame centre

    __hash__ = str.__hash__  # enum's own is Python, and every message looks several of these up


@dataclass(frozen=True, slots=True)
class Place:
    """A point in WGS84: degrees, and metres above mean sea level where known."""

    lat_deg: float
    lon_deg: float
    alt_msl_m: float | None = None


@dataclass(frozen=True, slots=True)
class TelemetrySample:
    """What is known of an aircraft at `utc_ns` (Lagebild time). **None means unknown**, never the last value.

    Yaw is true north, 0 to 360. Gimbal angles are the camera axis in the earth frame: pitch -90 looks
    straight down, yaw is true north; None without an attitude to convert a body-frame source with.
    `gimbal_roll_deg` turns the picture about its axis, positive clockwise as seen from the camera; it is None
    for a gimbal that holds the picture level or does not tell. `hfov_deg`, `vfov_deg` and `frame_centre` are
    what the aircraft itself says of its camera (MISB ST 0601, CAMERA_FOV_STATUS). `h_accuracy_m` and
    `v_accuracy_m` are standard deviations of the fix.

    `received_ns` holds, per group, when its newest message was received (Lagebild time); a group that never
    came is missing there and all its fields are None. `utc_ns` is the newest of them.
    """

    aircraft_id: str
    utc_ns: int
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_msl_m: float | None = None
    alt_home_m: float | None = None
    alt_agl_m: float | None = None
    roll_deg: float | None = None
    pitch_deg: float | None = None
    yaw_deg: float | None = None
    gimbal_pitch_deg: float | None = None
    gimbal_yaw_deg: float | None = None
    ground_speed_ms: float | None = None
    climb_ms: float | None = None
    battery_pct: float | None = None
    battery_v: float | None = None
    fix: str | None = None  # "none" | "2d" | "3d" | "dgps" | "rtk_float" | "rtk_fixed" (GPS_FIX_TYPE)
    satellites: int | None = None
    mode: str | None = None
    armed: bool | None = None
    landed: str | None = None  # "on_ground" | "in_air" | "takeoff" | "landing" (MAV_LANDED_STATE)
    home: Place | None = None
    link_quality_pct: float | None = None
    gimbal_roll_deg: float | None = None
    hfov_deg: float | None = None
    vfov_deg: float | None = None
    frame_centre: Place | None = None
    h_accuracy_m: float | None = None
    v_accuracy_m: float | None = None
    fence_breached: bool | None = None  # FENCE_STATUS: it is outside its geofence; of the group MODE
    received_ns: dict[Group, int] = field(default_factory=dict)

    @property
    def forgets(self) -> bool:
        """Whether it says that whatever was known is of another flight, which is over: nothing is in it."""
        return not self.received_ns and self == TelemetrySample(self.aircraft_id, self.utc_ns)


class MetadataKind(StrEnum):
    """What a feed's stream carries beside its pictures."""

    KLV = "klv"  # one MISB local or universal set, behind its 16-byte key
    GPMF = "gpmf"  # the payload of one sample of an MP4's `gpmd` track
    DJI = "dji"  # the text of one subtitle


@dataclass(frozen=True, slots=True)
class Metadata:
    """One unit of telemetry that came within a feed's stream, as it came.

    `utc_ns` is Lagebild time: that of the picture it belongs to (`pts_90k`, on the feed's own timeline) where
    the stream says which (synchronous KLV, tracks of a file), else its arrival. `utc_origin` is as of an
    AccessUnit: what is told by its arrival came by the pictures' radio link. Nothing of it is checked yet.
    """

    feed_id: str
    kind: MetadataKind
    utc_ns: int
    data: bytes
    pts_90k: int | None = None
    utc_origin: UtcOrigin = UtcOrigin.ARRIVAL


@dataclass(frozen=True, slots=True)
class RawTelemetry:
    """One message of an aircraft, as it came and once: what the recorder writes as a .tlog record."""

    aircraft_id: str
    link: str
    utc_ns: int  # arrival, Lagebild time
    data: bytes


class Severity(StrEnum):
    """MAV_SEVERITY, lower case."""

    EMERGENCY = "emergency"
    ALERT = "alert"
    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True, slots=True)
class StatusText:
    """A STATUSTEXT of an aircraft, chunks joined (MAVLink 2 `id`, `chunk_seq`); delivered as an event."""

    id: str
    aircraft_id: str
    utc_ns: int
    severity: Severity
    text: str


class LinkStatus(StrEnum):
    """What a telemetry link is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    SILENT = "silent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LinkState:
    """State of the telemetry link of one aircraft, with what was counted on it.

    `reason` is a code of the UI catalogue, `detail` one clear English line for log and API.
    `unassigned_system_ids` are heard but belong to no configured aircraft: "unbekannt, SysID 2".
    """

    aircraft_id: str
    link: str
    status: LinkStatus
    since_ns: int
    reason: str = ""
    detail: str = ""
    address: str = ""  # where it really listens, once bound
    messages: int = 0
    bad_bytes: int = 0
    duplicates: int = 0
    lost: int = 0
    unassigned_system_ids: tuple[int, ...] = ()
    unsigned: int = 0  # messages refused because their MAVLink 2 signature is missing, wrong or replayed
    clock: ClockState | None = None
    implausible: int = 0  # positions held back because the aircraft cannot have got there


@dataclass(frozen=True, slots=True)
class ForwardState:
    """LATEST: the read-only share of an aircraft's MAVLink with ground stations.

    `stations` are the addresses that listen now. What they sent was dropped, all of it: `commands` counts
    what would have changed something, `requests` what ground stations ask for by themselves. `lost` are
    messages that stations were too slow for.
    """

    aircraft_id: str
    addresses: tuple[str, ...] = ()  # where it really listens or sends
    stations: tuple[str, ...] = ()
    messages: int = 0
    commands: int = 0
    requests: int = 0
    lost: int = 0
    last_command: str = ""  # what and who sent it, "COMMAND_LONG COMPONENT_ARM_DISARM from 192.0.2.7:14550"
    reason: str = ""  # a code of the UI catalogue where an address cannot be used
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OutputState:
    """LATEST: one address that something is sent to: "cot:0" is the first of TAK, "ts:FEED" a feed's stream.

    `detail` is one line on why nothing gets there, "" where nothing is known to be wrong: by UDP nobody says
    that it came.
    """

    output_id: str
    to: str
    open: bool = False
    sent: int = 0  # events, or datagrams
    dropped: int = 0  # what did not fit, or was replaced by what is newer
    detail: str = ""
