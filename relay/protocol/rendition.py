"""Which rendition a viewer is sent: down fast when its way is too narrow, up when it is found wide enough.

There are two steps: *full* (the source, or `web` where a browser cannot show that) and *low*. What a viewer
tells of its way counts only as far as it can be trusted:

- Loss over 15 % is congestion in two reports; over 40 % in one, if the viewer asks for nothing again. Less
  may be a bad radio link, which resending repairs, as long as the viewer does not ask for keyframes as well.
- Chromium's estimate (REMB) is little above, and now and then below, what it is being sent. It counts only
  where it is low while the round trip has grown: then a queue is filling.
- What it asks for again is known a second before its report: a third of what it was sent is congestion, if
  that goes on. After an outage all that was sent meanwhile is asked for at one moment, and then it is over.
- A backlog that does not clear up is a way that does not take the stream, whatever the reports say (TCP).

Whether a way has become wide enough again is asked (protocol/probe.py), and then tried. If nothing tells, it
is tried after more calm, and against what was found out only now and then. A try that fails doubles the calm
that the next one needs.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import UNFIT_NOTES
from flow.units import Codec, CodecConfig, Rendition

CLEAR_LOSS = 0.15
HEAVY_LOSS = 0.40
REPORTS_APART_NS = 400 * NS_PER_MS
"""Loss is taken over a second; two reports that are nearer than this tell of the same one."""
UNREPAIRED_NS = NS_PER_S
"""By then what was lost at one moment has been sent again, and is lost no longer."""

BAD_LOSS = 0.02
"""What a good link loses less of; with it, keyframes asked for mean that resending does not repair."""
PLIS_WITHIN_NS = 5 * NS_PER_S

UNEASY_LOSS = 0.05
UNEASY_NS = 10 * NS_PER_S
"""Who has lost that much lately may need `low` soon: an encoder takes a second to start."""

MISSED = 0.35
MISSED_WITHIN_NS = 200 * NS_PER_MS
"""As a share of what was sent since then."""
MISSED_FOR_NS = 400 * NS_PER_MS
"""What is missed at one moment (an outage, however long) is seen for as long as the share is taken over, and
for as long as it takes to be judged twice."""
LEAST_SENT = 15

LOW_ESTIMATE = 0.7
HOLD_NS = 2500 * NS_PER_MS
"""On the way down, what so much is lost of only fills the queue that `low` has to pass; an encoder may take
so long to start."""
QUEUE_MS = 150.0
"""The round trip above its least that is a queue, which the stream itself has filled."""
DEEP_QUEUE_MS = 1000.0
"""A picture that waits for so long on its way is no longer live, though none is lost."""
PERSISTS_NS = NS_PER_S
LEAST_RTT_NS = 60 * NS_PER_S
"""For so long, up to twice that, the least round trip counts: a way may have become a longer one."""

SETTLES_NS = 2 * NS_PER_S
"""After a start: the cached group is sent faster than the stream, and may well lose something."""

SHOWN_CALM_NS = 3 * NS_PER_S
"""Where the way has been found wide enough."""
FIRST_CALM_NS = 8 * NS_PER_S
"""Where nothing tells."""
MOST_CALM_NS = 30 * NS_PER_S
"""That of both, however many tries have failed."""
DOUBTED_CALM_NS = 120 * NS_PER_S
MOST_DOUBTED_CALM_NS = 240 * NS_PER_S
"""Where it has been found too narrow: that may be a mistake, on a way whose delay is never twice the same."""
CALM_NS = NS_PER_S
"""Before anything is asked of a way."""
MOST_FAILED = 8  # what follows needs no more calm
FAILED_WITHIN_NS = 10 * NS_PER_S
"""Trouble that begins later is news of the way, not the try's fault."""
PROVEN_NS = 30 * NS_PER_S
"""Who has been sent the full picture for so long without trouble has a way that takes it."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a viewer's way at one moment.

    `loss` (0 to 1) and `rtt_ms` are of the report that came at `reported_ns`, `estimated_bps` was told at
    `estimated_ns`; they are None if that is too long ago. `way` is what tells one way from another: after a
    change the round trip begins anew. `stream_bps` is what it is sent and `pace_bps` what
    it may be sent. `fits` is what was found out of the full picture, None: nothing. Counters (`plis`,
    `times_late`, and in packets `sent` and `missed`) only rise.
    """

    stream_bps: float
    pace_bps: float
    loss: float | None = None
    reported_ns: int | None = None
    rtt_ms: float | None = None
    estimated_bps: float | None = None
    estimated_ns: int = 0
    way: object = None
    fits: bool | None = None
    sent: int = 0
    missed: int = 0
    plis: int = 0
    times_late: int = 0
    has_backlog: bool = False
    is_tcp: bool = False
    is_excused: bool = False
    """Whether the relay itself stood still just now: what waited, waited for that."""


