"""Duplicates and losses, told by MAVLink's 8-bit sequence numbers."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeAlias

from .parser import COMPONENTS_KEPT, Frame

WINDOW = 64
"""How many messages of a component a duplicate may lag behind. With 256 numbers and constant payloads (a
heartbeat is always the same), a longer memory takes real messages of a lossy link for duplicates."""


_Gist: TypeAlias = tuple[int, int, bytes]
"""Sequence number, message id, payload."""


class Duplicates:
    """Recognises a message that has come before, over this link or another one.

    The same (system, component, sequence, id, payload) within the last messages of that component. The raw
    bytes may differ: routers translate between MAVLink 1 and 2, links sign with ids of their own.
    """

    def __init__(self) -> None:
        self._recent: OrderedDict[int, OrderedDict[_Gist, None]] = OrderedDict()  # by system and component

    def seen(self, frame: Frame) -> bool:
        """Whether `frame` is one of the recent ones; remembers it."""
        recent = self._recent_of(frame.system_id << 8 | frame.component_id)
        key = frame.sequence, frame.message_id, frame.payload.rstrip(b"\0")
        if key in recent:
            return True
        recent[key] = None
        if len(recent) > WINDOW:
            recent.popitem(last=False)
        return False

    def knows(self, frame: Frame) -> bool:
        """Whether `frame` is one of the recent ones; changes nothing."""
        recent = self._recent.get(frame.system_id << 8 | frame.component_id)
        key = frame.sequence, frame.message_id, frame.payload.rstrip(b"\0")
        return recent is not None and key in recent

    def _recent_of(self, source: int) -> OrderedDict[_Gist, None]:
        recent = self._recent.get(source)
        if recent is not None:
            self._recent.move_to_end(source)
            return recent
        if len(self._recent) >= COMPONENTS_KEPT:
            self._recent.popitem(last=False)
        return self._recent.setdefault(source, OrderedDict())


class Gaps:
    """Counts the messages missing in one component's sequence on one link.

    A step forward of less than half the circle is a gap. Anything else is late, unless the next number
    follows it: then the sender has restarted its count (or another channel is interleaved: that counts no
    loss).
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._stray: int | None = None

    def missing(self, sequence: int) -> int:
        """How many messages were lost right before this one."""
        step = 1 if self._last is None else (sequence - self._last) & 0xFF
        restarted = self._stray is not None and sequence == (self._stray + 1) & 0xFF
        if 1 <= step < 128 or restarted:
            self._last, self._stray = sequence, None
            return 0 if restarted else step - 1
        self._stray = sequence
        return 0
