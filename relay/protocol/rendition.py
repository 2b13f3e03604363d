"""Which rendition a viewer is sent: down fast when its way is too narrow, up slowly and ever more rarely.

There are two steps: *full* (the source, or `web` where a browser cannot show that) and *low*. What a viewer
tells of its way counts only as far as it can be trusted:

- Loss over 15 % is congestion in two reports, over 40 % in one. Less may be a bad radio link, which resending
  repairs, as long as the viewer does not ask for keyframes as well.
- Chromium's estimate (REMB) is little above, and now and then below, what it is being sent. It counts only
  where it is low while the round trip has grown: then a queue is filling.
- A backlog that does not clear up is a way that does not take the stream, whatever the reports say (TCP).

Nothing tells beforehand that a way has become wide enough again: that is tried, after some calm. A try that
fails doubles the calm that the next one needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import UNFIT_NOTES
from flow.units import Codec, CodecConfig, Rendition

CLEAR_LOSS = 0.15
HEAVY_LOSS = 0.40
REPORTS_APART_NS = 400 * NS_PER_MS
"""Loss is taken over a second; two reports that are nearer than this tell of the same one."""

BAD_LOSS = 0.02
"""What a good link loses less of; with it, keyframes asked for mean that resending does not repair."""
PLIS_WITHIN_NS = 5 * NS_PER_S

UNEASY_LOSS = 0.05
UNEASY_NS = 10 * NS_PER_S
"""Who has lost that much lately may need `low` soon: an encoder takes a second to start."""

LOW_ESTIMATE = 0.7
QUEUE_MS = 150.0
"""The round trip above its least that is a queue, which the stream itself has filled."""
DEEP_QUEUE_MS = 1000.0
"""A picture that waits for so long on its way is no longer live, though none is lost."""
PERSISTS_NS = NS_PER_S

SETTLES_NS = 2 * NS_PER_S
"""After a start: the cached group is sent faster than the stream, and may well lose something."""

FIRST_CALM_NS = 8 * NS_PER_S
MOST_CALM_NS = 60 * NS_PER_S
FAILED_WITHIN_NS = 4 * NS_PER_S
"""Trouble that begins later is news of the way, not the try's fault."""
PROVEN_NS = 30 * NS_PER_S
"""Who has been sent the full picture for so long without trouble has a way that takes it."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a viewer's way at one moment.

    `loss` (0 to 1) is of the report that came at `reported_ns`; `stream_bps` is what it is being sent and
    `pace_bps` what it may be sent. Counters (`plis`, `times_late`) only rise.
    """

    stream_bps: float
    pace_bps: float
    loss: float | None = None
    reported_ns: int | None = None
    rtt_ms: float | None = None
    estimated_bps: float | None = None
    plis: int = 0
    times_late: int = 0
    has_backlog: bool = False
    is_tcp: bool = False


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


class RenditionChoice:
    """Of one viewer. `low` is what it should be sent; `moved` tells that it is, `judge` what its way does."""

    def __init__(self, now_ns: int) -> None:
        self.low = False
        self._began_ns = now_ns  # with what it is being sent
        self._calm_ns = now_ns  # the last moment that was not calm
        self._uneasy_until_ns = now_ns
        self._needs_calm_ns = FIRST_CALM_NS
        self._tries = False  # whether it was moved up, and that has not proven right yet
        self._awaits_move = False  # up: until the keyframe comes, what is seen is still `low`
        self._judged_report_ns: int | None = None
        self._lossy_ns: int | None = None  # the first of the reports in a row with clear loss
        self._least_rtt_ms: float | None = None
        self._pli_ns: list[int] = []
        self._plis = 0
        self._times_late = 0
        self._forget()

    @property
    def waits(self) -> bool:
        """Whether pictures waited too long when it was judged last: look soon whether they still do."""
        return self._backlog.has_begun

    def may_need_low(self, now_ns: int) -> bool:
        """Whether `low` should be made already, so that it is there at once."""
        return self.low or now_ns < self._uneasy_until_ns

    def moved(self, now_ns: int) -> None:
        """It is sent the rendition that was chosen from now on: what came before was about the other one."""
        self._began_ns = self._calm_ns = now_ns
        self._awaits_move = False
        self._lossy_ns = None
        self._pli_ns.clear()
        self._forget()
        if self._tries:
            self._uneasy_until_ns = now_ns + UNEASY_NS

    def _forget(self) -> None:
        self._backlog, self._queue, self._deep, self._pace = Lasting(), Lasting(), Lasting(), Lasting()

    def judge(self, signs: Signs, now_ns: int) -> None:
        """Look at its way; several times a second while there is something new, else about once."""
        narrow, behind = self._is_narrow(signs, now_ns), self._is_behind(signs, now_ns)
        if not self._tries and now_ns - self._began_ns < SETTLES_NS:
            narrow = behind = False
        trouble = narrow or behind
        # Who is behind on `low` by UDP is so by its pace alone, and that says nothing about what would go.
        if narrow or (behind and (signs.is_tcp or not self.low)) or (signs.loss or 0.0) > BAD_LOSS:
            self._calm_ns = now_ns
        if trouble or (signs.loss or 0.0) > UNEASY_LOSS:
            self._uneasy_until_ns = now_ns + UNEASY_NS
        if self.low:
            if now_ns - self._calm_ns >= self._needs_calm_ns:
                self.low, self._tries, self._awaits_move = False, True, True
        elif self._awaits_move:
            pass
        elif trouble:
            self._go_down(now_ns)
        elif now_ns - self._began_ns >= PROVEN_NS:
            self._tries, self._needs_calm_ns = False, FIRST_CALM_NS

    def _go_down(self, now_ns: int) -> None:
        if self._tries and now_ns - self._began_ns < FAILED_WITHIN_NS:
            self._needs_calm_ns = min(2 * self._needs_calm_ns, MOST_CALM_NS)
        self.low, self._tries = True, False
        self._calm_ns = now_ns

    def _is_narrow(self, signs: Signs, now_ns: int) -> bool:
        """Whether the reports tell of a way that does not take it; all are asked, each keeps a memory."""
        lossy = self._is_lossy(signs)
        broken = self._is_broken(signs, now_ns)
        return self._queues(signs, now_ns) or lossy or broken

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
        return signs.loss > HEAVY_LOSS or told_ns - self._lossy_ns >= REPORTS_APART_NS

    def _is_broken(self, signs: Signs, now_ns: int) -> bool:
        """Whether keyframes were asked for twice lately, for loss that resending did not repair."""
        if signs.plis > self._plis and (signs.loss or 0.0) > BAD_LOSS:
            self._pli_ns.append(now_ns)
        self._plis = signs.plis
        self._pli_ns = [at_ns for at_ns in self._pli_ns if now_ns - at_ns < PLIS_WITHIN_NS]
        return len(self._pli_ns) > 1

    def _queues(self, signs: Signs, now_ns: int) -> bool:
        rtt_ms = signs.rtt_ms
        if rtt_ms is None:
            return False
        if self._least_rtt_ms is None or rtt_ms < self._least_rtt_ms:
            self._least_rtt_ms = rtt_ms
        grown_ms = rtt_ms - self._least_rtt_ms
        estimated_low = signs.estimated_bps is not None and (
            signs.estimated_bps < LOW_ESTIMATE * signs.stream_bps
        )
        fills = self._queue.is_so(now_ns, grown_ms > QUEUE_MS and estimated_low)
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
