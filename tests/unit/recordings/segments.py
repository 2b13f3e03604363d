"""Pictures of a film as they travel on the bus, and segments made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import dropwhile
from pathlib import Path

from flow.codec.annexb import split_nal_units
from flow.units import AccessUnit, Rendition, UtcOrigin
from recordings.footage import open_video
from recordings.protocol.segment import SegmentMachine
from tests.fakes.clock import START_NS

START_90K = START_NS * 9 // 100_000


def filmed(path: Path, feed_id: str = "fritz-tag", fps: int = 25) -> list[AccessUnit]:
    """The pictures of a film from its first keyframe on, with made-up times of capture."""
    footage = open_video(path, Fraction(fps))
    pictures = list(dropwhile(lambda picture: not picture.is_keyframe, footage.pictures()))
    zero_ns = pictures[0].dts_ns
    return [
        AccessUnit(
            feed_id=feed_id,
            rendition=Rendition.SOURCE,
            codec=footage.codec,
            epoch=3,
            seq=number,
            dts_90k=START_90K + (picture.dts_ns - zero_ns) * 9 // 100_000,
            pts_90k=START_90K + (picture.pts_ns - zero_ns) * 9 // 100_000,
            utc_ns=START_NS + picture.pts_ns - zero_ns + number,
            utc_origin=UtcOrigin.SOURCE if number % 2 else UtcOrigin.ARRIVAL,
            keyframe=picture.is_keyframe,
            data=picture.data,
        )
        for number, picture in enumerate(pictures)
    ]


def pieces(units: Sequence[AccessUnit]) -> list[bytes]:
    """What a machine hands out for them, the end of the segment last."""
    machine = SegmentMachine(units[0])
    parts = []
    for unit in units[1:]:
        assert machine.fits(unit)
        parts.append(machine.take(unit))
    return [*filter(None, parts), machine.close()]


def segment(units: Sequence[AccessUnit]) -> bytes:
    return b"".join(pieces(units))


def as_read_back(units: Iterable[AccessUnit]) -> list[AccessUnit]:
    """Every NAL unit behind a start code of four bytes."""
    start = b"\0\0\0\1"
    return [
        dataclasses.replace(unit, data=b"".join(start + nal for nal in split_nal_units(unit.data)))
        for unit in units
    ]
