"""What a source tells about itself. A source publishes these; a Feed (feed.py) makes sense of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from flow.samples import MetadataKind
from flow.units import Codec


@dataclass(frozen=True, slots=True)
class Opened:
    """The source listens or reads, at `address` (with the real port where the kernel chose one).

    Its timestamps wrap at `timestamp_bits`.
    """

    address: str
    timestamp_bits: int


@dataclass(frozen=True, slots=True)
class Awaited:
    """Pictures are brought to us and nobody does yet, so none are due; one line that says where they may."""

    detail: str


@dataclass(frozen=True, slots=True)
class WaysOff:
    """By these protocols no publisher can come just now: a reason code of each."""

    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class Gone:
    """Whoever brought pictures has left, or cannot come: a reason code and one line. Another may come."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Something usable arrived, though perhaps no whole picture yet; a picture says so by itself."""


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Parameter sets that a container holds beside the pictures, as Annex B."""

    codec: Codec
    data: bytes


@dataclass(frozen=True, slots=True)
class SourcePicture:
    """One picture as Annex B bytes with the source's own times, wrapped at the source's width, 90 kHz.

    `dts` is None where the transport carries only presentation times (RTP). `damaged`: something is missing.
    """

    codec: Codec
    data: bytes
    pts: int
    dts: int | None
    arrival_ns: int
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a decoder must know beside the pictures: libav's name of the codec, and what a container says."""

    codec: str
    extradata: bytes = b""
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True, slots=True)
class ForeignPicture:
    """One picture of a codec that does not travel, with times as of a SourcePicture: it has to be transcoded
    first (ingest/foreign.py)."""

    info: StreamInfo
    data: bytes
    pts: int
    dts: int
    arrival_ns: int


@dataclass(frozen=True, slots=True)
class SourceMetadata:
    """One unit of telemetry from within the stream, with `pts` as of a SourcePicture; None where the stream
    does not say which picture it belongs to."""

    kind: MetadataKind
    data: bytes
    pts: int | None
    arrival_ns: int


@dataclass(frozen=True, slots=True)
class Transcoded:
    """The pictures that follow were made of another codec: a note of the UI catalogue, "" for none."""

    note: str


@dataclass(frozen=True, slots=True)
class ClockReport:
    """The source's clock says: the picture with timestamp `pts` was captured at `capture_ns` (UTC)."""

    capture_ns: int
    pts: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """Another run of the source has taken over on the same connection; its clock begins anew."""


@dataclass(frozen=True, slots=True)
class PacketsLost:
    """That many packets more never arrived."""

    count: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something arrived that is not for us: a reason code and one line that says what it was."""

    reason: str
    detail: str


SourceEvent: TypeAlias = (
    Opened
    | Awaited
    | WaysOff
    | Gone
    | Heard
    | ParameterSets
    | SourcePicture
    | ForeignPicture
    | SourceMetadata
    | Transcoded
    | ClockReport
    | Restarted
    | PacketsLost
    | Unusable
)
