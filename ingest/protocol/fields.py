"""Joins the two fields of an interlaced H.264 frame, which come as two pictures, to one access unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flow.clock import NS_PER_MS
from flow.codec.fields import Field, are_pair, field_of
from flow.codec.nal import H264
from flow.codec.parameter_sets import FieldSyntax, parse_field_syntax
from flow.errors import MalformedError

from .events import SourcePicture

HOLD_MOST_NS = 100 * NS_PER_MS
"""The second field comes half a frame after the first: 20 ms at 25 frames a second."""

_DELIMITER = 9


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """A picture of the source with its NAL units; `nals` counts, not `source.data`."""

    source: SourcePicture
    nals: list[bytes]


class FieldPairs:
    """Pictures in, frames out, in order. Only a first field waits: for the next picture or HOLD_MOST_NS.

    A pair has the times of its first field and is damaged where either of the two is. A field whose fellow
    is lost goes on alone. Streams whose SPS allows no fields pass untouched.
    """

    def __init__(self) -> None:
        self._syntax: FieldSyntax | None = None
        self._held: tuple[CodedPicture, Field] | None = None

    def follow(self, sps: bytes) -> None:
        """From now on the slices refer to this H.264 SPS."""
        try:
            self._syntax = parse_field_syntax(sps)
        except MalformedError:
            self._syntax = None

    def drop(self) -> None:
        """What is held will not be completed."""
        self._held = None

    def push(self, picture: CodedPicture) -> list[CodedPicture]:
        """Take the next picture; return what is complete with it."""
        if self._syntax is None and self._held is None:
            return [picture]
        field = self._single_field(picture.nals)
        if self._held is not None and field is not None and are_pair(self._held[1], field):
            pair = _joined(self._held[0], picture)
            self._held = None
            return [pair]
        before = self._release()
        if field is None:
            return [*before, picture]
        self._held = picture, field
        return before

    def overdue(self, now_ns: int) -> list[CodedPicture]:
        """The field that has waited too long, if any."""
        if self._held is None or now_ns - self._held[0].source.arrival_ns < HOLD_MOST_NS:
            return []
        return self._release()

    def _release(self) -> list[CodedPicture]:
        held, self._held = self._held, None
        return [] if held is None else [held[0]]

    def _single_field(self, nals: list[bytes]) -> Field | None:
        """The field that these NAL units are of; None for a frame, and for two fields sent together."""
        first_slices = [nal for nal in nals if H264.is_slice(nal) and H264.starts_picture(nal)]
        if self._syntax is None or len(first_slices) != 1:
            return None
        try:
            return field_of(first_slices[0], self._syntax)
        except MalformedError:
            return None


def _joined(first: CodedPicture, second: CodedPicture) -> CodedPicture:
    """One access unit of both; a delimiter in the middle would cut it in two again (H.264 7.4.1.2.3)."""
    rest = [nal for nal in second.nals if H264.type_of(nal) != _DELIMITER]
    source = replace(first.source, damaged=first.source.damaged or second.source.damaged)
    return CodedPicture(source, first.nals + rest)
