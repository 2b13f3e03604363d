"""Who flies and what happens: aircraft, feeds and their states, incidents, flights, events."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from .errors import ConfigError
from .recording import RecordKind
from .source_clock import ClockState
from .units import CodecConfig, Rendition

ID_PATTERN = re.compile(r"[a-z0-9-]{1,32}")


def checked_id(value: str, where: str) -> str:
    """Return `value` if it is a legal aircraft or feed id, else raise ConfigError naming `where`."""
    if not ID_PATTERN.fullmatch(value):
        raise ConfigError(f"{where}: '{value}' is no id; use 1 to 32 of a-z, 0-9 and '-'")
    return value


class Unsecured(StrEnum):
    """Who may send to an input that carries no key."""

    LOCAL = "local"  # programs on this machine
    NAMED = "named"  # the senders that the settings name; an address can be forged


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Where something on the ground is with a probability of 95 %: metres, and degrees from true north."""

    semi_major_m: float
    semi_minor_m: float
    bearing_deg: float  # of the major axis, 0 to 180


@dataclass(frozen=True, slots=True)
class Feed:
    """One camera of one aircraft; ids are unique in the installation."""

    id: str
    aircraft_id: str
    name: str
    air_link_ms: float = 0.0  # added to ages that count from arrival
    hfov_deg: float | None = None
    mount_pitch_deg: float | None = None
    unsecured: Unsecured | None = None  # None: whoever brings its pictures is known
    training: bool = False  # a recording that is played for an exercise: marked wherever it shows
    thermal: bool = False  # it sees heat: nobody is recognised in its pictures


@dataclass(frozen=True, slots=True)
class Aircraft:
    """One aircraft and its cameras. `unsecured` is of its telemetry."""

    id: str
    name: str
    feeds: tuple[Feed, ...] = ()
    unsecured: Unsecured | None = None
    training: bool = False


