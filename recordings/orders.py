"""What a running replay is told on its standard input: one JSON object per line, the end of which ends it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

logger = logging.getLogger("replay")

LINE_MOST_BYTES = 4096
_KEPT = 64

Speed = Annotated[float, Meta(ge=0.1, le=20)]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different from now on; None stays."""

    seek_s: Annotated[float, Meta(ge=0, le=1e7)] | None = None
    speed: Speed | None = None
    pause: bool | None = None


class Lines(Protocol):
    """Such as a file."""

    def readline(self, size: int, /) -> bytes: ...


class Orders:
    """Read by a thread of their own, which ends with the process: nobody can interrupt reading a pipe."""

    def __init__(self) -> None:
        self.have_ended = False
        self._waiting: deque[Order] = deque(maxlen=_KEPT)
        self._news = threading.Event()

    def read(self, source: Lines) -> None:
        """Take orders until the source ends. What is none is told in the log."""
        while line := source.readline(LINE_MOST_BYTES):
            try:
                self.give(msgspec.json.decode(line, type=Order))
            except msgspec.MsgspecError as error:
                logger.warning("not an order: %s", error)
        self.have_ended = True
        self._news.set()

    def start_reading(self, source: Lines) -> None:
        threading.Thread(target=self.read, args=(source,), name="orders", daemon=True).start()

    def give(self, order: Order) -> None:
        self._waiting.append(order)
        self._news.set()

    def wait(self, seconds: float | None) -> None:
        """Sleep, but no longer than until the next order."""
        self._news.wait(seconds)

    @property
    def are_there(self) -> bool:
        return self._news.is_set()

    def take(self) -> list[Order]:
        """Those that came since."""
        self._news.clear()
        taken: list[Order] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        if self.have_ended:
            self._news.set()
        return taken
