"""The policy walk as a figure: how many expectations were held against a real service, how many not met."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.policy.crossings import cross, expired, impostors
from tests.policy.expected import lines
from tests.policy.house import policy_house
from tests.policy.walk import walk

TOLD_MOST = 20


async def policy() -> dict[str, Any]:
    """Every route and channel, every caller; also what must hold beside the table."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lagebild-policy-") as folder:
        async with policy_house(Path(folder)) as house:
            registered = {(route.method, route.path) for route in house.service.door.routes}
            table = [line for line in lines() if line.route in registered]
            walked = await walk(house, table)
            await cross(house, walked)
            await impostors(house, walked)
            await expired(house, walked)
    unnamed = registered ^ {line.route for line in lines()}
    walked.violations += [f"no line, or no route: {' '.join(each)}" for each in sorted(unnamed)]
    return {
        "routes": len(registered),
        "callers": len(house.callers),
        "checked": walked.checked,
        "violations": len(walked.violations),
        "told": walked.violations[:TOLD_MOST],
        "seconds": round(time.monotonic() - began_s, 1),
    }
