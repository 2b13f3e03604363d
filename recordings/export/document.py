"""What a report is made of, whatever it is written as: HTML and PDF say the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .track_map import TrackMap


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """What, and how it is; each value may have several lines."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`shares` of the width, which together are 1."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MapFigure:
    map: TrackMap
    caption: str


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of the flight, as a file."""

    path: Path
    caption: str


@dataclass(frozen=True, slots=True)
class Stills:
    stills: tuple[Still, ...]


Block: TypeAlias = Heading | Paragraph | Pairs | Table | MapFigure | Stills


@dataclass(frozen=True, slots=True)
class Document:
    """`banner` stands above all, where there is one: ÜBUNG. `footer` is on every page."""

    language: str
    title: str
    subtitle: str
    banner: str
    footer: str
    blocks: tuple[Block, ...]
