"""The aircraft as which recordings are played for an exercise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flow.errors import ConfigError
from flow.flights import Aircraft

from .settings import AircraftSettings, FeedSettings, Settings

MARK = "ÜBUNG"
"""Stands before every name of it, wherever it shows."""


@dataclass(frozen=True, slots=True)
class TrainingSettings(AircraftSettings):
    """Nobody configures it, so no key of the settings' file is needed."""

    def as_aircraft(self) -> Aircraft:
        aircraft = AircraftSettings.as_aircraft(self)
        feeds = tuple(replace(feed, training=True) for feed in aircraft.feeds)
        return replace(aircraft, feeds=feeds, training=True)


TRAINING = TrainingSettings(
    id="uebung",
    name=MARK,
    mavlink="udpin:127.0.0.1:0",
    feed=tuple(
        FeedSettings(f"uebung-{number}", "rtp://127.0.0.1:0", f"{MARK} {number}", trust_clock=True)
        for number in (1, 2)
    ),
)
FEED_IDS = tuple(feed.id for feed in TRAINING.feed)


def with_training(settings: Settings) -> Settings:
    """With that aircraft where there are recordings to play. Raises ConfigError where its ids are taken."""
    if not settings.recording.enabled:
        return settings
    ours = {TRAINING.id, *FEED_IDS}
    ids = (name for one in settings.aircraft for name in (one.id, *(feed.id for feed in one.feed)))
    taken = [name for name in ids if name in ours]
    if taken:
        raise ConfigError(
            f"'{taken[0]}' is an id under which recordings are played for exercises: give your aircraft or "
            "feed another one, or set recording.enabled = false"
        )
    return replace(settings, aircraft=(*settings.aircraft, TRAINING))
