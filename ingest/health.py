"""Tells the bus how the pictures of a feed look: the state, and an alarm that stands as long as a finding.

A finding lasts as long as somebody looks. Where the feed or its decoder is gone, or nothing can be decoded
any more, it is taken back: the state says nothing any longer, and an alarm (`picture_unseen`) says why.
"""

from __future__ import annotations

import logging

from flow.bus import Bus
from flow.clock import Clock
from flow.flights import Alarm, AlarmLevel, Feed, PictureHealth, SourceState, SourceStatus

from .protocol.health import GAP_NS, Figures, Health

log = logging.getLogger("lagebild.ingest")


class HealthWatch:
    """One feed. Nothing is said of a feed that is not live: its state tells that there are no pictures."""

    def __init__(self, camera: Feed, bus: Bus, clock: Clock) -> None:
        self.feed_id = camera.id
        self._camera, self._bus, self._clock = camera, bus, clock
        self._health = Health(camera.id)
        self._told: PictureHealth | None = None
        self._looked_ns = 0
        self._epoch: int | None = None
        self._standing: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Follow the feed's source. Until cancelled."""
        with self._bus.latest(SourceState, self.feed_id) as states:
            async for state in states:
                is_other = state.epoch != self._epoch or state.status is not SourceStatus.LIVE
                self._epoch = state.epoch
                if is_other:
                    self.unseen()

    def look(self, figures: Figures) -> None:
        """Take a sample's figures and tell what they mean."""
        state = self._bus.peek(SourceState, self.feed_id)
        if state is None or state.status is not SourceStatus.LIVE:
            return
        health = self._health.look(figures)
        before = self._told.findings if self._told else ()
        self._told, self._looked_ns = health, self._clock.now_ns()
        self._bus.publish(health)
        if health.findings != before:
            log.info("feed %s: picture health: %s", self.feed_id, ", ".join(health.findings) or "well again")
        self._stand(frozenset(health.findings), health.since_ns)

    def tick(self) -> None:
        """Time has passed; call this about once a second."""
        if self._told is not None and self._clock.now_ns() - self._looked_ns > GAP_NS:
            self.unseen()

    def unseen(self) -> None:
        """Nobody looks at the feed (any more): what was found before is not known to be so."""
        told, self._told = self._told, None
        if told is None:
            return
        now_ns = self._clock.now_ns()
        self._bus.publish(self._health.ended(now_ns))
        if told.findings:
            log.info("feed %s: picture health: unknown, nobody looks at it", self.feed_id)
            self._stand(frozenset({"unseen"}), now_ns)

    def _stand(self, codes: frozenset[str], since_ns: int) -> None:
        """From now on these alarms stand and no others."""
        before, self._standing = self._standing, codes
        for code in sorted(before ^ codes):
            self._alarm(code, since_ns, active=code in codes)

    def _alarm(self, code: str, since_ns: int, *, active: bool) -> None:
        alarm = Alarm(
            id=f"{self.feed_id}-{code}-{since_ns}-{'on' if active else 'off'}",
            aircraft_id=self._camera.aircraft_id,
            utc_ns=self._clock.now_ns(),
            code=f"picture_{code}",
            values={"feed": self.feed_id},
            level=AlarmLevel.WARNING,
            active=active,
        )
        self._bus.publish(alarm)
