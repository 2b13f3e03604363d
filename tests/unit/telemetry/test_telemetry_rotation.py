from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.protocol.gimbal import camera_axis
from telemetry.protocol.rotation import Angles, angles, product, rotation


@given(st.floats(0, 359.9), st.floats(-89, 89), st.floats(-179, 179))
def test_angles_are_those_of_the_rotation(yaw: float, pitch: float, roll: float) -> None:
    got = angles(rotation(yaw, pitch, roll))
    assert got.pitch_deg == pytest.approx(pitch, abs=1e-6)
    assert (got.yaw_deg - yaw + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    assert (got.roll_deg - roll + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


def test_turns_about_one_axis_add_up() -> None:
    assert angles(product(rotation(350, 0, 0), rotation(25, -40, 0))) == pytest.approx((15, -40, 0))
    assert angles(product(rotation(0, 10, 0), rotation(0, -40, 0))) == pytest.approx((0, -30, 0))
    # Nose up 10 degrees, camera to the right: the picture is turned, and the axis stays level.
    assert angles(product(rotation(0, 10, 0), rotation(90, 0, 0))) == pytest.approx((90, 0, 10), abs=1e-9)
    # Right wing down 10 degrees, camera to the right: it looks down 10 degrees.
    assert angles(product(rotation(0, 0, 10), rotation(90, 0, 0))) == pytest.approx((90, -10, 0), abs=1e-9)


@pytest.mark.parametrize("heading", [0.0, 75.0, 350.0])
def test_straight_down_yaw_is_where_the_top_of_the_picture_points(heading: float) -> None:
    assert angles(rotation(heading, -90, 0)) == pytest.approx(Angles(heading, -90, 0), abs=1e-6)
    level, down = rotation(heading, 0, 0), rotation(0, -90, 0)
    assert angles(product(level, down)).yaw_deg == pytest.approx(heading, abs=1e-6)
    assert angles(rotation(heading, 90, 0)) == pytest.approx(Angles(heading, 90, 0), abs=1e-6)


def test_it_agrees_with_the_gimbals_of_mavlink() -> None:
    """Quaternion of yaw 90, pitch -30 (w, x, y, z), worked out by hand."""
    half = 0.5**0.5
    cosine, sine = 0.9659258262890683, -0.25881904510252074
    axis = camera_axis((half * cosine, -half * sine, half * sine, half * cosine), 64)
    assert axis is not None
    got = angles(rotation(90, -30, 0))
    assert (axis.yaw_deg % 360, axis.pitch_deg) == pytest.approx((got.yaw_deg, got.pitch_deg))
