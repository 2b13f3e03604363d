"""Who flies and what happens: aircraft, feeds and their states, incidents, flights, events."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from .errors import ConfigError
from .units import CodecConfig, Rendition

ID_PATTERN = re.compile(r"[a-z0-9-]{1,32}")


def checked_id(value: str, where: str) -> str:
    """Return `value` if it is a legal aircraft or feed id, else raise ConfigError naming `where`."""
    if not ID_PATTERN.fullmatch(value):
        raise ConfigError(f"{where}: '{value}' is no id; use 1 to 32 of a-z, 0-9 and '-'")
    return value


@dataclass(frozen=True, slots=True)
class Feed:
    """One camera of one aircraft; ids are unique in the installation."""

    id: str
    aircraft_id: str
    name: str
    air_link_ms: float = 0.0  # added to ages that count from arrival
    hfov_deg: float | None = None
    mount_pitch_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Aircraft:
    """One aircraft and its cameras."""

    id: str
    name: str
    feeds: tuple[Feed, ...] = ()


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
    ("b_frames", "codec_h265", ...). Counters run since the service started.
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
    """Somebody needs a keyframe; sources that can, ask for one."""

    feed_id: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RenditionWanted:
    """A lease: the rendition is made until `until_ns` unless asked for again."""

    feed_id: str
    rendition: Rendition
    until_ns: int


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
    """A place somebody marked."""

    id: str
    aircraft_id: str
    utc_ns: int
    lat_deg: float
    lon_deg: float
    label: str
    by: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something people must know now; `code` and `values` are for the UI catalogue."""

    id: str
    aircraft_id: str
    utc_ns: int
    code: str
    values: dict[str, str] = field(default_factory=dict)


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
    """Opened, renamed and closed by people; holds aircraft and flights, also afterwards."""

    id: str
    kind: IncidentKind
    name: str
    opened_ns: int
    closed_ns: int | None = None
    aircraft_ids: tuple[str, ...] = ()
    flight_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flight:
    """One take-off to landing of one aircraft with all its feeds; decided by recordings alone."""

    id: str  # 20261122t044900z-fritz: UTC start and aircraft
    aircraft_id: str
    started_ns: int
    ended_ns: int | None = None
    feed_ids: tuple[str, ...] = ()
