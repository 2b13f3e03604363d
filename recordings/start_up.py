"""What the last server left: flights without an end are put in order, and gone on with if it was just now.

Blocking: call it in a thread, before anything is recorded. Only flights of ours are touched. Whatever else
lies in the data folder, a link, a pipe, a folder of another name, is left as it is and told once.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from flow.clock import NS_PER_MS, NS_PER_S
from flow.errors import MalformedError
from flow.flights import Aircraft

from .flight_file import FlightFile, encoded, read_flight, replace_file
from .folders import (
    EVENTS_FILE,
    FLIGHT_FILE,
    FLIGHT_ID_PATTERN,
    METADATA_FILE,
    SAMPLES_FILE,
    TLOG_FILE,
    flights_folder,
    segments_in,
)
from .mending import Mended, mend_lines, mend_segment, mend_tlog
from .open_flights import Cut
from .protocol.flight_detector import QUIET_NS

log = logging.getLogger("lagebild.recordings")

_SLEW_NS = 2 * NS_PER_S  # by so much the clock may have been set right while the server was down
_STRANGE_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Found:
    """Names that are in use in the flights' folder; flights to go on with, by aircraft; and those whose
    folders were changed, so that the catalogue must read them again."""

    taken: frozenset[str] = frozenset()
    cuts: dict[str, Cut] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


def put_in_order(root: Path, now_ns: int, aircraft: tuple[Aircraft, ...]) -> Found:
    """Repair every flight that has no end, and give it one unless it can be resumed. Raises OSError where
    the flights' folder cannot be read."""
    folder = flights_folder(root)
    if not folder.exists():
        return Found()
    names = sorted(path.name for path in folder.iterdir())
    mender = _Mender(now_ns, frozenset(one.id for one in aircraft if not one.training))
    for name in reversed(names):  # the newest first: only that one can be resumed
        mender.visit(folder / name)
    mender.tell_strange()
    return Found(frozenset(names), mender.cuts, tuple(mender.changed))


class _Mender:
    def __init__(self, now_ns: int, aircraft_ids: frozenset[str]) -> None:
        self._now_ns, self._aircraft_ids = now_ns, aircraft_ids
        self.cuts: dict[str, Cut] = {}
        self.changed: list[str] = []
        self._strange: list[str] = []

    def visit(self, folder: Path) -> None:
        try:
            if not FLIGHT_ID_PATTERN.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
                raise MalformedError("no flight of ours")
            flight = read_flight(folder)
            if flight.ended_ns is None:
                self._mend(folder, flight)
        except (MalformedError, OSError) as error:
            self._strange.append(f"{folder.name[:60]!r} ({error})")
        except Exception:  # a bug here must not keep the server from starting
            log.exception("flight %s could not be put in order: a defect of Lagebild", folder.name)

    def tell_strange(self) -> None:
        if self._strange:
            shown, more = self._strange[:_STRANGE_SHOWN], len(self._strange) - _STRANGE_SHOWN
            rest = f" and {more} more" if more > 0 else ""
            log.warning("recordings: left alone: %s%s", ", ".join(shown), rest)

    def _mend(self, folder: Path, flight: FlightFile) -> None:
        mended, segments = self._mend_files(folder)
        last_ns = max(
            (each.last_ns for each in mended if each.last_ns is not None), default=flight.started_ns
        )
        cut_bytes = sum(each.cut_bytes for each in mended)
        cut_ms = max((each.cut_ns for each in mended), default=0) // NS_PER_MS
        resumed = self._may_resume(flight, last_ns)
        flight = msgspec.structs.replace(
            flight,
            ended_ns=None if resumed else max(flight.started_ns, last_ns),
            repaired_ns=self._now_ns,
            lost_bytes=flight.lost_bytes + cut_bytes,
        )
        replace_file(folder / FLIGHT_FILE, encoded(flight))
        self.changed.append(flight.id)
        if resumed:
            pictures = sum(each.pictures for each in mended)
            size = sum(path.lstat().st_size for path in folder.iterdir())
            last_ns = min(last_ns, self._now_ns)
            self.cuts[flight.aircraft_id] = Cut(flight, last_ns, segments, pictures, size)
        log.warning(
            "flight %s was not ended: %d bytes cut off, about %d ms of pictures; %s",
            flight.id, cut_bytes, cut_ms, "it goes on" if resumed else "it is put in order",
        )  # fmt: skip

    def _may_resume(self, flight: FlightFile, last_ns: int) -> bool:
        """A last picture in the future: the clock was set back, and nobody knows how long ago it was."""
        is_recent = -_SLEW_NS <= self._now_ns - last_ns < QUIET_NS
        return is_recent and flight.aircraft_id in self._aircraft_ids - self.cuts.keys()

    def _mend_files(self, folder: Path) -> tuple[list[Mended], dict[str, int]]:
        segments: dict[str, int] = {}
        mended: list[Mended] = []
        for feed_id, number, path in segments_in(folder):
            segments[feed_id] = number
            mended.append(self._mended(mend_segment, path))
        mended.append(self._mended(mend_tlog, folder / TLOG_FILE))
        mended += (
            self._mended(mend_lines, folder / name) for name in (SAMPLES_FILE, METADATA_FILE, EVENTS_FILE)
        )
        return mended, segments

    def _mended(self, mend: Callable[[Path], Mended], path: Path) -> Mended:
        try:
            return mend(path)
        except FileNotFoundError:
            return Mended()
        except (MalformedError, OSError) as error:
            if isinstance(error, OSError) and error.errno in {errno.EIO, errno.EROFS, errno.ENOSPC}:
                raise  # the disk's fault: the flight waits for the next start
            self._strange.append(f"{path.parent.name}/{path.name} ({error})")
            return Mended()
