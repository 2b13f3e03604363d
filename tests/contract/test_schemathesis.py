"""schemathesis asks every route of the OpenAPI description: no server's error, every answer as described."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.policy.described import probe
from tests.policy.house import policy_house

EXAMPLES = 5
"""Of each route."""


@pytest.mark.parametrize("letter", ["A", "G"])
async def test_no_example_makes_the_service_fail(tmp_path: Path, letter: str) -> None:
    async with policy_house(tmp_path) as house:
        async with aiohttp.ClientSession(house.service.url, headers=house.callers["A"].headers) as http:
            async with http.get("/api/v1/openapi.json") as reply:
                description = await reply.json()
        headers = house.callers[letter].headers
        probed = await asyncio.to_thread(
            probe, house.service.url, description, house.wards[0], headers, EXAMPLES
        )
    assert "\n".join(probed.faults) == ""
    assert probed.requests >= EXAMPLES * len(description["paths"])
    assert len(probed.statuses) > 3
