"""A satellite receiver led astray: positions hundreds of metres off, in messages that are otherwise whole."""

from __future__ import annotations

import math
import struct

from .episodes import Episodes, stream
from .mavlink_frames import Header, is_intact, parse_header, seal

_METRES_PER_DEGREE = 111_320.0
_LEAST_M, _MOST_M = 200.0, 900.0
_PLACES = {33: 4, 24: 8}
"""Where latitude and longitude (degE7, int32 each) are in GLOBAL_POSITION_INT and GPS_RAW_INT."""
_PLACE = struct.Struct("<ii")
_QUARTER = 900_000_000  # of a circle, in degE7


class GpsJumps:
    """Rewrites messages while an episode runs; in each one, all are off by the same way."""

    def __init__(self, episodes: Episodes, seed: int) -> None:
        self._episodes, self._seed = episodes, seed

    def changed(self, data: bytes, time_ns: int) -> bytes:
        """The message as it is sent at `time_ns`; the same where it tells no place, is damaged or signed."""
        if not self._episodes.runs_at(time_ns):
            return data
        header = parse_header(data)
        if header is None or header.message_id not in _PLACES or header.signed or header.size != len(data):
            return data
        return self._moved(data, header) if is_intact(data, header) else data

    def _moved(self, data: bytes, header: Header) -> bytes:
        at = _PLACES[header.message_id]
        payload = bytearray(data[header.payload_start : header.payload_end])
        payload.extend(bytes(max(0, at + _PLACE.size - len(payload))))  # zero bytes at the end are left out
        latitude, longitude = _PLACE.unpack_from(payload, at)
        if latitude == longitude == 0:  # it says that it knows no place
            return data
        north_m, east_m = self._way()
        latitude += round(north_m / _METRES_PER_DEGREE * 1e7)
        shrink = max(0.01, math.cos(math.radians(latitude / 1e7)))
        longitude += round(east_m / _METRES_PER_DEGREE / shrink * 1e7)
        latitude = max(-_QUARTER, min(_QUARTER, latitude))
        _PLACE.pack_into(payload, at, latitude, (longitude + 2 * _QUARTER) % (4 * _QUARTER) - 2 * _QUARTER)
        head = data[:1] + bytes((len(payload),)) + data[2 : header.payload_start]
        return seal(head + payload, header)

    def _way(self) -> tuple[float, float]:
        """North and east, in metres: drawn by the number of the episode alone."""
        random = stream(self._seed, f"gps jump {self._episodes.number}")
        bearing, metres = random.uniform(0, math.tau), random.uniform(_LEAST_M, _MOST_M)
        return metres * math.cos(bearing), metres * math.sin(bearing)
