"""What a delivery is made of: its way to the viewer, what waits for it, and what went."""

from __future__ import annotations

from dataclasses import dataclass

from .outlet import Outlet
from .port import Path
from .protocol.layout import Run, Shape, WirePicture
from .srtp import SrtpOut


@dataclass(slots=True)
class Piece:
    """A picture that waits, how it is numbered, and the index of its first packet that has not been sent.

    `runs` is how it is laid out: shared if it was queued as it came, else made when its turn comes.
    """

    picture: WirePicture
    key: tuple[Shape, int]
    runs: list[Run] | None
    next: int = 0


@dataclass(slots=True)
class Sent:
    """What went to one viewer. `refused_packets` had nowhere to go: lost, until asked for again."""

    pictures: int = 0
    packets: int = 0
    bytes: int = 0
    resent_packets: int = 0
    refused_packets: int = 0
    dropped_pictures: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """How packets get to one viewer: laid out in its shape, protected with its keys, sent by its path."""

    shape: Shape
    srtp: SrtpOut
    path: Path
    outlet: Outlet
