"""The aircraft of exercises is there where recordings are, and is taken for no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aiohttp
import msgspec
import pytest

from flow.errors import ConfigError
from recordings.protocol.episodes import Habit
from recordings.protocol.impairments import Impairments
from recordings.replay import _manner, _parser
from web.room_settings import telemetry_settings
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)
from web.training import NewTraining
from web.training_aircraft import TRAINING, with_training

FRITZ = AircraftSettings("fritz", mavlink="udpin:127.0.0.1:0", feed=(FeedSettings("tag", "rtmp"),))
RECORDING = Settings(aircraft=(FRITZ,), recording=RecordingSettings(enabled=True))


def test_it_is_marked_and_never_told_to_others() -> None:
    settings = with_training(RECORDING)
    assert [one.id for one in settings.aircraft] == ["fritz", "uebung"]
    aircraft = settings.aircraft[1].as_aircraft()
    assert aircraft.training
    assert all(feed.training and feed.name.startswith("ÜBUNG") for feed in aircraft.feeds)
    assert telemetry_settings(settings).training == (TRAINING.id,)
    assert not settings.aircraft[0].as_aircraft().training


def test_no_share_has_it() -> None:
    """MAVLink for ground stations and pictures for TAK are of the aircraft that somebody configured."""
    tag = replace(FRITZ.feed[0], ts_out="udp://127.0.0.1:5000")
    fritz = replace(FRITZ, forward=("udpin:127.0.0.1:0",), feed=(tag,))
    told = telemetry_settings(with_training(replace(RECORDING, aircraft=(fritz,))))
    assert [one.aircraft_id for one in told.sharing] == ["fritz"]
    assert [one.feed_id for one in told.ts_outs] == ["tag"]


def test_how_badly_it_is_played_is_what_was_wished() -> None:
    wish = msgspec.json.decode(
        b"""{"flight_id": "x", "outage": {"every_s": 60, "for_s": 2.5},
        "gps_jump": {"every_s": 30, "for_s": 4}, "telemetry_dropout": {"every_s": 20, "for_s": 1},
        "loss": 0.02, "jitter_ms": 30, "reorder": 0.1}""",
        type=NewTraining,
    )
    options = _parser().parse_args(["--flight=x", *wish.arguments()])
    assert _manner(options).impairments == Impairments(
        loss=0.02,
        jitter_ns=30_000_000,
        reorder=0.1,
        outages=Habit(60_000_000_000, 2_500_000_000),
        telemetry_outages=Habit(20_000_000_000, 1_000_000_000),
        gps_jumps=Habit(30_000_000_000, 4_000_000_000),
    )


@pytest.mark.parametrize(
    "often", [b'{"every_s": 0, "for_s": 1}', b'{"every_s": 60}', b'{"every_s": 60, "for_s": 1e9}', b'"60,1"']
)
def test_no_other_wishes(often: bytes) -> None:
    for name in (b"outage", b"gps_jump", b"telemetry_dropout"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(b'{"flight_id": "x", "%s": %s}' % (name, often), type=NewTraining)


def test_without_recordings_there_is_none() -> None:
    settings = replace(RECORDING, recording=RecordingSettings(enabled=False))
    assert with_training(settings) is settings


@pytest.mark.parametrize(
    "taken", [replace(FRITZ, id="uebung"), replace(FRITZ, feed=(FeedSettings("uebung-2", "rtmp"),))]
)
def test_its_ids_are_its_own(taken: AircraftSettings) -> None:
    with pytest.raises(
        ConfigError, match=r"'uebung(-2)?' is an id .* give your aircraft or feed another one"
    ):
        with_training(replace(RECORDING, aircraft=(taken,)))


async def test_what_is_marked_in_an_exercise_says_so_on_every_map(tmp_path: Path) -> None:
    """Other programs draw it among what is real, and know of no exercise."""
    settings = replace(
        RECORDING,
        aircraft=(replace(FRITZ, feed=(FeedSettings("tag", "rtp://127.0.0.1:0"),)),),
        server=ServerSettings(port=0, data_dir=str(tmp_path)),
        webrtc=WebRtcSettings(port=0),
    )
    place = {"lat_deg": 49.4, "lon_deg": 7.7, "label": "Brandherd"}
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        for feed_id, label in (("uebung-1", "ÜBUNG · Brandherd"), ("tag", "Brandherd")):
            async with http.post("/api/v1/markers", json=place | {"feed_id": feed_id}) as reply:
                marker = (await reply.json())["id"]
            change = {"label": "Brandherd"}
            async with http.patch(f"/api/v1/markers/{marker}", json=change) as reply:
                assert (await reply.json())["label"] == label
        async with http.get("/api/v1/situation.geojson") as reply:
            features = (await reply.json(content_type=None))["features"]
        assert [each["properties"]["name"] for each in features] == ["ÜBUNG · Brandherd", "Brandherd"]
