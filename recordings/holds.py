"""hold.json: whether a flight is held, why, and who held and released it before."""

from __future__ import annotations

from pathlib import Path

import msgspec

from flow.errors import MalformedError

from .entries import Hold
from .folders import HOLD_FILE
from .json_files import read_json, write_json

VERSION = 1


class HoldChange(msgspec.Struct, frozen=True):
    """`held` False: it was released; there is no reason then."""

    held: bool
    by: str
    utc_ns: int
    reason: str = ""


class HoldFile(msgspec.Struct, frozen=True):
    """The history of a flight's holds, the newest last: it is held if that is a hold."""

    history: tuple[HoldChange, ...] = ()
    version: int = VERSION

    @property
    def hold(self) -> Hold | None:
        newest = self.history[-1] if self.history else None
        return Hold(newest.reason, newest.by, newest.utc_ns) if newest and newest.held else None

    def changed(self, change: HoldChange) -> HoldFile:
        return HoldFile((*self.history, change))


def read_holds(folder: Path) -> HoldFile:
    """Empty where nobody ever held it. Raises MalformedError for a file that cannot be read."""
    try:
        return read_json(folder / HOLD_FILE, HoldFile, VERSION)
    except FileNotFoundError:
        return HoldFile()


def write_holds(folder: Path, holds: HoldFile) -> None:
    """Raises OSError."""
    write_json(folder / HOLD_FILE, holds)


def standing_hold(folder: Path) -> Hold | None:
    """The hold that counts. A file that cannot be read may have been one: it holds until it is released."""
    try:
        return read_holds(folder).hold
    except MalformedError as error:
        return Hold(f"{HOLD_FILE} cannot be read, and may have been a hold: {error}", "lagebild", 0)


def changed_hold(folder: Path, change: HoldChange) -> Hold | None:
    """Write a change down; returns the hold that stands then. A file that cannot be read is kept beside.

    Raises OSError.
    """
    try:
        holds = read_holds(folder)
    except MalformedError:
        (folder / HOLD_FILE).rename(folder / f"{HOLD_FILE}.{change.utc_ns}")
        holds = HoldFile()
    holds = holds.changed(change)
    write_holds(folder, holds)
    return holds.hold
