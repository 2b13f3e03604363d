"""H.265, and what else browsers do not play, as H.264: piece by piece, each when it is asked for."""

from __future__ import annotations

import asyncio
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from flow.errors import NotFoundError
from recordings import segment_file
from recordings.flight_file import encoded, read_flight, replace_file
from recordings.folders import FLIGHT_FILE, renditions_folder, segment_name
from tests.fakes.clock import START_NS
from tests.unit.recordings.clips import FEED, seen, stamped
from tests.unit.recordings.flown import flight, later
from web.piece_making import piece_of
from web.renditions import make_room
from web.service import running_service
from web.views import ms
from web.web_pieces import LONGEST_90K, PIECE_90K, begins

from .recorded_house import recorded_settings

SECONDS = 5
COUNT = 25 * SECONDS
STREAMS = {
    "h265 open": ("libx265", 25, "bframes=3:b-adapt=0"),
    "intra refresh": ("libx264", 25, "bframes=0:intra-refresh=1"),
    "one keyframe": ("libx264", 10_000, "bframes=0"),
}


def filmed(root: Path, stream: str = "h265 open") -> Path:
    codec, group, more = STREAMS[stream]
    units = stamped(codec, count=COUNT, group=group, more=more)
    folder = flight(root, {FEED: units})
    ended = msgspec.structs.replace(read_flight(folder), ended_ns=START_NS + SECONDS * 1_000_000_000)
    replace_file(folder / FLIGHT_FILE, encoded(ended))
    return folder


@pytest.mark.parametrize("stream", STREAMS)
def test_pieces_have_every_picture_once_at_its_time(stream: str, tmp_path: Path) -> None:
    folder = filmed(tmp_path, stream)
    index = segment_file.read_index(folder / segment_name(FEED, 1))
    found = list(begins(index.fragments))
    assert len(found) == (1 if stream == "one keyframe" else 3)
    stamps: list[int | None] = []
    for number, begin in enumerate(found):
        path = tmp_path / "piece.mp4"
        path.write_bytes(piece_of(folder, FEED, 1, number))
        piece = segment_file.read_index(path)
        assert (piece.codec, piece.fragments[0].pts_90k) == ("h264", begin.at_90k)
        entries = segment_file.entries(path, piece.fragments)
        shown = list(seen(path))
        assert [each.utc_ns // 1_000_000 for each in entries] == [each.stamp_ms for each in shown]
        assert [each.pts_s for each in shown] == pytest.approx([n / 25 for n in range(len(shown))])
        assert shown[0].stamp_ms == begin.utc_ns // 1_000_000
        stamps += [each.stamp_ms for each in shown]
    assert stamps == [(START_NS + number * 40_000_000) // 1_000_000 for number in range(COUNT)]


def test_pieces_are_the_same_while_the_segment_grows(tmp_path: Path) -> None:
    units = stamped(count=COUNT, group=25)
    folder = flight(tmp_path, {FEED: [*units, *later(units, 60 * 1_000_000_000)]})
    fragments = segment_file.read_index(folder / segment_name(FEED, 1)).fragments
    whole = list(begins(fragments))
    for number in range(len(fragments)):
        assert list(begins(fragments[:number])) == whole[: len(list(begins(fragments[:number])))]
    lengths = [b.at_90k - a.at_90k for a, b in pairwise(whole)]
    assert all(PIECE_90K <= length <= LONGEST_90K for length in lengths[:2])
    assert len(whole) == 6  # a piece never spans a gap


async def test_they_are_told_made_and_kept(tmp_path: Path) -> None:
    folder = filmed(tmp_path)
    base = f"/api/v1/flights/{folder.name}/feeds/{FEED}"
    async with (
        running_service(recorded_settings(tmp_path)) as service,
        aiohttp.ClientSession(service.url) as http,
    ):
        plain = await _json(http, f"{base}?from_ms={ms(START_NS)}")
        assert (plain["playable"], plain["segments"][0]["fragments"]["url"]) == (False, [])
        view = await _json(
            http, f"{base}?rendition=web&from_ms={ms(START_NS) + 2100}&to_ms={ms(START_NS) + 4900}"
        )
        (segment,) = view["segments"]
        table = segment["fragments"]
        assert (view["playable"], view["reason"]) == (True, "")
        assert segment["mime"] == 'video/mp4; codecs="avc1.640028"'
        assert table["url"] == [f"{base}/web/1-1.mp4", f"{base}/web/1-2.mp4"]
        assert (table["offset"], table["size"], table["media_ms"]) == ([0, 0], [-1, -1], [2000.0, 4000.0])
        first, again = await asyncio.gather(*(_bytes(http, table["url"][0]) for _ in range(2)))
        assert first == again
        kept = renditions_folder(tmp_path) / folder.name / f"{FEED}.0001-0001.mp4"
        assert kept.read_bytes() == first
        async with http.get(table["url"][0], headers={"Range": "bytes=0-99"}) as part:
            assert (part.status, await part.read()) == (206, first[:100])
        for wrong in ("1-9.mp4", "7-0.mp4", "1-x.mp4", "..%2f1-1.mp4"):
            assert await _status(http, f"{base}/web/{wrong}") == 404
        assert await _status(http, f"/api/v1/flights/..%2f..%2fetc/feeds/{FEED}/web/1-0.mp4") == 404
        assert await _status(http, f"{base}?rendition=gold") == 400


def test_what_grows_has_no_last_piece_yet(tmp_path: Path) -> None:
    folder = filmed(tmp_path)
    path = folder / segment_name(FEED, 1)
    path.write_bytes(path.read_bytes()[: segment_file.read_index(path).fragments[-1].offset])
    running = msgspec.structs.replace(read_flight(folder), ended_ns=None)
    replace_file(folder / FLIGHT_FILE, encoded(running))
    assert piece_of(folder, FEED, 1, 1)
    with pytest.raises(NotFoundError):
        piece_of(folder, FEED, 1, 2)


def test_the_disk_is_not_filled_with_them(tmp_path: Path) -> None:
    folder = renditions_folder(tmp_path) / "20261122t044900z-fritz"
    folder.mkdir(parents=True)
    paths = [folder / f"{number}.mp4" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes(1000))
        os.utime(path, (number, number))
    make_room(tmp_path, 0, 2500, paths[0])
    assert [path.exists() for path in paths] == [True, False, False, True, True]
    make_room(tmp_path, 1 << 62, 2500, paths[0])  # no room at all but for recordings
    assert [path.exists() for path in paths] == [True, False, False, False, False]


async def _json(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.json()


async def _bytes(http: aiohttp.ClientSession, path: str) -> bytes:
    async with http.get(path) as reply:
        assert (reply.status, reply.content_type) == (200, "video/mp4"), await reply.text()
        return await reply.read()


async def _status(http: aiohttp.ClientSession, path: str) -> int:
    async with http.get(path) as reply:
        return reply.status