class Lasting:
    """Since when something has been so without a break."""

    def __init__(self) -> None:
        self._since_ns: int | None = None

    @property
    def has_begun(self) -> bool:
        return self._since_ns is not None

    def is_so(self, now_ns: int, so: bool, for_ns: int = PERSISTS_NS) -> bool:
        """Tell that it is so, or not; whether it has been for that long."""
        if not so:
            self._since_ns = None
            return False
        if self._since_ns is None:
            self._since_ns = now_ns
        return now_ns - self._since_ns >= for_ns


class Missing:
    """The share of what was sent lately that the viewer has asked for again."""

    def __init__(self) -> None:
        self._before: deque[tuple[int, int, int]] = deque()  # when, sent, missed

    def share(self, sent: int, missed: int, now_ns: int) -> float:
        """Since MISSED_WITHIN_NS ago or a little longer; 0 while that is too little to tell."""
        before = self._before
        before.append((now_ns, sent, missed))
        while len(before) > 1 and now_ns - before[1][0] >= MISSED_WITHIN_NS:
            before.popleft()
        then_ns, sent_then, missed_then = before[0]
        if now_ns - then_ns < MISSED_WITHIN_NS or sent - sent_then < LEAST_SENT:
            return 0.0
        return (missed - missed_then) / (sent - sent_then)


class LeastRoundTrip:
    """The least of the last minute or two, on one way."""

    def __init__(self) -> None:
        self._least_ms = self._before_ms = math.inf
        self._since_ns = 0
        self._way: object = None
        self._changed_ns: int | None = None

    def grown_ms(self, signs: Signs, now_ns: int) -> float | None:
        """How much longer it is now; None: not known, or partly of the way before."""
        if signs.way != self._way:
            self._changed_ns = None if self._way is None else now_ns
            self._way, self._least_ms, self._before_ms = signs.way, math.inf, math.inf
        if signs.rtt_ms is None or self._is_before_change(signs.reported_ns or 0):
            return None
        if now_ns - self._since_ns >= LEAST_RTT_NS:
            self._least_ms, self._before_ms, self._since_ns = math.inf, self._least_ms, now_ns
        self._least_ms = min(self._least_ms, signs.rtt_ms)
        return signs.rtt_ms - min(self._least_ms, self._before_ms)

    def _is_before_change(self, reported_ns: int) -> bool:
        """Whether the sender report that was answered may have gone by the way before."""
        return self._changed_ns is not None and reported_ns - self._changed_ns < SETTLES_NS


class Estimate:
    """What the viewer estimates (REMB), of what it is sent since a move.

    `is_low` is far below that; once it has risen, and until it falls again, it only follows what is sent:
    after a move up for many seconds. `has_fallen` is far below what it was, too: a queue begins to fill.
    """

    def __init__(self) -> None:
        self.is_low = self.has_fallen = False
        self._bps = self._most_bps = 0.0
        self._rises = False

    def take(self, signs: Signs, began_ns: int) -> None:
        """The newest; what was told before `began_ns` was about what was sent before."""
        self.is_low = self.has_fallen = False
        if signs.estimated_bps is None or signs.estimated_ns <= began_ns:
            return
        if self._bps and signs.estimated_bps != self._bps:
            self._rises = signs.estimated_bps > self._bps
        self._bps = signs.estimated_bps
        self._most_bps = max(self._most_bps, self._bps)
        self.is_low = self._bps < LOW_ESTIMATE * signs.stream_bps and not self._rises
        self.has_fallen = self._bps < LOW_ESTIMATE * min(self._most_bps, signs.stream_bps)


