"""How large a picture may be to be decoded here. No I/O, no clock."""

from __future__ import annotations

from flow.codec.annexb import split_nal_units
from flow.codec.parameter_sets import config_of
from flow.errors import MalformedError
from flow.units import AccessUnit

DECODED_MOST_PX = 8192 * 4352
"""H.264 and H.265 level 6: 8K, however shaped. A parameter set that promises more is a lie or an attack."""


def why_too_large(unit: AccessUnit, most_px: int = DECODED_MOST_PX) -> str:
    """One line if the parameter sets in a keyframe promise more than that, else ""."""
    try:
        config = config_of(unit.codec, split_nal_units(unit.data))
    except MalformedError:
        return ""
    if config is None or config.width_px * config.height_px <= most_px:
        return ""
    return f"pictures of {config.width_px}x{config.height_px} cannot be decoded here: they are larger than 8K"
