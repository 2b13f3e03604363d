"""The capture time as people read it, small in the upper left corner."""

from __future__ import annotations

import time

import cv2

from simulator.picture import Plane

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw(luma: Plane, label: str, capture_ms: int) -> None:
    """Write `label  HH:MM:SS.mmm UTC` into the luma plane, in place: light letters with a dark outline."""
    seconds, millis = divmod(capture_ms, 1000)
    text = f"{label}  {time.strftime('%H:%M:%S', time.gmtime(seconds))}.{millis:03d} UTC"
    scale = luma.shape[0] / 1500
    origin = (round(24 * scale), round(44 * scale))
    box = luma[: round(64 * scale), : round((30 + 17.0 * len(text)) * scale)]
    cv2.convertScaleAbs(box, box, 0.45, 8)
    cv2.putText(box, text, origin, _FONT, scale, (228,), max(1, round(2 * scale)), cv2.LINE_AA)
