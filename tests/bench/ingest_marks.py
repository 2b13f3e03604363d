"""Numbers in pictures: a `user_data_unregistered` SEI message (H.264 D.1.7, H.265 D.2.7) before each one."""

from __future__ import annotations

_UUID = b"lagebild-picture"
_DIGITS = 10
_NUMBERED = _UUID + b"%010d"
_USER_DATA = bytes((5, len(_UUID) + _DIGITS))
_SEI = {"h264": b"\x06", "h265": b"\x4e\x01"}


def marked(unit: bytes, number: int, codec: str = "h264") -> bytes:
    """The access unit with its number. ASCII needs no emulation prevention."""
    return b"\0\0\0\1" + _SEI[codec] + _USER_DATA + _NUMBERED % number + b"\x80" + unit


def number_of(unit: bytes) -> int | None:
    """What `marked()` has put into the access unit, however it was cut up and put together since."""
    at = unit.find(_UUID)
    return int(unit[at + len(_UUID) : at + len(_UUID) + _DIGITS]) if at >= 0 else None
