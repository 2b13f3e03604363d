"""Where one viewer sits: the rendition it is sent, the one it should be sent, and who wants to know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from flow.doors import RenditionChosen
from flow.units import Codec, Rendition

from .protocol.rendition import H265Limits, RenditionChoice

log = logging.getLogger("lagebild.relay")

Told = Callable[[RenditionChosen], None]


class Seat:
    """`rendition` and `full` are kept by relay/renditions.py, `choice` by what the viewer tells of its way.

    `payload_types` are those of the codecs that this viewer takes, `h265` what of H.265 (None: nothing).
    """

    def __init__(self, payload_types: Mapping[Codec, int], h265: H265Limits | None, now_ns: int) -> None:
        self.payload_types = payload_types
        self.h265 = h265
        self.choice = RenditionChoice(now_ns)
        self.rendition = Rendition.SOURCE
        self.full = Rendition.SOURCE
        """The best that its browser can show."""
        self.pinned: Rendition | None = None
        self.judged_ns = now_ns
        self.missed = 0
        """How many packets it had asked for again when it was judged last."""
        self._followers: list[Told] = []
        self._told: RenditionChosen | None = None

    @property
    def target(self) -> Rendition:
        """What it should be sent."""
        low = self.choice.low if self.pinned is None else self.pinned is Rendition.LOW
        return Rendition.LOW if low else self.full

    @property
    def chosen(self) -> RenditionChosen:
        # Who has pinned the full picture means the best there is, also if that becomes another one.
        pinned = self.target if self.pinned else None
        return RenditionChosen(self.rendition, self.target, pinned, (self.full, Rendition.LOW))

    def follow(self, told: Told) -> Callable[[], None]:
        """See flow.doors.RelayDoor."""

        def leave() -> None:
            if told in self._followers:
                self._followers.remove(told)

        self._followers.append(told)
        told(self.chosen)
        return leave

    def tell(self) -> None:
        """Tell the followers what has changed, if anything has."""
        chosen = self.chosen
        if chosen == self._told:
            return
        self._told = chosen
        for told in list(self._followers):
            try:
                told(chosen)
            except Exception:
                log.exception("who follows a viewer failed: a defect of Lagebild")
                self._followers.remove(told)
