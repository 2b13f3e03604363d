"""Stills of real pictures, made by the real decoder process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from flow.bus import Item
from flow.clock import NS_PER_MS, NS_PER_S, SystemClock
from flow.doors import Still
from flow.errors import NotFoundError, UnavailableError
from flow.flights import Alarm, Feed, PictureHealth, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Codec, CodecConfig
from ingest import decoding
from ingest.stills import Stills
from tests.fakes import scenes
from tests.fakes.exif import degrees, read_exif
from tests.fakes.scenes import FPS, HEIGHT, WIDTH
from tests.unit.ingest.test_ingest_shots import sample

CAMERA = Feed("fritz-tag", "fritz", "Tageslicht")
DEADLINE_S = 20.0


class House:
    def __init__(self, bus: MemoryBus, clock: SystemClock, stills: Stills) -> None:
        self.bus, self.clock, self.stills = bus, clock, stills

    async def still(self) -> Still:
        return await self.stills.still(CAMERA.id)

    async def publish(self, *items: Item) -> None:
        for item in items:
            self.bus.publish(item)
        await asyncio.sleep(0)

    def film(self, count: int = 3 * FPS, **options: object) -> list[AccessUnit]:
        """Pictures of a flight, the first of which is taken now."""
        scene = scenes.flight()
        return list(scenes.encoded(scene, count, start_ns=self.clock.now_ns(), **options))  # type: ignore[arg-type]


@asynccontextmanager
async def house(*, health: bool = False) -> AsyncIterator[House]:
    bus, clock = MemoryBus(), SystemClock()
    stills = Stills(bus, clock, (CAMERA,), health=health)
    running = asyncio.ensure_future(stills.run())
    try:
        await asyncio.sleep(0)
        yield House(bus, clock, stills)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await bus.aclose()
    assert children() == []


def children() -> list[str]:
    """Decoder processes of this one."""
    own = Path("/proc/self/task")
    ids = [pid for task in own.iterdir() for pid in (task / "children").read_text().split()]
    return [pid for pid in ids if b"picture_decoder" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def until(condition: Callable[[], bool], what: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not condition():
        assert loop.time() < deadline, f"not within {DEADLINE_S} s: {what}"
        await asyncio.sleep(0.02)


def likeness(still: Still, number: int) -> float:
    """Mean difference of a still to the drawn picture of that number."""
    image = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return float(np.abs(image.astype(int) - scenes.flight()(number).astype(int)).mean())


async def test_unknown_feeds_and_feeds_without_a_picture_say_so() -> None:
    async with house() as h:
        with pytest.raises(NotFoundError, match="no feed 'otto'"):
            await h.stills.still("otto")
        with pytest.raises(UnavailableError, match="no picture yet") as refusal:
            await h.still()
        assert refusal.value.code == "no_picture"
        assert children() == []


async def test_cold_it_is_the_newest_keyframe_and_warm_the_newest_picture() -> None:
    async with house() as h:
        film = h.film()
        await h.publish(*film[: 2 * FPS + 5])
        cold = await h.still()
        assert (cold.warm, cold.width_px, cold.height_px) == (False, WIDTH, HEIGHT)
        number = [unit.utc_ns for unit in film].index(cold.utc_ns)
        assert 2 * FPS <= number < 2 * FPS + 5  # the keyframe, or what followed it before anybody asked
        assert likeness(cold, number) < 6
        await h.publish(*film[2 * FPS + 5 :])
        warm = await h.still()
        while warm.utc_ns < film[-1].utc_ns:
            warm = await h.still()
        assert warm.warm
        assert likeness(warm, 3 * FPS - 1) < 6
        assert likeness(warm, 2 * FPS) > 12


async def test_a_warm_still_takes_less_than_a_fifth_of_a_second() -> None:
    async with house() as h:
        await h.publish(*h.film())
        await h.still()
        await until_warm(h)
        took = []
        for unit in h.film(10):
            await h.publish(replace(unit, seq=0, epoch=1))
            began = asyncio.get_running_loop().time()
            await h.still()
            took.append(asyncio.get_running_loop().time() - began)
        assert sorted(took)[len(took) // 2] < 0.2


async def test_of_a_feed_that_no_decoder_keeps_up_with_each_still_is_the_newest_keyframe() -> None:
    async with house() as h:
        config = CodecConfig(Codec.H265, 7680, 4320, 1, 0, 180, "4:2:0", 8, False, False)
        await h.publish(SourceState(CAMERA.id, SourceStatus.LIVE, 1, config=config, fps=30.0))
        film = h.film(4 * FPS)
        for shown, until_picture in ((0, 2 * FPS - 1), (2 * FPS, 4 * FPS - 1)):
            await h.publish(*film[shown:until_picture])
            still = await h.still()
            assert (still.warm, still.utc_ns) == (False, film[shown].utc_ns)


async def until_warm(h: House) -> None:
    while not (await h.still()).warm:
        await asyncio.sleep(0.02)


async def test_all_who_ask_at_once_share_one_decoder_and_one_picture() -> None:
    async with house() as h:
        await h.publish(*h.film())
        stills = await asyncio.gather(*(h.still() for _ in range(50)))
        assert len(children()) == 1
        assert len({still.jpeg[-2000:] for still in stills}) == 1


async def test_time_and_place_are_those_of_the_picture() -> None:
    async with house() as h:
        film = h.film(5)
        now_ns = film[0].utc_ns
        await h.publish(sample(now_ns - 30 * NS_PER_MS, lat_deg=49.5))
        await h.publish(sample(now_ns + 5 * NS_PER_S, lat_deg=50.0))
        await h.publish(film[0])
        still = await h.still()
        tags = read_exif(still.jpeg)
        assert degrees(tags["GPSLatitude"]) == pytest.approx(49.5)
        assert tags["SubSecTimeOriginal"] == f"{now_ns % NS_PER_S // 1000:06d}"
        assert f"{still.age_ms:.0f} ms old" in tags["ImageDescription"]
        assert still.age_ms == pytest.approx((h.clock.now_ns() - now_ns) / NS_PER_MS, abs=2000)


async def test_without_telemetry_of_its_moment_a_picture_has_no_place() -> None:
    async with house() as h:
        film = h.film(5)
        await h.publish(sample(film[0].utc_ns - 3 * NS_PER_S))
        await h.publish(film[0])
        assert "GPSLatitude" not in read_exif((await h.still()).jpeg)


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("reorders", [False, True])
async def test_either_codec_with_and_without_b_frames(codec: Codec, reorders: bool) -> None:
    async with house() as h:
        film = h.film(codec=codec, reorders=reorders)
        await h.publish(*film)
        assert (await h.still()).width_px == WIDTH
        await until_warm(h)


async def test_what_cannot_be_decoded_is_said_and_does_no_harm() -> None:
    async with house() as h:
        film = h.film(FPS)
        garbage = replace(film[0], data=b"\x00\x00\x00\x01\x65" + bytes(range(256)) * 40)
        await h.publish(garbage)
        with pytest.raises(UnavailableError) as refusal:
            await h.still()
        assert refusal.value.code == "decoder_failed"
        await h.publish(*h.film(FPS))
        await until_answered(h)


async def until_answered(h: House) -> Still:
    for _ in range(200):
        try:
            return await h.still()
        except UnavailableError:
            await asyncio.sleep(0.05)
    raise AssertionError("no still any more")


async def test_a_decoder_that_dies_is_replaced() -> None:
    async with house() as h:
        await h.publish(*h.film())
        await h.still()
        (pid,) = children()
        decoder = h.stills._decoders[CAMERA.id]
        decoder._end_decoder()
        await until(lambda: pid not in children(), "the old decoder is gone")
        assert (await until_answered(h)).width_px == WIDTH
        assert children() != [pid]


async def test_a_cold_decoder_ends_when_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WARM_NS", NS_PER_S)
    async with house() as h:
        await h.publish(*h.film())
        await h.still()
        assert len(children()) == 1
        await until(lambda: children() == [], "the decoder has ended")
        assert (await h.still()).width_px == WIDTH


async def test_health_is_told_as_state_and_as_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "SETTLED_NS", 0)
    async with house(health=True) as h:
        live = SourceState(CAMERA.id, SourceStatus.LIVE, h.clock.now_ns())
        await h.publish(live)
        film = list(scenes.encoded(scenes.black(), 8 * FPS, group=FPS, start_ns=h.clock.now_ns()))
        await h.publish(film[0])
        decoder = h.stills._decoders[CAMERA.id]
        await until(lambda: decoder._writer is not None, "a decoder, with nobody asking")
        await h.publish(*film[1:])
        await until(lambda: findings(h) == ("black",), "the finding")
        (alarm,) = h.bus.events(Alarm).drain()
        assert isinstance(alarm, Alarm)
        assert (alarm.code, alarm.aircraft_id, alarm.values) == (
            "picture_black",
            "fritz",
            {"feed": CAMERA.id},
        )
        await h.publish(replace(live, status=SourceStatus.LOST))
        await until(lambda: findings(h) == (), "nothing is said of a feed that is lost")


async def test_a_finding_does_not_outlive_the_decoder_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed stays live, and the next decoder may be a minute away."""
    monkeypatch.setattr(decoding, "SETTLED_NS", 0)
    monkeypatch.setattr(decoding, "_RETRY_FIRST_NS", 60 * NS_PER_S)
    async with house(health=True) as h:
        await h.publish(SourceState(CAMERA.id, SourceStatus.LIVE, h.clock.now_ns()))
        film = list(scenes.encoded(scenes.black(), 8 * FPS, group=FPS, start_ns=h.clock.now_ns()))
        await h.publish(film[0])
        await until(lambda: h.stills._decoders[CAMERA.id]._writer is not None, "a decoder")
        await h.publish(*film[1:])
        await until(lambda: findings(h) == ("black",), "the finding")
        (pid,) = children()
        os.kill(int(pid), signal.SIGKILL)
        await until(lambda: findings(h) == (), "it is taken back")
        told = [alarm for alarm in h.bus.events(Alarm).drain() if isinstance(alarm, Alarm)]
        assert [alarm.code for alarm in told if alarm.active] == ["picture_black", "picture_unseen"]


async def test_a_feed_with_long_groups_is_decoded_whole_to_be_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One keyframe in eleven seconds, and the camera hangs: only the pictures between can tell."""
    monkeypatch.setattr(decoding, "SETTLED_NS", 0)
    async with house(health=True) as h:
        config = CodecConfig(Codec.H264, WIDTH, HEIGHT, 66, 0, 31, "4:2:0", 8, False, False)
        await h.publish(SourceState(CAMERA.id, SourceStatus.LIVE, 1, config=config, fps=float(FPS)))
        scene = scenes.still(scenes.hover())
        await h.publish(*scenes.encoded(scene, 11 * FPS, group=60 * FPS, start_ns=h.clock.now_ns()))
        await until(lambda: findings(h) == ("frozen",), "the finding")


def findings(h: House) -> tuple[str, ...]:
    health = h.bus.peek(PictureHealth, CAMERA.id)
    return health.findings if health else ()
