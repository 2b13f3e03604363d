"""How good the link to the aircraft is, in percent, from the radio or else from the remote control.

Ground stations show the figures of a telemetry radio as they come: Mission Planner the signal above the noise
in dB, (rssi - noise) / 1.9 for SiK radios, QGroundControl the dBm. Their handbook counts the margin as well:
6 dB more carry twice as far, and below some 10 dB packets get lost. So here 0 % is no margin and 100 % is 40
dB or more, by the weaker direction: 20 %, 8 dB, is about where it fails.
"""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

UNKNOWN = 0xFF
STRONGEST = 254
STEPS_PER_DB = 1.9  # SiK: "approx 2x dB"; the factor is Mission Planner's
FULL_DB = 40.0
RADIO_GONE_NS = 5_000_000_000

RADIO_IDS = frozenset({dialect.MAVLINK_MSG_ID_RADIO_STATUS, dialect.MAVLINK_MSG_ID_RADIO})
"""Both have the same fields; the second one is of SiK radios before 2014."""
REMOTE_CONTROL_IDS = frozenset({dialect.MAVLINK_MSG_ID_RC_CHANNELS, dialect.MAVLINK_MSG_ID_RC_CHANNELS_RAW})


class LinkQuality:
    """Take in what radio and remote control say; `percent` is None while neither has said anything."""

    def __init__(self) -> None:
        self.percent: float | None = None
        self.received_ns = 0
        self._radio_ns: int | None = None
        self._remote_speaks = self._control_speaks = False

    def on_radio(self, message: Any, now_ns: int) -> None:
        """RADIO_STATUS or RADIO: of the radio on the ground (`rssi`) and the one in the air (`remrssi`)."""
        self._remote_speaks |= bool(message.remrssi or message.remnoise)
        ways = [_margin_pct(message.rssi, message.noise)]
        if self._remote_speaks:  # bridges that are no radio pair leave it at 0; a pair does so when parted
            ways.append(_margin_pct(message.remrssi, message.remnoise))
        known = [way for way in ways if way is not None]
        if known:
            self.percent, self.received_ns, self._radio_ns = min(known), now_ns, now_ns

    def on_remote_control(self, message: Any, now_ns: int) -> None:
        """RC_CHANNELS or RC_CHANNELS_RAW: rssi 0 to 254. A receiver that measures none says 0 for ever."""
        self._control_speaks |= message.rssi not in (0, UNKNOWN)
        if self._radio_ns is not None and now_ns - self._radio_ns <= RADIO_GONE_NS:
            return
        if self._control_speaks and message.rssi != UNKNOWN:
            self.percent, self.received_ns = 100.0 * message.rssi / STRONGEST, now_ns


def _margin_pct(rssi: int, noise: int) -> float | None:
    """0 to 100; where the noise is not measured (no receiver is without), by the signal alone."""
    if rssi == UNKNOWN:
        return None
    if noise in (0, UNKNOWN):
        return 100.0 * rssi / STRONGEST
    return min(100.0, max(0.0, 100.0 * (rssi - noise) / STEPS_PER_DB / FULL_DB))
