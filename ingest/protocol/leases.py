"""Until when somebody needs something that is only made while needed."""

from __future__ import annotations

from flow.clock import NS_PER_S

LINGER_NS = 3 * NS_PER_S
"""How long a rendition is made after the last lease has ended."""

_AHEAD_MOST_NS = 60 * NS_PER_S  # a relay whose clock is wrong must not keep an encoder running for days


class Lease:
    """One thing, wanted by any number of others."""

    def __init__(self) -> None:
        self._until_ns: int | None = None

    def take(self, until_ns: int, now_ns: int) -> None:
        """Somebody wants it until then; who asks for less takes nothing from the others."""
        until_ns = min(until_ns, now_ns + _AHEAD_MOST_NS)
        if until_ns > now_ns and (self._until_ns is None or until_ns > self._until_ns):
            self._until_ns = until_ns

    def holds(self, now_ns: int) -> bool:
        """Whether it is to be made now."""
        return self._until_ns is not None and now_ns < self._until_ns + LINGER_NS
