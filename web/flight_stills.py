"""A picture of a recorded flight in full size, with its time and place in it, as the live still has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import av
import msgspec

from flow.codec.exif import Shot, with_exif
from flow.errors import UnavailableError
from flow.flights import Feed
from flow.units import UtcOrigin, captured_ns
from ingest.picture_run import PictureRun, Shown, bgr, jpeg_of
from ingest.protocol.shots import shot_of
from recordings.export.order import Region
from recordings.export.painting import painted
from recordings.export.reel import RECOVERIES, begins_anew
from recordings.export.regions import hide
from recordings.flight_file import FlightFile
from recordings.shown_picture import ShownPicture, shown_picture

from .flight_index import flight_in
from .flight_past import cameras_of, past_of

_ATTEMPTS = 4
"""Keyframes that are tried: right after one, pictures may need what was before it (open groups, intra
refresh)."""


class StillQuestion(msgspec.Struct, frozen=True):
    """What the process that decodes is asked."""

    folder: str
    feed_id: str
    utc_ns: int


class RecordedStill(msgspec.Struct, frozen=True):
    """A JPEG with EXIF; `utc_ns` is when it was taken, and by whose clock; `told_ns` the same as the feed's
    index tells it."""

    jpeg: bytes
    utc_ns: int
    utc_origin: UtcOrigin
    told_ns: int


def answer_still(question: StillQuestion) -> bytes:
    """Blocking: for the process that decodes."""
    folder = Path(question.folder)
    return msgspec.msgpack.encode(still_of(folder, flight_in(folder), question.feed_id, question.utc_ns))


def still_of(
    folder: Path, flight: FlightFile, feed_id: str, utc_ns: int, regions: Sequence[Region] = ()
) -> RecordedStill:
    """The picture that was shown at a moment, which is told as the feed's index tells it. Decodes for up to
    seconds: for a process of its own. `regions` of it are made unrecognisable.

    Raises NotFoundError ("no_picture"), UnavailableError ("decoder_failed").
    """
    found = shown_picture(folder, feed_id, utc_ns)
    frame = _decoded(found).frame
    if regions:
        frame = painted(frame, partial(hide, regions=regions))
    feed = next(
        (f for f in cameras_of(flight) if f.id == feed_id), Feed(feed_id, flight.aircraft_id, feed_id)
    )
    origin = found.picture.utc_origin
    taken_ns = captured_ns(found.picture.utc_ns, origin, feed.air_link_ms)
    shot = Shot(
        taken_ns,
        frame.width,
        frame.height,
        description=f"Feed {feed_id} of aircraft {flight.aircraft_id}, recorded flight {flight.id}",
        comment=f"feed={feed_id} flight={flight.id} time_origin={origin}",
    )
    sample = past_of(folder, flight).sample(taken_ns)
    jpeg = with_exif(jpeg_of(bgr(frame)), shot_of(feed, sample, shot))
    return RecordedStill(jpeg, taken_ns, origin, found.picture.utc_ns)


def _decoded(found: ShownPicture) -> Shown:
    why = "it follows no keyframe"
    for keyframe_90k in islice(_starts(found), _ATTEMPTS):
        try:
            shown = _decoded_from(found, keyframe_90k)
        except (av.FFmpegError, ValueError, MemoryError) as error:
            why = str(error)
            continue
        if shown is not None:
            return shown
        why = "it did not come out of the decoder"
    raise UnavailableError(f"that picture cannot be decoded: {why}", code="decoder_failed")


def _starts(found: ShownPicture) -> Iterator[int]:
    """Keyframes to begin at, the nearest first, but recovery points only where the picture has been mended
    since; and where there is nothing else, the first."""
    told = None
    for back, told in enumerate(found.keyframes_90k):
        unit = next(found.units(told), None)
        if back >= RECOVERIES or (unit is not None and begins_anew(unit)):
            yield told
    if told is not None and len(found.keyframes_90k) <= RECOVERIES:
        yield told


def _decoded_from(found: ShownPicture, keyframe_90k: int) -> Shown | None:
    run: PictureRun | None = None
    for unit in found.units(keyframe_90k):
        run = run or PictureRun(unit)
        for shown in run.decode(unit):
            if shown.unit.pts_90k >= found.picture.pts_90k:  # they come in the order of showing
                return shown if shown.unit.pts_90k == found.picture.pts_90k else None
    held_back = run.flush() if run else []
    return next((each for each in held_back if each.unit.pts_90k == found.picture.pts_90k), None)
