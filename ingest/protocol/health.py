"""Whether a camera shows what is in front of it, judged by figures of decoded pictures. No I/O, no clock.

Each finding needs its figure to be bad for a while, and good for a while to go again; between the two bounds,
or where the picture tells nothing, it stays as it is. A finding would rather be missed than told wrongly: a
hovering aircraft, night, fog, snow, water and thermal pictures are all healthy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from flow.clock import NS_PER_S
from flow.flights import PictureHealth


@dataclass(frozen=True, slots=True)
class Figures:
    """One sample of a feed's pictures (ingest/picture_figures.py measures them).

    `luma` and `brightest` are the mean and the 99.97th percentile of brightness, 0 to 255. `sharpness` is how
    much of an edge's contrast is left at the finest scale, 1 for sharp pictures; NaN where there are too few
    edges to tell. `covered` is the share of the picture that lately turned dark and empty while the rest
    stayed as it was. `still_s` is for how long the pictures have been the same; NaN where there is too little
    in them to tell.
    """

    utc_ns: int
    luma: float
    brightest: float
    sharpness: float
    covered: float
    still_s: float


@dataclass(frozen=True, slots=True)
class _Rule:
    """When a finding begins (bad for `after_s`) and when it ends (good for `until_s`)."""

    code: str
    is_bad: Callable[[Figures], bool]
    is_good: Callable[[Figures], bool]
    after_s: float
    until_s: float


_RULES = (
    # Nothing bright anywhere: a night picture has a light somewhere, a 50th of its width across.
    _Rule("black", lambda f: f.brightest < 32, lambda f: f.brightest > 44, 3.0, 0.0),
    _Rule("frozen", lambda f: f.still_s >= 8.0, lambda f: f.still_s < 4.0, 0.0, 0.0),
    _Rule("covered", lambda f: f.covered >= 0.35, lambda f: f.covered < 0.2, 4.0, 2.0),
    # An autofocus that searches takes two or three seconds, and a turn blurs no longer than it lasts.
    _Rule("blurred", lambda f: f.sharpness < 0.03, lambda f: f.sharpness > 0.06, 8.0, 2.0),
)
"""The first hides those behind it: nothing more can be said of a black picture, nor of a frozen one.

NaN is neither bad nor good."""

FINDINGS = tuple(rule.code for rule in _RULES)

GAP_NS = 15 * NS_PER_S
"""Samples further apart than this do not belong together, and what was found is not known any more."""


class _Finding:
    """One rule over time."""

    def __init__(self, rule: _Rule) -> None:
        self.rule = rule
        self.since_ns: int | None = None  # while it holds: since when the picture is so
        self._bad_ns: int | None = None
        self._good_ns: int | None = None

    def look(self, figures: Figures) -> None:
        now_ns = figures.utc_ns
        bad, good = self.rule.is_bad(figures), self.rule.is_good(figures)
        self._bad_ns = (self._bad_ns or now_ns) if bad else None
        self._good_ns = (self._good_ns or now_ns) if good else None
        if self.since_ns is None and self._lasts(self._bad_ns, now_ns, self.rule.after_s):
            self.since_ns = self._bad_ns
        elif self.since_ns is not None and self._lasts(self._good_ns, now_ns, self.rule.until_s):
            self.since_ns = None

    @staticmethod
    def _lasts(since_ns: int | None, now_ns: int, long_s: float) -> bool:
        return since_ns is not None and now_ns - since_ns >= long_s * NS_PER_S


class Health:
    """The findings of one feed, sample by sample."""

    def __init__(self, feed_id: str) -> None:
        self._feed_id = feed_id
        self._last_ns: int | None = None
        self._findings = [_Finding(rule) for rule in _RULES]
        self._told: tuple[str, ...] = ()
        self._since_ns = 0

    def look(self, figures: Figures) -> PictureHealth:
        """Take the next sample; return what is to be said of the feed now."""
        if self._last_ns is None or not 0 <= figures.utc_ns - self._last_ns <= GAP_NS:
            self._restart(figures.utc_ns)
        self._last_ns = figures.utc_ns
        for finding in self._findings:
            finding.look(figures)
        self._tell(figures)
        return PictureHealth(
            feed_id=self._feed_id,
            since_ns=self._since_ns,
            findings=self._told,
            luma=round(figures.luma, 1),
            sharpness=_known(figures.sharpness),
            still_s=_known(figures.still_s),
            covered=_known(figures.covered),
        )

    def ended(self, now_ns: int) -> PictureHealth:
        """There are no more pictures to look at: nothing is known to be wrong."""
        self._last_ns = None
        self._restart(now_ns)
        return PictureHealth(self._feed_id, now_ns)

    def _restart(self, now_ns: int) -> None:
        self._findings = [_Finding(rule) for rule in _RULES]
        self._told, self._since_ns = (), now_ns

    def _tell(self, figures: Figures) -> None:
        held = [finding for finding in self._findings if finding.since_ns is not None]
        if held and held[0].rule.code in ("black", "frozen"):
            del held[1:]
        codes = tuple(finding.rule.code for finding in held)
        if codes == self._told:
            return
        begun = [finding.since_ns or 0 for finding in held if finding.rule.code not in self._told]
        self._since_ns = max(begun, default=figures.utc_ns)
        if codes[:1] == ("frozen",) and not math.isnan(figures.still_s):
            self._since_ns = figures.utc_ns - round(figures.still_s * NS_PER_S)
        self._told = codes


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else round(figure, 3)
