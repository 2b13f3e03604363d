"""KLV beside the pictures, remultiplexed and sent by ffmpeg: by SRT, by UDP, and in RTP."""

from __future__ import annotations

import pytest

from flow.samples import MetadataKind
from ingest.settings import FeedSource, PublishSettings
from tests.fakes.derived_keys import DerivedKeys
from tests.fakes.klv_sets import flight
from tests.unit.ingest.klv_streams import FIRST_PTS, STEP, multiplex

from .ingest_rig import FFMPEG, FFMPEG_9, publishing, running

PICTURES = 60
SETS = [flight(n) for n in range(PICTURES // 6)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two seconds, five sets in each."""
    path = tmp_path_factory.mktemp("klv") / "klv.ts"
    at = {6 * n: [(data, FIRST_PTS + 6 * n * STEP)] for n, data in enumerate(SETS)}
    path.write_bytes(b"".join(multiplex(at, PICTURES)))
    return str(path)


def sends(program: str, clip: str, form: str, url: str) -> list[str]:
    """The clip again and again: at its end SRT would not wait for what is not sent yet."""
    command = [program, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", clip]
    return [*command, "-map", "0", "-c", "copy", "-f", form, url]


async def test_every_way_in_brings_klv_with_its_pictures(clip: str) -> None:
    sources = (
        FeedSource("in-udp", "udp://127.0.0.1:0"),
        FeedSource("in-rtp", "udp://127.0.0.1:0"),
        FeedSource("in-srt", "srt"),
    )
    publish = PublishSettings(("127.0.0.1",), srt_port=0, srt_latency_ms=60)
    async with running(*sources, publish=publish, keys=DerivedKeys()) as rig:
        await rig.until(lambda: "srt://127.0.0.1:" in rig.state("in-srt").detail, "the server listens")
        at = rig.state("in-srt").detail.rpartition(":")[2]
        srt = f"srt://127.0.0.1:{at}?streamid=publish:in-srt:k-in-srt"
        async with (
            publishing(*sends(FFMPEG, clip, "mpegts", f"udp://127.0.0.1:{rig.port('in-udp')}?pkt_size=1316")),
            publishing(*sends(FFMPEG, clip, "rtp_mpegts", f"rtp://127.0.0.1:{rig.port('in-rtp')}")),
            publishing(*sends(FFMPEG_9, clip, "mpegts", srt)),
        ):
            names = [source.feed_id for source in sources]
            await rig.until(lambda: all(len(rig.metadata(name)) >= 6 for name in names), f"sets of {names}")
        for source in sources:
            told, shown = rig.metadata(source.feed_id), {unit.pts_90k for unit in rig.units(source.feed_id)}
            first = SETS.index(told[0].data)
            assert [unit.data for unit in told[:6]] == (SETS + SETS)[first : first + 6]
            assert {unit.kind for unit in told} == {MetadataKind.KLV}
            # Each is of a picture to the tick; the very first may come before there is one.
            assert {unit.pts_90k for unit in told[1:6]} <= shown
