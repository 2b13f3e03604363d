"""Access units made at test time: bytes that look like Annex B, timestamps that obey flow/units.py."""

from __future__ import annotations

from collections.abc import Iterator

from flow.units import AccessUnit, Codec, Rendition, UtcOrigin

from .clock import START_NS

IDR = b"\x00\x00\x00\x01\x65"
SLICE = b"\x00\x00\x00\x01\x41"


class Camera:
    """Makes the pictures of one feed, one after the other: `fps` of them a second, `size` bytes each."""

    def __init__(
        self,
        feed_id: str = "fritz-tag",
        rendition: Rendition = Rendition.SOURCE,
        fps: int = 30,
        size: int = 64,
        start_ns: int = START_NS,
    ) -> None:
        self.feed_id = feed_id
        self.rendition = rendition
        self.epoch = 0
        self._seq = 0
        self._size = size
        self._step_90k = 90_000 // fps
        self._start_ns = start_ns
        self._ticks_90k = 0

    def keyframe(self, size: int | None = None) -> AccessUnit:
        return self._picture(True, size)

    def delta(self, size: int | None = None) -> AccessUnit:
        """A picture that needs the ones before it."""
        return self._picture(False, size)

    def group(self, length: int, size: int | None = None) -> list[AccessUnit]:
        """A keyframe and `length - 1` pictures that need it."""
        return [self.keyframe(size), *(self.delta(size) for _ in range(length - 1))]

    def groups(self, count: int, length: int) -> Iterator[AccessUnit]:
        for _ in range(count):
            yield from self.group(length)

    def restart(self) -> None:
        """What ingest does when its source comes back: a new epoch, seq from zero, timestamps go on."""
        self.epoch += 1
        self._seq = 0

    @property
    def fresh(self) -> bool:
        """Whether this epoch has no picture yet; a real ingest then waits for a keyframe."""
        return self._seq == 0

    def pause(self, seconds: float) -> None:
        """No picture for a while."""
        self._ticks_90k += int(seconds * 90_000)

    def _picture(self, keyframe: bool, size: int | None) -> AccessUnit:
        start = IDR if keyframe else SLICE
        dts_90k = self._start_ns * 9 // 100_000 + self._ticks_90k
        unit = AccessUnit(
            feed_id=self.feed_id,
            rendition=self.rendition,
            codec=Codec.H264,
            epoch=self.epoch,
            seq=self._seq,
            dts_90k=dts_90k,
            pts_90k=dts_90k,
            utc_ns=self._start_ns + self._ticks_90k * 100_000 // 9,
            utc_origin=UtcOrigin.ARRIVAL,
            keyframe=keyframe,
            data=start.ljust(self._size if size is None else size, b"\x80"),
        )
        self._seq += 1
        self._ticks_90k += self._step_90k
        return unit
