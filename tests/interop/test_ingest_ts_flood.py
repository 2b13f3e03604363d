"""MPEG-TS without measure by UDP, beside a publisher who does it right: that one loses nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from tests.prove.resources import held, stalls

from .ingest_rig import FFMPEG, published, publishing
from .test_ingest_bad_publishers import GROWTH_KB, ROOT, clip, site
from .test_ingest_publishers import PICTURES
from .test_ingest_rtmp import check_whole, ffmpeg

__all__ = ["clip"]

MBIT_S, SECONDS = 150, 2


async def large_pictures(path: Path) -> None:
    """A second of pictures of some 600 kB, as a transport stream."""
    noise = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30,noise=alls=80:allf=t", "-t", "1"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30", "-b:v", "150M"]
    await published([FFMPEG, "-nostdin", "-loglevel", "error", *noise, *coded, "-f", "mpegts", str(path)])


def flood(port: int, path: Path) -> list[str]:
    module = [sys.executable, "-m", "tests.fakes.ts_flood"]
    return ["env", "-C", str(ROOT), *module, str(port), str(path), str(MBIT_S), str(SECONDS)]


async def test_a_flood_of_mpeg_ts_harms_no_other(
    clip: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """How long the loop was held up is recorded; that each turn takes little is test_ingest_open's matter."""
    large = tmp_path / "large.ts"
    await large_pictures(large)
    async with site(tmp_path, "gesund", cameras={"flut": "udp://127.0.0.1:0"}) as here:
        rig, before = here.rig, held()
        await rig.until(lambda: rig.state("flut").address != "", "the port is open")
        async with (
            stalls() as stall,
            publishing(*flood(rig.port("flut"), large)) as flooding,
            asyncio.TaskGroup() as tasks,
        ):
            await rig.until_pictures("flut", 3)
            well = tasks.create_task(published(ffmpeg(FFMPEG, clip, here.url("gesund"))))

            def all_ended() -> bool:
                rig.units("gesund")  # or what comes meanwhile would exceed what a reader may leave unread
                return well.done() and flooding.returncode is not None

            await rig.until(all_ended, "the end of both")
        await rig.until_pictures("gesund", PICTURES)
        check_whole(rig.units("gesund"))
        assert rig.state("gesund").restarts == 0
        record_property("worst_stall_ms", round(stall.worst_ms))
        assert sum(len(unit.data) for unit in rig.units("flut")) > 1_000_000
        assert held().resident_kb - before.resident_kb < GROWTH_KB
