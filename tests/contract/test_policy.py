"""Who may what: every route and channel, every kind of caller, his own incident and another one.

What is expected stands in tests/policy/table.txt, by hand: nothing of it comes from web/access/policy.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.crossings import cross, expired, impostors
from tests.policy.expected import CALLERS, lines
from tests.policy.house import policy_house
from tests.policy.walk import walk
from web.service import Running


def unnamed(service: Running) -> set[tuple[str, str]]:
    """Routes without a line, and lines without a route."""
    registered = {(route.method, route.path) for route in service.door.routes}
    return registered ^ {line.route for line in lines()}


async def test_every_route_answers_each_caller_as_the_table_says(tmp_path: Path) -> None:
    async with policy_house(tmp_path) as house:
        assert unnamed(house.service) == set()
        walked = await walk(house, lines())
        await cross(house, walked)
        await impostors(house, walked)
        await expired(house, walked)
    assert "\n".join(walked.violations) == ""
    assert walked.checked > 1500


async def test_whoever_sits_at_the_machine_may_do_everything(tmp_path: Path) -> None:
    async with policy_house(tmp_path, this_machine=True) as house:
        walked = await walk(house, lines())
    assert "\n".join(walked.violations) == ""


async def test_no_route_goes_past_the_door(tmp_path: Path) -> None:
    async with policy_house(tmp_path, this_machine=True) as house:
        door = house.service.door
        known = {(route.method, route.path) for route in door.routes}
        there = {
            (route.method, route.resource.canonical)
            for route in door.app.router.routes()
            if route.resource is not None
        }
    assert there == known


@pytest.mark.parametrize("line", ["GET /x 200", "GET /x 200 L+", "GET /x 200 " + "?" * len(CALLERS)])
def test_what_is_no_line_of_the_table_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no line"):
        list(lines(line))
