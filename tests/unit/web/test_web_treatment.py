"""What is made of a feed's pictures, and what it costs, reaches programs, pages and Prometheus."""

from __future__ import annotations

from dataclasses import replace

from flow.flights import RenditionState, RenditionStatus
from flow.samples import TelemetrySample
from flow.units import Rendition

from .test_web_channel import FEED, Studio, studio
from .test_web_service import heard, house

__all__ = ["studio"]  # the fixture

WEB = RenditionState(
    "fritz-tag",
    Rendition.WEB,
    RenditionStatus.LIVE,
    1_795_330_000_000_000_000,
    why=("codec_h265",),
    encoder="libx264",
    cpu_share=0.4,
    delay_ms=45.0,
    pictures=300,
    dropped=2,
)
LOW = replace(WEB, rendition=Rendition.LOW, status=RenditionStatus.FAILED, reason="encoder_failed",
              why=("scaled",), cpu_share=None, delay_ms=None, restarts=3)  # fmt: skip


async def test_it_is_told_to_programs_and_pages() -> None:
    async with house() as h:
        async with h.http.ws_connect("/api/v1/feeds/fritz-tag/telemetry") as socket:
            assert (await heard(socket, "hello"))["feed"]["renditions"] == []
            h.service.bus.publish(WEB)
            told = await heard(socket, "renditions")
            assert told["feed_id"] == "fritz-tag"
            (web,) = told["renditions"]
            assert (web["rendition"], web["why"], web["delay_ms"]) == ("web", ["codec_h265"], 45.0)
            assert web["since_ms"] == 1_795_330_000_000.0
            h.service.bus.publish(LOW)
            told = await heard(socket, "renditions")
            assert [each["rendition"] for each in told["renditions"]] == ["web", "low"]
        async with h.http.ws_connect("/api/v1/feeds/fritz-tag/telemetry") as socket:
            assert len((await heard(socket, "hello"))["feed"]["renditions"]) == 2
        _, feeds = await h.get("/api/v1/feeds")
        _, feed = await h.get("/api/v1/feeds/fritz-tag")
        assert feeds["feeds"][0]["renditions"] == feed["renditions"] == told["renditions"]
        _, pilot = await h.get("/api/v1/pilot")
        assert pilot["aircraft"][0]["feeds"][0]["feed"]["renditions"] == told["renditions"]


async def test_it_is_measured() -> None:
    async with house() as h:
        _, metrics = await h.get("/metrics")
        assert "lagebild_rendition_running{" not in metrics  # nobody has needed one
        h.service.bus.publish(WEB)
        h.service.bus.publish(LOW)
        _, metrics = await h.get("/metrics")
    web, low = (f'{{feed="fritz-tag",rendition="{each}"}}' for each in ("web", "low"))
    for line in (
        f"lagebild_rendition_running{web} 1.0",
        f"lagebild_rendition_running{low} 0.0",
        f"lagebild_rendition_failed{web} 0.0",
        f"lagebild_rendition_failed{low} 1.0",
        f"lagebild_rendition_cpu_cores{web} 0.4",
        f"lagebild_rendition_delay_seconds{web} 0.045",
        f"lagebild_rendition_dropped_total{web} 2.0",
        f"lagebild_rendition_restarts_total{low} 3.0",
    ):
        assert line in metrics.splitlines()
    assert f"lagebild_rendition_cpu_cores{low}" not in metrics  # unknown is not zero


async def test_figures_are_no_news_while_telemetry_flows(studio: Studio) -> None:
    web = replace(WEB, feed_id=FEED.id)
    async with studio.page() as page:
        page.heard()
        await studio.publish(TelemetrySample("otto", 1), web)
        assert page.kinds() == ["telemetry", "renditions"]
        await studio.publish(replace(web, cpu_share=0.5, pictures=330))
        assert page.kinds() == []
        await studio.publish(TelemetrySample("otto", 2))
        assert page.kinds() == ["telemetry", "renditions"]  # they rode with it
        await studio.publish(replace(web, reason="encoder_slow"))
        assert page.kinds() == ["renditions"]
        await studio.publish(replace(web, feed_id="somebody-else"))
        assert page.kinds() == []
