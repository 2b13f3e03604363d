"""Whoever may watch no longer is let go of at once: when a link or session is taken back, when an aircraft is
given to another incident, and, within SWEPT_EVERY_S, when his time is over."""

from __future__ import annotations

from flow.clock import NS_PER_S, Clock

from .policy import Reach, Verdict, decide
from .presence import Presence, Stay
from .store import AccessStore

SWEPT_EVERY_S = 1.0


class Sweeper:
    """Holds everybody who is connected against the book and the policy. `run()` until cancelled."""

    def __init__(self, access: AccessStore, presence: Presence, reach: Reach, clock: Clock) -> None:
        self._access, self._presence, self._reach, self._clock = access, presence, reach, clock
        presence.rule = self.may_stay
        access.on_change(self.sweep)

    def may_stay(self, stay: Stay) -> bool:
        """Whether he would be let in now."""
        caller = self._access.book.again(stay.caller, self._clock.now_ns())
        if caller is None:
            return False
        verdict = decide(caller, stay.permission, stay.scope, stay.named, self._reach)
        return verdict is Verdict.ALLOWED

    def sweep(self) -> None:
        self._presence.sweep()

    async def run(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + round(SWEPT_EVERY_S * NS_PER_S))
            self.sweep()
