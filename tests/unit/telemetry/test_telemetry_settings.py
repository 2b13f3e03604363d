"""Settings that contradict themselves are refused with one clear line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.errors import ConfigError
from telemetry.settings import AircraftLink, TelemetrySettings
from web.settings import AircraftSettings

URL = "udpin:127.0.0.1:14550"


def test_aircraft_share_a_url() -> None:
    one, two = AircraftLink("fritz", URL, 1), AircraftLink("ottmar", URL, 2)
    other = AircraftLink("karl", "tcp:127.0.0.1:5760")
    assert TelemetrySettings((one, two, other)).by_url() == [(URL, [one, two]), (other.url, [other])]


def test_an_exercise_shares_no_port_that_the_kernel_chooses() -> None:
    one, two = AircraftLink("fritz", "udpin:127.0.0.1:0"), AircraftLink("uebung", "udpin:127.0.0.1:0")
    settings = TelemetrySettings((one, two), training=("uebung",))
    assert settings.by_url() == [(one.url, [one]), (two.url, [two])]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (1, 1, ("fritz", "ottmar", URL, "system_id of its own")),
        (None, None, ("fritz", "ottmar", URL)),
        (None, 2, ("fritz", URL, "give it its system_id")),
        (256, 2, ("fritz", "256")),
        (0, 2, ("fritz", "not 1 to 255")),
    ],
)
def test_what_cannot_be_told_apart_is_refused(
    first: int | None, second: int | None, words: tuple[str, ...]
) -> None:
    links = AircraftLink("fritz", URL, first), AircraftLink("ottmar", URL, second)
    with pytest.raises(ConfigError) as raised:
        TelemetrySettings(links).by_url()
    assert all(word in str(raised.value) for word in words)
    assert "\n" not in str(raised.value)


def test_a_key_secures_an_open_port_and_is_never_shown() -> None:
    told = AircraftSettings("fritz", mavlink="udpin:0.0.0.0:14550", signing_key="geheim")
    assert told.as_aircraft().unsecured is None
    assert replace(told, signing_key="").as_aircraft().unsecured is not None
    assert "geheim" not in repr(told)
    assert "geheim" not in repr(AircraftLink("fritz", told.mavlink, signing_key=told.signing_key))
