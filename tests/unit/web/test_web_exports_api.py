"""Exports over HTTP: ordered, followed, downloaded in pieces, cancelled, removed."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.export_maker import FINISHES, STICKS
from tests.unit.web.export_desk import MAKER
from tests.unit.web.recorded_house import START_MS, RecordedHouse, recorded_house
from web.exports import ExportRules

PATHS = ["..%2f..%2fflights", "%2fetc%2fpasswd", "0" * 16, "...", "x"]


@asynccontextmanager
async def exporting(root: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RecordedHouse]:
    monkeypatch.setattr("web.room_settings.export_rules", lambda _: ExportRules(module=MAKER))
    async with recorded_house(root) as house:
        yield house


async def order(house: RecordedHouse, by: str, flight: str = "", **more: Any) -> dict[str, Any]:
    path = f"/api/v1/flights/{flight or house.whole.id}/exports"
    told: dict[str, Any] = await house.ask("POST", path, 202, json={"by": by, "parts": ["csv"]} | more)
    return told


async def until(house: RecordedHouse, export: dict[str, Any], *statuses: str) -> dict[str, Any]:
    async with asyncio.timeout(90):
        while (told := await house.get(f"/api/v1/exports/{export['id']}"))["status"] not in statuses:
            await asyncio.sleep(0.01)
    found: dict[str, Any] = told
    return found


async def test_an_export_is_ordered_followed_and_fetched_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exporting(tmp_path, monkeypatch) as house:
        await house.get(f"/api/v1/flights/{house.whole.id}/export.zip", 404)
        ordered = await order(house, FINISHES, from_ms=START_MS - 5000, to_ms=START_MS + 1000)
        assert (ordered["from_ms"], ordered["to_ms"]) == (START_MS, START_MS + 1000)  # what there is of it
        assert (ordered["by"], ordered["feeds"], ordered["url"]) == (FINISHES, ["fritz-tag"], None)
        done = await until(house, ordered, "done", "failed")
        assert (done["status"], done["progress"], done["reason"]) == ("done", 1.0, "")

        assert {path.name for path in (tmp_path / "exports" / done["id"]).iterdir()} == {
            "job.json",
            "export.zip",
        }
        whole = await house.get(done["url"])
        assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
        assert len(whole) == done["size_bytes"]
        async with house.http.head(done["url"]) as reply:
            tag = reply.headers["ETag"]
            assert reply.headers["Content-Disposition"].endswith('.zip"')

        # A browser that leaves in the middle of it gets the rest later, and only of the very same.
        async with house.http.get(done["url"]) as reply:
            begun = await reply.content.readexactly(70_000)
        rest = {"Range": f"bytes={len(begun)}-", "If-Range": tag}
        assert begun + await house.get(done["url"], 206, headers=rest) == whole
        assert await house.get(done["url"], 200, headers=rest | {"If-Range": '"another"'}) == whole
        await house.get(done["url"], 416, headers={"Range": f"bytes={len(whole)}-"})

        newest = f"/api/v1/flights/{house.whole.id}/export.zip"
        async with house.http.get(newest, allow_redirects=False) as reply:
            assert (reply.status, reply.headers["Location"]) == (303, done["url"])
        listed = await house.get("/api/v1/exports", params={"flight": house.whole.id})
        assert listed["exports"] == [done]
        assert (await house.get("/api/v1/exports", params={"flight": house.later.id}))["exports"] == []

        # Removed while somebody downloads it: the rest still comes.
        async with house.http.get(done["url"]) as reply:
            begun = await reply.content.readexactly(1000)
            await house.ask("DELETE", f"/api/v1/exports/{done['id']}", 204)
            assert begun + await reply.read() == whole
        await house.get(done["url"], 404)


async def test_it_is_cancelled_and_the_flight_kept_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exporting(tmp_path, monkeypatch) as house:
        sticks = await order(house, STICKS)
        running = await until(house, sticks, "running")
        await house.get(f"/api/v1/exports/{sticks['id']}/export.zip", 404)
        why = {"by": "Meier", "reason": "Frist"}
        told = await house.ask("DELETE", f"/api/v1/flights/{house.whole.id}", 409, json=why)
        assert told["error"]["code"] == "flight_playing"
        cancelled = await house.ask("DELETE", f"/api/v1/exports/{running['id']}", 200)
        assert cancelled["status"] == "cancelled"
        await house.ask("DELETE", f"/api/v1/flights/{house.whole.id}", 200, json=why)
        await house.get(f"/api/v1/exports/{sticks['id']}", 404)  # it goes with its flight
        assert list((tmp_path / "exports").iterdir()) == []


async def test_what_is_asked_wrongly_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with exporting(tmp_path, monkeypatch) as house:
        for path in PATHS:
            await house.ask("POST", f"/api/v1/flights/{path}/exports", 404, json={"by": "Meier"})
            for rest in ("", "/export.zip"):
                await house.get(f"/api/v1/exports/{path}{rest}", 404)
            await house.ask("DELETE", f"/api/v1/exports/{path}", 404)
        wrong: list[dict[str, Any]] = [
            {},
            {"by": " "},
            {"by": "a\nb"},
            {"from_ms": START_MS + 1e9},
            {"to_ms": START_MS - 1},
            {"to_ms": "now"},
            {"from_ms": 1e300, "to_ms": -1e300},
            {"feeds": ["tag"]},
            {"feeds": ["../x"]},
            {"parts": []},
            {"parts": ["mp3"]},
            {"regions": {"fritz-tag": [{"x": 0.5, "y": 0.5, "width": 2, "height": 0.1}]}},
            {"regions": {"fritz-tag": [{"x": 0.5, "y": 0.5, "width": 0.1, "height": 0.1}] * 17}},
            {"regions": {"tag": [{"x": 0.5, "y": 0.5, "width": 0.1, "height": 0.1}]}},
            {"logbook": {"pilot": "x" * 201}},
            {"language": "fr"},
            {"out": "/etc"},
        ]
        for more in wrong:
            body = {"by": "Meier"} | more if more else {}
            await house.ask("POST", f"/api/v1/flights/{house.whole.id}/exports", 400, json=body)
        assert (await house.get("/api/v1/exports"))["exports"] == []
