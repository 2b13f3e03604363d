"""QR codes of addresses: some 8 ms of the processor each, so they are drawn aside, kept, and rationed."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import Sequence

import segno

from flow.clock import NS_PER_S, Clock

QUIET_MODULES = 4  # ISO/IEC 18004: the white border that a reader needs
KEPT_MOST = 64
AT_ONCE = 16
REFILL_NS = NS_PER_S // 4


class QrCodes:
    """Codes of addresses that hold no secret, kept for whoever asks again: pages ask every second.

    An address holds the name by which the page was called, and strangers may call it by any number: what is
    asked for again stays, AT_ONCE new ones are drawn, and then four a second. Who gets none asks again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._drawing = asyncio.Lock()
        self._left, self._counted_ns = AT_ONCE, clock.now_ns()

    def kept(self, text: str) -> str:
        """Its code; "" where there is none yet."""
        if text in self._kept:
            self._kept.move_to_end(text)
        return self._kept.get(text, "")

    async def draw(self, texts: Sequence[str]) -> bool:
        """Draw in another thread what is missing, as far as the ration goes; whether any is there now."""
        if not texts:
            return False
        async with self._drawing:
            missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
            ours = missing[: self._ration()]
            self._left -= len(ours)
            if ours:
                drawn = await asyncio.to_thread(lambda: [qr_of(text) for text in ours])
                self._kept.update(zip(ours, drawn, strict=True))
            while len(self._kept) > KEPT_MOST:
                self._kept.popitem(last=False)
            return len(missing) < len(texts) or bool(ours)

    def _ration(self) -> int:
        refills = (self._clock.now_ns() - self._counted_ns) // REFILL_NS
        self._counted_ns += refills * REFILL_NS
        self._left = min(AT_ONCE, self._left + refills)
        return self._left


def qr_of(text: str) -> str:
    """A QR code as a data URI: black on white whatever the page's colours, or scanners do not see it."""
    code = segno.make_qr(text, error="m")
    return code.svg_data_uri(border=QUIET_MODULES, dark="#000", light="#fff", omitsize=True)


def qr_svg(text: str) -> bytes:
    """The same as a file of its own."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out, kind="svg", border=QUIET_MODULES, dark="#000", light="#fff", omitsize=True
    )
    return out.getvalue()
