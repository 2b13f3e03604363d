"""A recorded feed as browsers play it, piece by piece: which pieces there are, told as the feed's index.

Of a segment it is always the same ones, also while it grows, so that each can be made on its own and kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flow.clock import NS_PER_S
from flow.units import CLOCK_RATE_HZ
from recordings.protocol.segment_index import Fragment, SegmentIndex

from .flight_index import FragmentTable, IndexView, RecordedFeed, SegmentView, Stretch, index_view
from .views import ms

MIME = 'video/mp4; codecs="avc1.640028"'
"""H.264 High, level 4.0, as `web` renditions are: ingest/recoding.py."""
WHOLE_FILE = -1
PIECE_90K = 2 * CLOCK_RATE_HZ
"""So long at least, to the next keyframe: made within a second, for which a seek has to wait."""
LONGEST_90K = 8 * CLOCK_RATE_HZ
"""Where no keyframe comes; such a piece is decoded from the keyframe before."""
_GAP_90K = CLOCK_RATE_HZ
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a piece begins: what is shown at that time of the segment, taken at that moment."""

    at_90k: int
    utc_ns: int


def begins(fragments: Sequence[Fragment]) -> Iterator[Begin]:
    """Of every piece of a segment, in order."""
    newest: Begin | None = None
    delay_90k = end_90k = 0
    for each in fragments:
        own_90k = each.pts_90k - each.dts_90k
        delay_90k = own_90k if each.keyframe else delay_90k
        # As the feed's index puts it: what another fragment begins with may be shown after what follows.
        at_90k, ahead_90k = each.dts_90k + delay_90k, own_90k - delay_90k
        begin = Begin(at_90k, each.utc_ns - ahead_90k * NS_PER_S // CLOCK_RATE_HZ)
        if newest is None or _is_due(each, at_90k - newest.at_90k, each.dts_90k - end_90k):
            newest = begin
            yield begin
        end_90k = each.end_90k


def _is_due(fragment: Fragment, since_90k: int, pause_90k: int) -> bool:
    return since_90k >= LONGEST_90K or (
        fragment.keyframe and (since_90k >= PIECE_90K or pause_90k >= _GAP_90K)
    )


def span_of(index: SegmentIndex, piece: int, *, grows: bool) -> tuple[int, int] | None:
    """From when to before when a piece is shown; None where there is none. Of a segment that grows, the last
    one's end is not known yet."""
    ends = [begin.at_90k for begin in begins(index.fragments)]
    if not grows:
        ends.append(_NEVER)
    return (ends[piece], ends[piece + 1]) if piece + 1 < len(ends) else None


def web_index_view(feed: RecordedFeed, stretch: Stretch | None) -> IndexView:
    """The feed's index with a file of its own for each piece."""
    view = index_view(feed, None)
    zero_90k = feed.segments[0][1].fragments[0].pts_90k if feed.segments else 0
    span_ns = stretch.within(feed.flight) if stretch else (0, 0)
    segments = [
        _segment_view(each, index, zero_90k, span_ns, feed)
        for each, (_, index) in zip(view.segments, feed.segments, strict=True)
    ]
    playable = bool(segments)
    return dataclasses.replace(
        view, playable=playable, reason="" if playable else "no_segments", segments=segments
    )


def _segment_view(
    view: SegmentView, index: SegmentIndex, zero_90k: int, span_ns: tuple[int, int], feed: RecordedFeed
) -> SegmentView:
    last = index.fragments[-1]
    end = Begin(last.end_90k, last.utc_ns + (last.end_90k - last.dts_90k) * NS_PER_S // CLOCK_RATE_HZ)
    ends = [*begins(index.fragments), *([] if view.open else [end])]  # the last one's is not known yet
    table = FragmentTable()
    folder = f"/api/v1/flights/{feed.flight.id}/feeds/{feed.feed_id}/web"
    for piece, (begin, following) in enumerate(pairwise(ends)):
        if begin.utc_ns < span_ns[1] and following.utc_ns > span_ns[0]:
            table.offset.append(0)
            table.size.append(WHOLE_FILE)
            table.media_ms.append(round((begin.at_90k - zero_90k) * 1000 / CLOCK_RATE_HZ, 3))
            table.utc_ms.append(ms(begin.utc_ns))
            table.keyframe.append(True)
            table.url.append(f"{folder}/{view.number}-{piece}.mp4")
    return dataclasses.replace(view, mime=MIME, init_bytes=0, fragments=table)
