"""What recordings are told of the settings of the whole service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flow.flights import Aircraft

from .rules import Defaults


@dataclass(frozen=True, slots=True)
class RecordingsSettings:
    """`root` is the data folder. Aircraft with `training` are never recorded."""

    root: Path
    aircraft: tuple[Aircraft, ...] = ()
    einsatz_days: float = 60.0
    uebung_days: float = 30.0
    reserve_bytes: int = 1024**3
    warn_hours: float = 12.0
    records: Defaults = field(default_factory=Defaults)
