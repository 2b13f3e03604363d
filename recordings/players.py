"""Who is playing which flight: one that is being played is not deleted."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

from flow.errors import LagebildError, NotFoundError


class Players:
    """Used by the event loop and by the archive's thread; neither waits for more than a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._playing: Counter[str] = Counter()
        self._going: set[str] = set()

    @contextlib.contextmanager
    def playing(self, flight_id: str) -> Iterator[None]:
        """Raises NotFoundError where it is being deleted at this moment."""
        with self._lock:
            if flight_id in self._going:
                raise NotFoundError(f"flight {flight_id} is being deleted")
            self._playing[flight_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._playing[flight_id] -= 1
                self._playing += Counter()  # forgets those that nobody plays

    @contextlib.contextmanager
    def deleting(self, flight_id: str) -> Iterator[None]:
        """Raises LagebildError ("flight_playing")."""
        with self._lock:
            if self._playing[flight_id]:
                raise LagebildError(
                    f"flight {flight_id} is being played; it can be deleted afterwards", code="flight_playing"
                )
            self._going.add(flight_id)
        try:
            yield
        finally:
            with self._lock:
                self._going.discard(flight_id)
