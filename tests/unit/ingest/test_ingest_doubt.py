"""A picture is called frozen only where the pictures between the keyframes were seen to be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from flow.clock import NS_PER_S
from flow.flights import PictureHealth, SourceState, SourceStatus
from flow.units import AccessUnit, Codec, CodecConfig
from ingest import decoding
from ingest.protocol.doubt import Doubt
from ingest.protocol.health import Figures, Health
from tests.fakes import scenes
from tests.fakes.clock import START_NS
from tests.fakes.pictures import Camera
from tests.fakes.scenes import FPS, Scene

from .test_ingest_stills import CAMERA, House, findings, house, until

SIZE_PX = (1376, 1840)  # at 30 pictures a second more than is decoded whole
GROUP = 4 * FPS
WELL = Figures(START_NS, luma=110.0, brightest=230.0, sharpness=0.5, covered=0.0, still_s=0.0)


class Looked:
    """A feed with a keyframe every so many seconds, sampled once a second."""

    def __init__(self, group_s: int) -> None:
        self.doubt, self._camera, self._group_s = Doubt(), Camera(fps=1), group_s
        self.second = 0

    def goes_on(self, still_s: float, *, keyframes: bool) -> Figures | None:
        """The next second; what is believed of its sample, if there is one."""
        is_key = self.second % self._group_s == 0
        now_ns = START_NS + self.second * NS_PER_S
        unit = self._camera.keyframe() if is_key else self._camera.delta()
        self.doubt.picture(replace(unit, utc_ns=now_ns))
        self.second += 1
        if keyframes and not is_key:
            return None
        sample = replace(WELL, utc_ns=now_ns, still_s=still_s)
        return self.doubt.judged(sample, long_groups=self._group_s > 3)

    @property
    def asks(self) -> bool:
        return self.doubt.asks(START_NS + self.second * NS_PER_S)


@pytest.mark.parametrize("group_s", [2, 10])
def test_of_keyframes_alone_stillness_is_not_believed(group_s: int) -> None:
    feed = Looked(group_s)
    believed = [feed.goes_on(float(second), keyframes=True) for second in range(40)]
    assert max(one.still_s for one in believed if one and not math.isnan(one.still_s)) < 4
    assert feed.asks


@pytest.mark.parametrize(("group_s", "needs_s"), [(2, 6), (10, 8)])
def test_it_is_once_the_pictures_between_were_still_too(group_s: int, needs_s: int) -> None:
    feed = Looked(group_s)
    for second in range(21):
        feed.goes_on(float(second), keyframes=True)
    believed = [feed.goes_on(20.0 + second, keyframes=False) for second in range(1, needs_s + 1)]
    assert believed[0] is not None
    assert math.isnan(believed[0].still_s)
    assert believed[-1] is not None
    assert believed[-1].still_s == 20.0 + needs_s
    assert not feed.asks


def test_what_moves_between_ends_the_inquiry_and_the_next_comes_a_minute_later() -> None:
    feed = Looked(4)
    asked = []
    while feed.second < 200:
        asks = feed.asks
        asked.append(asks)
        still_s = float(feed.second) if feed.second % 4 == 0 and not asks else 0.0
        feed.goes_on(still_s, keyframes=not asks)
    assert sum(asked) <= 4 * 200 // 60
    assert 2 <= sum(after and not before for before, after in pairwise(asked)) <= 4


def test_an_inquiry_that_learns_nothing_ends() -> None:
    feed = Looked(10)
    for _ in range(11):
        feed.goes_on(float(feed.second), keyframes=True)
    asked = 0
    for _ in range(55):
        asked += feed.asks
        feed.goes_on(float(feed.second), keyframes=True)
    assert 25 <= asked <= 35


def test_a_stream_of_keyframes_has_nothing_between() -> None:
    feed = Looked(1)
    believed = [feed.goes_on(float(second), keyframes=True) for second in range(60)]
    assert believed[-1] is not None
    assert believed[-1].still_s == 59.0


def test_a_finding_that_holds_survives_a_black_picture_and_a_doubt() -> None:
    health = Health("x")
    black = replace(WELL, brightest=10.0, still_s=math.nan)
    samples = [replace(WELL, still_s=8.0)] * 2 + [black] * 5 + [replace(WELL, still_s=math.nan)]
    told = [health.look(replace(f, utc_ns=START_NS + n * NS_PER_S)).findings for n, f in enumerate(samples)]
    assert (told[0], told[6], told[7]) == (("frozen",), ("black",), ("frozen",))


def looped(scene: Scene, times: int, start_ns: int) -> Iterator[list[AccessUnit]]:
    """A clip of one group, sent again and again."""
    clip = list(scenes.encoded(scene, GROUP, group=GROUP, start_ns=start_ns, size_px=SIZE_PX))
    for turn in range(times):
        yield [
            replace(
                unit,
                seq=unit.seq + turn * GROUP,
                dts_90k=unit.dts_90k + turn * GROUP * 90_000 // FPS,
                pts_90k=unit.pts_90k + turn * GROUP * 90_000 // FPS,
                utc_ns=unit.utc_ns + turn * GROUP * NS_PER_S // FPS,
            )
            for unit in clip
        ]


async def watched_by_keyframes(h: House) -> decoding.FeedDecoder:
    """A live feed that is too large to be decoded whole."""
    config = CodecConfig(Codec.H264, *SIZE_PX, 66, 0, 50, "4:2:0", 8, False, False)
    await h.publish(SourceState(CAMERA.id, SourceStatus.LIVE, 1, config=config, fps=30.0))
    return h.stills._decoders[CAMERA.id]


async def until_looked_at(decoder: decoding.FeedDecoder, utc_ns: int) -> None:
    await until(lambda: decoder._doubt._sampled_ns >= utc_ns, "the pictures were looked at")


async def test_a_moving_clip_in_a_loop_is_not_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "SETTLED_NS", 0)
    async with house(health=True) as h:
        decoder = await watched_by_keyframes(h)
        told = h.bus.lossless(PictureHealth)
        turns = looped(scenes.flight(), 9, h.clock.now_ns())
        await h.publish(*next(turns))
        await until(lambda: decoder._writer is not None, "a decoder")
        await h.publish(*next(turns), *next(turns), *next(turns))
        await until(lambda: decoder._decodes_all, "doubt")
        await until(lambda: not decoder._decodes_all, "a verdict")
        await h.publish(*(unit for turn in turns for unit in turn))
        assert decoder._keyframe is not None
        await until_looked_at(decoder, decoder._keyframe.utc_ns)
        seen = [one for one in told.drain() if isinstance(one, PictureHealth)]
    assert len(seen) >= 9
    assert {one.findings for one in seen} == {()}


async def test_a_frozen_camera_is_found_by_what_is_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "SETTLED_NS", 0)
    async with house(health=True) as h:
        decoder = await watched_by_keyframes(h)
        turns = looped(scenes.still(scenes.hover()), 6, h.clock.now_ns())
        await h.publish(*next(turns))
        await until(lambda: decoder._writer is not None, "a decoder")
        await h.publish(*next(turns), *next(turns))
        await until(lambda: decoder._decodes_all, "doubt")
        assert findings(h) == ()
        for turn in turns:  # one by one: a decoder that is late leaves out what is old
            await h.publish(*turn)
            await until_looked_at(decoder, turn[-1].utc_ns - NS_PER_S)
        await until(lambda: findings(h) == ("frozen",), "the finding")
        await until(lambda: not decoder._decodes_all, "the end of the inquiry")