class RenditionChoice:
    """Of one viewer. `low` is what it should be sent; `moved` tells that it is, `judge` what its way does."""

    def __init__(self, now_ns: int) -> None:
        self.low = False
        self._began_ns = now_ns  # with what it is being sent
        self._calm_ns = now_ns  # the last moment that was not calm
        self._uneasy_until_ns = now_ns
        self._failed = 0  # tries in a row
        self._choked_ns: int | None = None  # since when nothing that is sent is of use, until it is moved
        self._tries = False  # whether it was moved up, and that has not proven right yet
        self._awaits_move = False  # up: until the keyframe comes, what is seen is still `low`
        self._judged_report_ns: int | None = None
        self._lossy_ns: int | None = None  # the first of the reports in a row with clear loss
        self._round_trip = LeastRoundTrip()
        self._pli_ns: list[int] = []
        self._plis = 0
        self._times_late = 0
        self._forget()

    @property
    def awaits_move(self) -> bool:
        """Whether it was to be moved up: it is not judged before it has been `moved`."""
        return self._awaits_move

    @property
    def waits(self) -> bool:
        """Whether pictures waited too long when it was judged last: look soon whether they still do."""
        return self._backlog.has_begun

    def may_need_low(self, now_ns: int) -> bool:
        """Whether `low` should be made already, so that it is there at once."""
        return self.low or now_ns < self._uneasy_until_ns

    def is_calm(self, now_ns: int) -> bool:
        """Whether it is sent `low`, and that without any trouble: whether more would fit may be asked."""
        return self.low and now_ns - self._calm_ns >= CALM_NS

    def holds(self, now_ns: int) -> bool:
        """Whether it should be sent nothing until it is moved down."""
        return self._choked_ns is not None and now_ns - self._choked_ns < HOLD_NS

    def moved(self, now_ns: int) -> None:
        """It is sent the rendition that was chosen from now on: what came before was about the other one."""
        self._began_ns = self._calm_ns = now_ns
        self._awaits_move, self._choked_ns = False, None
        self._lossy_ns = None
        self._pli_ns.clear()
        self._forget()
        if self._tries:
            self._uneasy_until_ns = now_ns + UNEASY_NS

    def _forget(self) -> None:
        self._backlog, self._queue, self._deep, self._pace = Lasting(), Lasting(), Lasting(), Lasting()
        self._missing, self._missed, self._misses = Missing(), 0.0, Lasting()
        self._estimate = Estimate()

    def judge(self, signs: Signs, now_ns: int) -> None:
        """Look at its way; several times a second while there is something new, else about once."""
        self._estimate.take(signs, self._began_ns)
        narrow, behind = self._is_narrow(signs, now_ns), self._is_behind(signs, now_ns)
        if not self._tries and now_ns - self._began_ns < SETTLES_NS:
            narrow = behind = False
        behind &= not signs.is_excused
        trouble = narrow or behind
        # Who is behind on `low` by UDP is so by its pace alone, and that says nothing about what would go.
        if narrow or (behind and (signs.is_tcp or not self.low)) or (signs.loss or 0.0) > BAD_LOSS:
            self._calm_ns = now_ns
        lost = max(signs.loss or 0.0, self._missed)
        if self._estimate.has_fallen or trouble or lost > UNEASY_LOSS:
            self._uneasy_until_ns = now_ns + UNEASY_NS
        if self.low:
            if now_ns - self._calm_ns >= self._needs_calm_ns(signs.fits):
                self.low, self._tries, self._awaits_move = False, True, True
        elif self._awaits_move:
            pass
        elif trouble:
            self._go_down(signs, now_ns)
        elif now_ns - self._began_ns >= PROVEN_NS:
            self._tries, self._failed = False, 0

    def _go_down(self, signs: Signs, now_ns: int) -> None:
        if self._tries and now_ns - self._began_ns < FAILED_WITHIN_NS:
            self._failed = min(self._failed + 1, MOST_FAILED)
        if self._missed > MISSED or (signs.loss or 0.0) > HEAVY_LOSS:
            self._choked_ns = now_ns
        self.low, self._tries = True, False
        self._calm_ns = now_ns

    def _needs_calm_ns(self, fits: bool | None) -> int:
        """Before it is moved up."""
        if fits is False:
            return min(DOUBTED_CALM_NS << self._failed, MOST_DOUBTED_CALM_NS)
        return min((SHOWN_CALM_NS if fits else FIRST_CALM_NS) << self._failed, MOST_CALM_NS)

    def _is_narrow(self, signs: Signs, now_ns: int) -> bool:
        """Whether the reports tell of a way that does not take it; all are asked, each keeps a memory."""
        self._missed = self._missing.share(signs.sent, signs.missed, now_ns)
        lossy = self._is_lossy(signs)
        broken = self._is_broken(signs, now_ns)
        misses = self._misses.is_so(now_ns, self._missed > MISSED, MISSED_FOR_NS)
        return self._queues(signs, now_ns) or lossy or broken or misses

    def _is_behind(self, signs: Signs, now_ns: int) -> bool:
        """Whether what is sent waits here for too long."""
        late = signs.times_late > self._times_late
        self._times_late = signs.times_late
        waits = self._backlog.is_so(now_ns, signs.has_backlog)
        return self._pace.is_so(now_ns, signs.pace_bps < signs.stream_bps) or late or waits

    def _is_lossy(self, signs: Signs) -> bool:
        told_ns = signs.reported_ns
        if signs.loss is None or told_ns is None or told_ns == self._judged_report_ns:
            return False
        self._judged_report_ns = told_ns
        if signs.loss <= CLEAR_LOSS:
            self._lossy_ns = None
            return False
        if self._lossy_ns is None:
            self._lossy_ns = told_ns
        lasts_ns = told_ns - self._lossy_ns
        if not signs.missed:  # nothing is resent to it
            return signs.loss > HEAVY_LOSS or lasts_ns >= REPORTS_APART_NS
        is_over = self._missed <= CLEAR_LOSS
        return lasts_ns >= (UNREPAIRED_NS if is_over else REPORTS_APART_NS)

    def _is_broken(self, signs: Signs, now_ns: int) -> bool:
        """Whether keyframes were asked for twice lately, for loss that resending did not repair."""
        if signs.plis > self._plis and (signs.loss or 0.0) > BAD_LOSS:
            self._pli_ns.append(now_ns)
        self._plis = signs.plis
        self._pli_ns = [at_ns for at_ns in self._pli_ns if now_ns - at_ns < PLIS_WITHIN_NS]
        return len(self._pli_ns) > 1

    def _queues(self, signs: Signs, now_ns: int) -> bool:
        grown_ms = self._round_trip.grown_ms(signs, now_ns)
        if grown_ms is None:
            self._queue, self._deep = Lasting(), Lasting()
            return False
        fills = self._queue.is_so(now_ns, grown_ms > QUEUE_MS and self._estimate.is_low)
        return self._deep.is_so(now_ns, grown_ms > DEEP_QUEUE_MS) or fills


