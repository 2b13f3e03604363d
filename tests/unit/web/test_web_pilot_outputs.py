"""The pilot page tells whether TAK and others get something."""

from __future__ import annotations

from flow.memory_bus import MemoryBus
from flow.samples import OutputState
from web.pilot_outputs import PilotOutput, outputs_of
from web.settings import AircraftSettings, CotSettings, FeedSettings, Settings

TAK = ("tls://tak.example:8089", "udp://239.2.3.1:6969")
SETTINGS = Settings(
    cot=CotSettings(to=TAK),
    aircraft=(
        AircraftSettings(
            "otto",
            feed=(
                FeedSettings("tag", "rtmp", "Tageslicht", ts_out="udp://x:1"),
                FeedSettings("nacht", "rtmp"),
            ),
        ),
    ),
)


def test_what_is_configured_is_told_as_it_is() -> None:
    bus = MemoryBus()
    assert outputs_of(SETTINGS, bus) == []
    bus.publish(OutputState("cot:1", TAK[1], True, 7, 1))
    bus.publish(OutputState("cot:2", "tcp://of-another-configuration:1", True))
    bus.publish(OutputState("ts:tag", "udp://x:1", detail="no way"))
    assert outputs_of(SETTINGS, bus) == [
        PilotOutput("cot", "", TAK[1], True, 7, 1, ""),
        PilotOutput("ts", "Tageslicht", "udp://x:1", False, 0, 0, "no way"),
    ]
