"""`make prove-telemetry`: hostile inputs over all parsers of telemetry, more than a million."""

from __future__ import annotations

from .parsing import prove_all
from .telemetry_films import FILMS
from .telemetry_klv import KLV_PARSERS
from .telemetry_mavlink import MAVLINK_PARSERS

TELEMETRY_PARSERS = MAVLINK_PARSERS | KLV_PARSERS | FILMS

if __name__ == "__main__":
    prove_all("telemetry", TELEMETRY_PARSERS)