@dataclass(frozen=True, slots=True)
class H265Limits:
    """What a viewer takes of H.265, as its offer says (RFC 7798 7.1)."""

    profile_id: int = 1
    level_id: int = 93

    def take(self, config: CodecConfig) -> bool:
        """Whether it can show a stream as it is: its profile, up to its level, and no B-frames, which WebRTC
        has no place for."""
        return (
            config.codec is Codec.H265
            and config.profile == self.profile_id
            and config.level <= self.level_id
            and config.chroma == "4:2:0"
            and not config.interlaced
            and not config.reorders
        )


def full_rendition(
    config: CodecConfig | None, notes: Iterable[str], h265: H265Limits | None, *, web_is_made: bool = True
) -> Rendition:
    """What to send a viewer whose way takes everything: the source if its browser shows it, else `web`.

    `notes` are the SourceState's. Where ingest said that it makes no `web` of this source, that is as good,
    until the notes call it unfit: ingest says something else only once it is asked again.
    """
    unfit = UNFIT_NOTES & set(notes)
    if config is None or (config.plays_in_browsers and not unfit):
        return Rendition.SOURCE
    if h265 is not None and h265.take(config) and unfit <= {"codec_h265"}:
        return Rendition.SOURCE
    is_as_good = not web_is_made and not unfit and config.codec is Codec.H264
    return Rendition.SOURCE if is_as_good else Rendition.WEB
