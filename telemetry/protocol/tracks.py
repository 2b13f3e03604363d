"""What comes within a feed's stream, or from a file beside it, made telemetry of one aircraft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from flow.samples import Metadata, MetadataKind, StatusText, TelemetrySample
from flow.source_clock import ClockState

from .track_klv import KlvTrack

TrackItem: TypeAlias = TelemetrySample | StatusText


class TrackAssembler(Protocol):
    """Metadata of one kind in, what it says of one aircraft out. Pure: no clock but what it is told.

    A sample's `utc_ns`, and its `received_ns`, are Lagebild time: `metadata.utc_ns`, or so much later as the
    format says where one unit tells of several moments. Those may lie ahead; telemetry/tracks.py waits for
    them.
    """

    @property
    def clock(self) -> ClockState | None:
        """The sender's own clock beside Lagebild time; None where the format has none."""
        ...

    def take(self, metadata: Metadata) -> Sequence[TrackItem]:
        """Take the next unit; return what it says, in order of time; empty: nothing of use.

        Raises MalformedError where it is broken; its `code` becomes the link's reason ("bad_checksum").
        """
        ...


MakeTrack: TypeAlias = Callable[[str], TrackAssembler]
"""Takes the aircraft's id."""

TRACKS: dict[MetadataKind, MakeTrack] = {
    MetadataKind.KLV: KlvTrack,
}
"""Every kind there is an assembler for."""
