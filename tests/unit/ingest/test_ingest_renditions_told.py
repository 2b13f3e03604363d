"""What is told of a rendition that is not made. No process, no time but the test's."""

from __future__ import annotations

import pytest

from flow.clock import NS_PER_S
from flow.flights import RenditionState, RenditionStatus, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import Codec, CodecConfig, Rendition
from ingest.protocol.leases import LINGER_NS
from ingest.settings import EncodeSettings
from ingest.transcode import Transcoding
from tests.fakes.clock import START_NS, FakeClock

FEED = "fritz"
WEB = f"{FEED}/{Rendition.WEB}"
CONFIG = CodecConfig(Codec.H264, 1280, 720, 100, 0, 31, "4:2:0", 8, False, False)


def live(*notes: str) -> SourceState:
    return SourceState(FEED, SourceStatus.LIVE, START_NS, config=CONFIG, notes=notes)


@pytest.mark.parametrize(("before", "refusal"), [(live(), "not_needed"), (None, "no_source")])
def test_a_refusal_is_taken_back_when_the_source_is_unfit_and_nobody_asks_any_more(
    before: SourceState | None, refusal: str
) -> None:
    """Whoever goes by it would never ask again."""
    bus, clock = MemoryBus(), FakeClock()
    maker = Transcoding(bus, clock, EncodeSettings(), [FEED])._makers[WEB]

    def told() -> tuple[RenditionStatus, str]:
        maker.tick()
        state = bus.peek(RenditionState, WEB)
        assert state is not None
        return state.status, state.reason

    if before is not None:
        bus.publish(before)
    maker.want(clock.now_ns() + NS_PER_S)
    assert told() == (RenditionStatus.OFF, refusal)
    clock.advance(NS_PER_S + LINGER_NS)
    assert told() == (RenditionStatus.OFF, refusal)
    bus.publish(live("b_frames"))
    assert told() == (RenditionStatus.OFF, "")
    bus.publish(live())
    assert told() == (RenditionStatus.OFF, "")  # until somebody asks again
    maker.want(clock.now_ns() + NS_PER_S)
    assert told() == (RenditionStatus.OFF, "not_needed")
