"""Which STATUSTEXTs of ArduPilot and PX4 are alarms. The words are the autopilots' own, of many releases.

Severities are not gone by: releases before 2016 call "Initialising" an alert and a low battery an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flow.flights import AlarmLevel

_ALARM, _WARNING = AlarmLevel.ALARM, AlarmLevel.WARNING


@dataclass(frozen=True, slots=True)
class Said:
    """What a text raises; where not `on_ground`, only of an aircraft that flies."""

    code: str
    level: AlarmLevel
    on_ground: bool


_OVER = r"clear|deactivat|recover|regain|resolved|\boff\b|restored|no longer"

_GROUND_STATION = r"(GCS|data ?link|ground (control )?station)"
_REMOTE = r"(radio|RC|throttle|manual control)"

# The first that is found counts: what is more particular stands before what is more general.
_RAISING: tuple[tuple[re.Pattern[str], Said], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), Said(code, level, on_ground))
    for pattern, code, level, on_ground in (
        # AP_Arming: said about every 30 s to whoever wants to start; then there is someone to tell.
        (r"^(PreArm|Arm): .*(need 3D fix|bad position|no GPS lock)", "no_fix_to_arm", _WARNING, True),
        (r"^(PreArm|Arm|Preflight Fail|Arming denied)\b", "", _WARNING, False),
        (r"crash: disarming|crash detected", "crash", _ALARM, True),
        (r"parachute:? *(released|deployed)", "parachute", _ALARM, True),
        (r"flight termination|^terminating", "termination", _ALARM, True),
        (r"locate (copter|vehicle)|lost (copter|plane|vehicle)", "locate", _ALARM, True),
        (r"thrust loss|(motor|engine|ESC)\b.*(fail|lost)", "motor", _ALARM, False),
        (r"batt.*(critical|emergency|dangerous|failsafe)", "battery_critical", _ALARM, False),
        (r"(critical|emergency|dangerous|failsafe).*batt", "battery_critical", _ALARM, False),
        (r"batt.*\blow\b|\blow batt|battery (level )?warning", "battery_low", _ALARM, False),
        (r"fence.*(breach|violat|exceed)|(breach|violat).*fence", "fence", _ALARM, False),
        (rf"{_REMOTE}.*(failsafe|lost)|lost manual control|no RC\b", "radio_failsafe", _ALARM, False),
        (rf"{_GROUND_STATION}.*(failsafe|lost)", "gcs_failsafe", _WARNING, False),
        (r"terrain.*(failsafe|missing|not available)", "terrain_failsafe", _WARNING, False),
        (r"GPS glitch|GPS.*(failsafe|lost|no fix)", "gps_glitch", _ALARM, False),
        (r"position (estimate )?(lost|invalid)", "gps_glitch", _ALARM, False),
        (r"EKF.*(failsafe|variance|unhealthy)|DCM fallback", "ekf", _ALARM, False),
        (r"attitude (estimate|failure)", "ekf", _ALARM, False),
        (r"(compass|mag\w*) (error|variance|fail|fault)", "compass", _WARNING, False),
        (r"vibration compensation|high vibration", "vibration", _WARNING, False),
        (r"failsafe", "failsafe", _ALARM, False),
    )
)

_ENDING: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (rf"batt.*({_OVER})", "battery_critical"),
        (rf"fence.*({_OVER})", "fence"),
        (rf"{_REMOTE}.*({_OVER})", "radio_failsafe"),
        (rf"{_GROUND_STATION}.*({_OVER})", "gcs_failsafe"),
        (rf"terrain.*({_OVER})", "terrain_failsafe"),
        (rf"GPS.*({_OVER})", "gps_glitch"),
        (rf"EKF.*({_OVER})", "ekf"),
        (rf"(compass|mag).*({_OVER})", "compass"),
        (rf"vibration.*({_OVER})", "vibration"),
        (rf"failsafe.*({_OVER}|ended)", "failsafe"),
    )
)

CODES = tuple(dict.fromkeys(said.code for _, said in _RAISING if said.code))
"""Every code that a text may raise."""


LOOKED_AT = 200
"""Characters of a text that are looked at: four chunks of a STATUSTEXT. What is longer is no autopilot's."""


def ended_by(text: str) -> str | None:
    """The code that a text says is over; None for any other text."""
    return next((code for pattern, code in _ENDING if pattern.search(text, 0, LOOKED_AT)), None)


def raised_by(text: str) -> Said | None:
    """What a text raises; None for one that is no alarm."""
    if ended_by(text) is not None:
        return None
    said = next((said for pattern, said in _RAISING if pattern.search(text, 0, LOOKED_AT)), None)
    return said if said and said.code else None
