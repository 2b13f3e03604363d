"""KLV for tests: a plausible flight as MISB sets, and klvdata, an independent reader of them."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flow.codec.eg0104 import EG0104_KEY
from flow.codec.klv import write_length
from flow.codec.st0601 import St0601, encode_st0601

_READER = Path(__file__).parents[2] / ".venv-stations" / "bin" / "python"
_SCRIPT = """
import json, sys
from klvdata.klvparser import KLVParser
from klvdata.misb0601 import UASLocalMetadataSet
for key, items in KLVParser(sys.stdin.buffer.read(), key_length=16):
    told = {}
    for tag, data in KLVParser(items, key_length=1):
        if tag[0] >= 0x80:  # tags of two bytes are unknown to it, and so is where they end
            break
        try:
            value = UASLocalMetadataSet.parsers[tag](data).value.value
        except (AttributeError, KeyError, TypeError, ValueError):  # sets within the set, and its own faults
            continue
        told[tag[0]] = value if isinstance(value, (int, float)) else str(value)
    print(json.dumps(told))
"""

UTC_US = 1_795_330_000_000_000
FLIGHT = St0601(
    utc_us=UTC_US,
    mission_id="Übung 7",
    platform_heading_deg=350.0,
    platform_pitch_deg=-4.0,
    platform_roll_deg=2.5,
    platform_designation="Fritz",
    image_source="Tageslicht",
    sensor_lat_deg=49.4401,
    sensor_lon_deg=7.7491,
    sensor_alt_msl_m=331.5,
    sensor_alt_hae_m=379.25,
    sensor_alt_agl_m=84.0,
    hfov_deg=62.0,
    vfov_deg=37.0,
    sensor_azimuth_deg=25.0,
    sensor_elevation_deg=-40.0,
    sensor_roll_deg=0.0,
    slant_range_m=130.0,
    frame_centre_lat_deg=49.4411,
    frame_centre_lon_deg=7.7495,
    frame_centre_alt_msl_m=247.0,
    ground_speed_ms=12.0,
    climb_ms=1.5,
    version=17,
)


def flight(index: int = 0, every_us: int = 200_000) -> bytes:
    """The `index`-th set of a flight that goes north, five a second."""
    moved = replace(FLIGHT, utc_us=UTC_US + index * every_us, sensor_lat_deg=49.4401 + index * 1e-5)
    return encode_st0601(moved)


def universal(items: Mapping[str, bytes | float | int]) -> bytes:
    """An EG 0104 set; floats as doubles, integers as 8 bytes."""
    body = b""
    for key, value in items.items():
        data = value if isinstance(value, bytes) else struct.pack(_FORMATS[type(value)], value)
        body += bytes.fromhex("060e2b3401010101" + key) + write_length(len(data)) + data
    return EG0104_KEY + write_length(len(body)) + body


_FORMATS: dict[type, str] = {float: ">d", int: ">Q"}


def read_by_klvdata(sets: Iterable[bytes]) -> list[dict[int, Any]]:
    """By set, the value of each tag as klvdata reads it; what it has no number for, as text."""
    if not _READER.exists():
        pytest.skip("klvdata is not set up (scripts/setup test)")
    done = subprocess.run([_READER, "-c", _SCRIPT], input=b"".join(sets), capture_output=True, check=True)
    return [{int(tag): value for tag, value in json.loads(line).items()} for line in done.stdout.splitlines()]
