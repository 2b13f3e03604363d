"""The small picture of a flight in lists."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from flow.errors import NotFoundError
from flow.units import AccessUnit
from recordings.deletions import finish
from recordings.folders import segment_name
from tests.fakes.recorded_flights import FlightMaker, recorded_flight
from tests.unit.web.recorded_house import recorded_house
from web.thumbnail_making import WIDTH_PX, ThumbnailQuestion, answer_thumbnail

ME = {"by": "Meier, ELW 1", "reason": "Frist"}


async def test_it_is_made_once_kept_and_goes_with_its_flight(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        one = (await house.get(f"/api/v1/flights/{house.whole.id}"))["thumbnail_url"]
        jpeg = await house.get(one)
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image.shape[1] == WIDTH_PX
        (house.whole.folder / segment_name("fritz-tag", 1)).unlink()
        assert await house.get(one) == jpeg
        assert await house.get(f"/api/v1/flights/{house.running.id}/thumbnail.jpg")
        await house.ask("DELETE", f"/api/v1/flights/{house.whole.id}", json=ME)
        assert not list(tmp_path.glob(f"thumbnails/{house.whole.id}*"))
        for wrong in (house.whole.id, "..%2F..%2Fetc", "20260101t000000z-x"):
            await house.get(f"/api/v1/flights/{wrong}/thumbnail.jpg", 404)


def test_of_a_flight_that_is_deleted_meanwhile_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flight = recorded_flight(tmp_path, seconds=1)

    def deleted_meanwhile(unit: AccessUnit) -> bytes:
        (tmp_path / ".trash").mkdir()
        flight.folder.rename(tmp_path / ".trash" / flight.id)
        finish(tmp_path, flight.id)
        return b"picture"

    monkeypatch.setattr("web.thumbnail_making._jpeg", deleted_meanwhile)
    made = tmp_path / "thumbnails" / f"{flight.id}.jpg"
    with pytest.raises(NotFoundError):
        answer_thumbnail(ThumbnailQuestion(str(flight.folder), str(made)))
    assert list((tmp_path / "thumbnails").iterdir()) == []


async def test_flights_are_asked_for_by_place(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        for query, ids in (("lat=49.4&lon=7.7", [house.whole.id]), ("lat=50&lon=7.7&radius_m=900", [])):
            found = (await house.get(f"/api/v1/flights?{query}"))["flights"]
            assert [each["id"] for each in found] == ids
        assert (await house.get(f"/api/v1/flights/{house.whole.id}"))["place"] == {
            "lat_deg": 49.4,
            "lon_deg": 7.7,
            "utmref": "32U MV 0567 7273",
        }
        for wrong in ("lat=1", "lon=1", "lat=91&lon=0", "lat=1&lon=nan", "lat=1&lon=1&radius_m=1e9"):
            assert (await house.get(f"/api/v1/flights?{wrong}", 400))["error"]["code"] == "malformed"


def test_without_a_picture_there_is_none(tmp_path: Path) -> None:
    made = tmp_path / "thumbnails" / "a.jpg"
    with pytest.raises(NotFoundError, match="no picture"):
        answer_thumbnail(ThumbnailQuestion(str(FlightMaker(tmp_path).folder), str(made)))
    flight = recorded_flight(tmp_path / "b", seconds=1)
    segment = flight.folder / segment_name("fritz-tag", 1)
    segment.write_bytes(segment.read_bytes()[:900])
    with pytest.raises(NotFoundError, match="no picture"):
        answer_thumbnail(ThumbnailQuestion(str(flight.folder), str(made)))
    assert not made.exists()
