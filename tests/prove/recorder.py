"""`make prove-recorder`: 200 kills at random moments under load, and full disks; 20 minutes at most.

Every recording must play to within a second of the kill, in ffmpeg and in Chromium, before anything is
repaired; after the last repair all of it must play without a complaint, and the catalogue must agree.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.prove.recorder_full import fill
from tests.prove.recorder_kills import killing

KILLS = 200
SEED = 6
WITHIN_S = 1200.0
FOLDER = Path("build/prove")
RESERVES_MB = (16, 0)
_TELL_EVERY = 20


async def kills(count: int, seed: int, until: float) -> dict[str, Any]:
    """`count` of them, or as many as there is time for."""
    async with killing(seed, FOLDER, browser=True) as one:
        while one.found.kills < count and time.monotonic() < until:
            await one.once()
            if one.found.kills % _TELL_EVERY == 0:
                print(f"{one.found.kills} kills, {len(one.found.faults)} faults", flush=True)
        await one.finish()
        return one.found.record() | {"promised": count, "seed": seed}


async def full_disks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for reserve_mb in RESERVES_MB:
        try:
            found.append(await fill(FOLDER, reserve_mb))
        except PermissionError as error:
            found.append({"reserve_mb": reserve_mb, "not_possible": str(error), "faults": []})
    return found


async def prove() -> dict[str, Any]:
    until = time.monotonic() + WITHIN_S
    full = await full_disks()
    killed = await kills(KILLS, SEED, until)
    faults = [*killed["faults"], *(fault for one in full for fault in one["faults"])]
    if killed["kills"] < KILLS:
        faults.append(f"only {killed['kills']} kills in the time")
    return {"kills": killed, "full_disks": full, "faults": faults}


def main() -> None:
    found = asyncio.run(prove())
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "recorder.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1), file=sys.stderr)
    print(json.dumps({"kills": found["kills"]["kills"], "lost_ms": found["kills"]["lost_ms"],
                      "faults": len(found["faults"])}))  # fmt: skip
    sys.exit(bool(found["faults"]))


if __name__ == "__main__":
    main()