class SourceStatus(StrEnum):
    """What ingest knows of a source. Never the state of the picture, which only the page can judge."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"  # pictures have stopped, the source is not given up yet
    LOST = "lost"  # no picture for 10 s, or the source failed; a retry is due


@dataclass(frozen=True, slots=True)
class SourceState:
    """LATEST state of a feed's source.

    `reason` is a code of the UI catalogue ("port_in_use", "no_keyframe", ...), `detail` one clear English
    line that says what and where. `notes` are codes of lasting properties a viewer must know of
    ("b_frames", "codec_h265", ...). `ways_off` are the protocols, of those that publishers may come by, that
    are not to be had just now, each with a code like `reason`. Counters run since the service started.
    """

    feed_id: str
    status: SourceStatus
    since_ns: int
    reason: str = ""
    detail: str = ""
    address: str = ""  # where it really listens or reads, once bound
    config: CodecConfig | None = None
    notes: tuple[str, ...] = ()
    epoch: int = 0
    fps: float | None = None
    bitrate_bps: float | None = None
    pictures: int = 0
    lost_packets: int = 0
    damaged: int = 0  # pictures thrown away because they could not be whole
    restarts: int = 0
    ways_off: dict[str, str] = field(default_factory=dict)
    clock: ClockState | None = None


UNFIT_NOTES = frozenset(
    {"codec_h265", "chroma", "interlaced", "b_frames", "intra_refresh", "keyframe_interval_long"}
)
"""Notes of a SourceState for which `web` is made: without any of them the source is that already."""


@dataclass(frozen=True, slots=True)
class PictureHealth:
    """LATEST: what looking at a feed's decoded pictures says of its camera; () findings: nothing is wrong.

    Findings are codes of the UI catalogue: "black", "frozen", "covered", "blurred". `since_ns` is when they
    became these. The figures are of the newest sample, for whoever wants to know why; see
    ingest/protocol/health.py.
    """

    feed_id: str
    since_ns: int
    findings: tuple[str, ...] = ()
    luma: float | None = None  # mean brightness, 0 to 255
    sharpness: float | None = None  # 1: as sharp as pictures are, 0: no edge left; None: nothing to judge by
    still_s: float | None = None  # how long the pictures have been the same
    covered: float | None = None  # share of the picture that is dark and empty


@dataclass(frozen=True, slots=True)
class KeyframeWanted:
    """Somebody needs a keyframe of a rendition. Sources that can, ask for one; an encoder makes one of the
    next picture, though not twice within half a second."""

    feed_id: str
    utc_ns: int
    rendition: Rendition = Rendition.SOURCE


@dataclass(frozen=True, slots=True)
class RenditionWanted:
    """A lease on `web` or `low`: ingest makes it until `until_ns` unless asked for again.

    Whoever has viewers on a rendition publishes one at once and then every 2 s, with `until_ns` 4 s ahead; it
    lets the lease run out when the last one has gone. The latest `until_ns` of everybody's leases counts, at
    most a minute ahead. The encoder ends 3 s after it, so that a viewer who comes back finds it running.

    What comes of it: AccessUnits of that rendition, the first a keyframe of the present picture, with the
    `pts_90k`, `utc_ns`, `utc_origin` and `epoch` of the source's pictures and `dts_90k == pts_90k`; and
    RenditionStates. Pictures may be missing (RenditionState.dropped), `seq` counts those that are there. Two
    seconds at most lie between keyframes, all of them IDR. A group that the bus has cached of a rendition
    that is not LIVE is what was left when it ended: do not show it.
    """

    feed_id: str
    rendition: Rendition
    until_ns: int


class RenditionStatus(StrEnum):
    """What ingest does about a rendition."""

    OFF = "off"  # nobody needs it, or `reason` says why it is not made
    STARTING = "starting"  # the encoder runs; no picture of it yet
    LIVE = "live"  # pictures come
    FAILED = "failed"  # the encoder ended or cannot run; a retry is due while somebody needs it


@dataclass(frozen=True, slots=True)
class RenditionState:
    """LATEST state of a rendition that ingest makes of a feed, told while somebody needs it, once a second.

    `why` are the notes of the source for which it is made ("b_frames", "codec_h265", ...) and "scaled" where
    it is smaller than the source. `reason` is a code of the UI catalogue: "" while all is well, "not_needed"
    (OFF: `web` of a source that is fit for browsers as it is), "no_source" and "waiting_for_keyframe"
    (STARTING), "encoder_slow" (LIVE, but pictures are left out to stay on time), "encoder_unknown",
    "encoder_failed" (FAILED); `detail` is one clear English line. `cpu_share` is measured, of one core.
    `delay_ms` is what making it adds to the age of a picture (median). Counters run since somebody needs it.
    """

    feed_id: str
    rendition: Rendition
    status: RenditionStatus
    since_ns: int
    reason: str = ""
    detail: str = ""
    why: tuple[str, ...] = ()
    encoder: str = ""  # libav's name of it, "libx264"
    width_px: int | None = None
    height_px: int | None = None
    fps: float | None = None
    bitrate_bps: float | None = None  # of the last seconds, at most `limit_bps`
    limit_bps: int | None = None
    cpu_share: float | None = None
    delay_ms: float | None = None
    pictures: int = 0
    dropped: int = 0  # pictures of the source that were left out to stay on time
    restarts: int = 0  # of the encoder, since somebody needs it


# --- EVENTS: ordered, at least once, idempotent by `id` -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Armed:
    id: str
    aircraft_id: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class Disarmed:
    id: str
    aircraft_id: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RecordingSwitch:
    """Recording of an aircraft switched by a person."""

    id: str
    aircraft_id: str
    utc_ns: int
    on: bool
    by: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A place somebody marked; seen by everybody. `utc_ns` is the moment of the picture it was marked in.

    `error` is how far off the place may be: the semi-axes and the bearing of the 95 % ellipse. A later Marker
    of the same `marker_id` replaces it; with `removed`, it is gone.
    """

    id: str
    aircraft_id: str
    utc_ns: int
    lat_deg: float
    lon_deg: float
    label: str
    by: str
    marker_id: str = ""  # "": that of the event itself
    feed_id: str = ""  # "": marked on the map
    alt_msl_m: float | None = None
    error: Ellipse | None = None
    removed: bool = False


class AlarmLevel(StrEnum):
    """How much it matters now."""

    ALARM = "alarm"  # act
    WARNING = "warning"  # watch


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something people must know now; `code` and `values` are for the UI catalogue.

    It stands from the event with `active` until the one without, which has the same aircraft and code.
    """

    id: str
    aircraft_id: str
    utc_ns: int
    code: str
    values: dict[str, str] = field(default_factory=dict)
    level: AlarmLevel = AlarmLevel.ALARM
    active: bool = True


@dataclass(frozen=True, slots=True)
class FlightStarted:
    id: str
    aircraft_id: str
    flight_id: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class FlightEnded:
    id: str
    aircraft_id: str
    flight_id: str
    utc_ns: int


class IncidentKind(StrEnum):
    EINSATZ = "einsatz"
    UEBUNG = "uebung"


@dataclass(frozen=True, slots=True)
class Incident:
    """Opened, renamed and closed by people; holds aircraft and flights, also afterwards.

    `record` is what is recorded of its flights, as `record_by` has said; None: what the settings say.
    """

    id: str
    kind: IncidentKind
    name: str
    opened_ns: int
    closed_ns: int | None = None
    aircraft_ids: tuple[str, ...] = ()
    flight_ids: tuple[str, ...] = ()
    record: tuple[RecordKind, ...] | None = None
    record_by: str = ""


@dataclass(frozen=True, slots=True)
class Flight:
    """One take-off to landing of one aircraft with all its feeds; decided by recordings alone."""

    id: str  # 20261122t044900z-fritz: UTC start and aircraft
    aircraft_id: str
    started_ns: int
    ended_ns: int | None = None
    feed_ids: tuple[str, ...] = ()
