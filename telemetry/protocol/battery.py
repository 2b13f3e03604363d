"""The flight battery, which two messages tell of: SYS_STATUS, and BATTERY_STATUS of battery 0."""

from __future__ import annotations

from typing import NamedTuple

SUPERSEDED_NS = 3_000_000_000
"""The system status, which the autopilot's own failsafe goes by, counts until it is so much older."""


class BatteryReading(NamedTuple):
    """What one message said, None where it did not know, and when (Lagebild time)."""

    percent: float | None
    volts: float | None
    received_ns: int


def shown_battery(system: BatteryReading | None, status: BatteryReading | None) -> BatteryReading:
    """The reading to show of the newest of both messages, at least one of which is there.

    Each fills what the other does not know. The time is that of the oldest value shown, so that nothing looks
    fresher than it is; where no value is known, that of the newest message.
    """
    readings = [reading for reading in (system, status) if reading is not None]
    if system and status and status.received_ns - system.received_ns > SUPERSEDED_NS:
        readings.reverse()
    charge = next((reading for reading in readings if reading.percent is not None), None)
    voltage = next((reading for reading in readings if reading.volts is not None), None)
    times_ns = [reading.received_ns for reading in (charge, voltage) if reading is not None]
    return BatteryReading(
        charge.percent if charge else None,
        voltage.volts if voltage else None,
        min(times_ns) if times_ns else max(reading.received_ns for reading in readings),
    )
