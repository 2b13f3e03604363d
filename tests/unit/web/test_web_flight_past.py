"""A recorded flight asked for the picture of a moment, and for when it filmed a place."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.annexb import split_nal_units
from flow.codec.nal import RULES
from flow.errors import LagebildError, NotFoundError, UnavailableError
from flow.flights import Aircraft, Feed
from flow.units import Codec
from ingest.picture_run import PictureRun, bgr
from recordings.flight_file import read_flight
from telemetry.protocol.earth import Plane
from tests.fakes.clock import START_NS
from tests.fakes.encoded import as_units, h264_pictures
from tests.fakes.errand_worker import Nothing
from tests.fakes.exif import degrees, read_exif
from tests.fakes.past_flight import LAT, LON, flown
from tests.fakes.recorded_flights import FlightMaker
from tests.unit.ingest.material import coded
from tests.unit.recordings import segments
from tests.unit.recordings.flights import encode_film
from tests.unit.recordings.flown import flight as flight_of
from web.archive_calls import DiskReads
from web.errands import Errands
from web.errors import status_of
from web.flight_stills import StillQuestion, still_of
from web.spots import SpotDesk, SpotQuestion, Spots, find_spots

from .recorded_house import recorded_house

FEEDS = (
    Feed("fritz-tag", "fritz", "Tageslicht", hfov_deg=90.0),
    Feed("fritz-wbk", "fritz", "Wärmebild"),  # nobody has told its field of view
)
FRITZ = Aircraft("fritz", "Multikopter Fritz", FEEDS)
START_MS = START_NS / NS_PER_MS


@pytest.fixture
def flight(tmp_path: Path) -> FlightMaker:
    """Thirty seconds to the north at 10 m/s, filmed from the fifth second to the twentieth; and, an hour
    later, five seconds more, over the beginning."""
    flight = FlightMaker(tmp_path, FRITZ)
    flight.film("fritz-tag", 15, gap_s=5.0)
    flight.cut("fritz-tag")
    flight.film("fritz-tag", 5, gap_s=3580.0)
    flight.film("fritz-wbk", 2)
    flight.sample(*flown(30.0), *flown(5.0, start_ns=START_NS + 3600 * NS_PER_S))
    flight.end(3605.0)
    return flight


def spots_of(flight: FlightMaker, north_m: float, east_m: float = 0.0, feed_id: str = "") -> list[Any]:
    lat_deg, lon_deg = Plane(LAT, LON).place(east_m, north_m)
    told = find_spots(SpotQuestion(str(flight.folder), lat_deg, lon_deg, feed_id))
    return msgspec.json.decode(told, type=Spots).spots


def test_a_place_was_filmed_while_the_picture_passed_over_it(flight: FlightMaker) -> None:
    """From 100 m, 90 degrees wide, 4:3: the picture reaches 75 m ahead and back."""
    (one,) = spots_of(flight, 130.0)
    assert one.feed_id == "fritz-tag"
    assert (one.from_ms - START_MS, one.to_ms - START_MS) == pytest.approx((5500, 20_000), abs=60)
    assert one.best_ms - START_MS == pytest.approx(13_000, abs=10)
    assert one.share == 1.0


def test_only_moments_with_pictures_count_and_a_gap_parts_them(flight: FlightMaker) -> None:
    one, other = spots_of(flight, 60.0)
    assert (one.from_ms - START_MS, one.to_ms - START_MS) == pytest.approx((5000, 13_500), abs=60)
    assert (other.from_ms - START_MS, other.to_ms - START_MS) == pytest.approx((3_600_000, 3_605_000), abs=60)
    assert spots_of(flight, 290.0) == []  # seen at 25 s, when nothing was filmed
    assert spots_of(flight, 120.0, east_m=101.0) == []
    assert spots_of(flight, 50_000.0) == []
    assert spots_of(flight, 120.0, feed_id="fritz-wbk") == []


def test_without_telemetry_nothing_was_filmed_anywhere(tmp_path: Path) -> None:
    flight = FlightMaker(tmp_path, FRITZ)
    flight.film("fritz-tag", 2)
    assert spots_of(flight, 0.0) == []


async def test_answers_come_from_a_process_and_are_kept(flight: FlightMaker) -> None:
    reads, errands = DiskReads(), Errands()
    desk = SpotDesk(reads, errands, ())
    try:
        place = Plane(LAT, LON).place(0.0, 130.0)
        told = await desk.find(flight.folder, "fritz-tag", *place)
        assert len(msgspec.json.decode(told, type=Spots).spots) == 1
        assert await desk.find(flight.folder, "fritz-tag", *place) is told
        with pytest.raises(NotFoundError):
            await desk.find(flight.folder, "nobody", *place)
    finally:
        reads.close()


async def test_a_process_that_fails_or_takes_too_long_is_told(tmp_path: Path) -> None:
    errands, question = Errands(), StillQuestion(str(tmp_path / "gone"), "tag", START_NS)
    with pytest.raises(UnavailableError, match="did not answer"):
        await errands.answer("web.still_worker", question, 0.0)
    with pytest.raises(UnavailableError, match="nobody waits"):
        await errands.answer("web.still_worker", question, 60.0, lambda: False)
    with pytest.raises(UnavailableError) as refused:
        await errands.answer("web.no_such_worker", question, 60.0)
    assert refused.value.code == "worker_died"
    with pytest.raises(NotFoundError):
        await errands.answer("web.still_worker", question, 60.0)
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "flight.json").write_text("{")
    with pytest.raises(LagebildError) as damaged:
        await errands.answer("web.still_worker", question, 60.0)
    assert (damaged.value.code, status_of(damaged.value)) == ("recording_damaged", 409)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="no autogroups: niceness is enough")
async def test_whoever_watches_live_comes_before_its_process(tmp_path: Path) -> None:
    assert (await Errands().answer("tests.fakes.errand_worker", Nothing(), 60.0)).endswith(b" nice 5\n")


def test_a_still_is_that_picture_with_its_place_and_time(flight: FlightMaker) -> None:
    at_ns = START_NS + 10 * NS_PER_S + 7 * NS_PER_S // 30
    still = still_of(flight.folder, read_flight(flight.folder), "fritz-tag", at_ns + NS_PER_MS)
    assert still.utc_ns == at_ns
    tags = read_exif(still.jpeg)
    taken = datetime.fromtimestamp(at_ns // NS_PER_S, UTC)
    assert tags["DateTimeOriginal"] == f"{taken:%Y:%m:%d %H:%M:%S}"
    lat_deg, _ = Plane(LAT, LON).place(0.0, 10.0 * (at_ns - START_NS) / NS_PER_S)
    assert degrees(tags["GPSLatitude"]) == pytest.approx(lat_deg, abs=2e-7)
    assert flight.id in tags["ImageDescription"]
    image = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert image.shape == (240, 320)
    assert image[120, 100] == pytest.approx(100 + 4 * 7, abs=4)  # encoded.py: a ramp that moves by 4


def test_every_picture_among_b_frames_is_found(tmp_path: Path) -> None:
    film = encode_film(tmp_path / "film.mp4", b_frames=2, count=30)
    units = segments.filmed(film, "tag")
    folder = flight_of(tmp_path, {"tag": units})
    about = read_flight(folder)
    for unit in units[:12]:
        assert still_of(folder, about, "tag", unit.utc_ns).utc_ns == unit.utc_ns


def test_with_intra_refresh_the_picture_is_whole(tmp_path: Path) -> None:
    """No keyframe is a whole picture there: what was before is needed until all of it has been mended."""
    group = 15
    options = (("preset", "ultrafast"), ("tune", "zerolatency"), ("x264-params", "intra-refresh=1:keyint=15"))
    pictures = coded(60, group=group, options=options)
    template = as_units(h264_pictures(1), "tag")[0]
    units = [
        replace(
            template,
            seq=number,
            dts_90k=template.dts_90k + 3000 * number,
            pts_90k=template.pts_90k + 3000 * number,
            utc_ns=START_NS + number * NS_PER_S // 30,
            keyframe=RULES[Codec.H264].is_keyframe(split_nal_units(each.data)),
            data=each.data,
        )
        for number, each in enumerate(pictures)
    ]
    assert sum(unit.keyframe for unit in units) >= 4
    folder = flight_of(tmp_path, {"tag": units})
    run = PictureRun(units[0])
    whole = [bgr(shown.frame) for unit in units for shown in run.decode(unit)]
    whole += [bgr(shown.frame) for shown in run.flush()]
    for number in (3, 16, 31, 47, 59):
        still = still_of(folder, read_flight(folder), "tag", units[number].utc_ns)
        image = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert np.abs(image.astype(int) - whole[number]).mean() < 3


@pytest.mark.parametrize("film", ["derived/seashore_hevc_720p_nobf.ts", "video/aerial_seashore_h264_720p.ts"])
def test_a_still_of_a_real_feed(film: str, feeds: Path, tmp_path: Path) -> None:
    units = segments.filmed(feeds / film, "tag")[:90]
    folder = flight_of(tmp_path, {"tag": units})
    at = units[70]
    assert still_of(folder, read_flight(folder), "tag", at.utc_ns).utc_ns == at.utc_ns


async def test_telemetry_comes_with_where_each_camera_looked(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as h:
        flight = FlightMaker(tmp_path, FRITZ, START_NS + 86_400 * NS_PER_S)
        flight.film("fritz-tag", 1)
        flight.sample(*flown(90.0, start_ns=flight.file.started_ns))
        path, from_ms = f"/api/v1/flights/{flight.id}/telemetry.json", flight.file.started_ns / NS_PER_MS
        told = await h.get(path, params={"from_ms": str(from_ms), "to_ms": str(from_ms + 2000), "looks": "1"})
        samples, looks = told["samples"], told["looks"]
        assert [len(looks[feed.id]) for feed in FEEDS] == [len(samples)] * 2 == [21] * 2
        for sample, look, blind in zip(samples, looks["fritz-tag"], looks["fritz-wbk"], strict=True):
            assert look["centre"] == pytest.approx([sample["lon_deg"], sample["lat_deg"]], abs=1e-7)
            assert (len(look["corners"]), look["reason"], blind["reason"]) == (4, "", "no_lens")
        assert not told["cut"]
        long = {"from_ms": str(from_ms), "to_ms": str(from_ms + 90_000)}
        plain, cut = await h.get(path, params=long), await h.get(path, params=long | {"looks": "1"})
        assert (len(plain["samples"]), plain["cut"], "looks" in plain) == (900, False, False)
        assert (len(cut["samples"]), cut["cut"]) == (601, True)


async def test_by_http(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as h:
        one = f"/api/v1/flights/{h.whole.id}"
        still = f"{one}/feeds/fritz-tag/still.jpg"
        async with h.http.get(still, params={"at_ms": str(START_MS + 1500)}) as reply:
            assert (reply.status, reply.content_type) == (200, "image/jpeg")
            assert re.search(r'filename="lagebild-fritz-tag-2\d+T\d+\.500Z\.jpg"', str(reply.headers))
            assert reply.headers["Cache-Control"] == "no-store"
            assert h.whole.id in read_exif(await reply.read())["ImageDescription"]
        told = await h.get(still, 404, params={"at_ms": str(START_MS + 60_000)})
        assert told["error"]["code"] == "no_picture"
        assert await h.get(f"{one}/spots", params={"lat": "49.4", "lon": "7.7"}) == {"spots": []}
        wrong = [(still, {}), (still, {"at_ms": "now"}), (f"{one}/spots", {"lat": "49.4"})]
        wrong += [(f"{one}/spots", {"lat": "nan", "lon": "0"}), (f"{one}/spots", {"lat": "91", "lon": "0"})]
        for path, params in wrong:
            assert (await h.get(path, 400, params=params))["error"]["code"] == "malformed"
        place = {"lat": "1", "lon": "1"}
        for flight_id in ("..%2f..", "20261122t064640z-nobody"):
            await h.get(f"/api/v1/flights/{flight_id}/spots", 404, params=place)
            await h.get(f"/api/v1/flights/{flight_id}/feeds/tag/still.jpg", 404, params={"at_ms": "0"})
        await h.get(f"{one}/spots", 404, params=place | {"feed": "../x"})
        running = f"/api/v1/flights/{h.running.id}/feeds/tag/still.jpg"
        first, second = await asyncio.gather(
            *(h.get(running, params={"at_ms": str(START_MS + 7_200_000 + ms)}) for ms in (0, 1000))
        )
        assert first != second
