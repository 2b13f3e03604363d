"""A camera that refuses a password which was right before."""

from __future__ import annotations

import pytest

from flow.errors import ConfigError, SourceError
from flow.flights import SourceStatus
from ingest.sources import Publish
from tests.fakes.clock import FakeClock

from .test_ingest_supervisor import House, house, sends, sends_thirty_and_breaks

__all__ = ["house"]


@pytest.mark.parametrize(("kind", "runs"), [(ConfigError, 2), (SourceError, 3)])
async def test_it_is_tried_again_after_five_minutes(
    house: House, kind: type[ConfigError | SourceError], runs: int
) -> None:
    """A SourceError, as after 403, is no word against the password, and retried as always."""

    async def refuses(publish: Publish, clock: FakeClock) -> None:
        raise kind("rtsp://192.0.2.7/ refuses the user or the password", code="auth_refused")

    source = house.add("tag", sends_thirty_and_breaks, refuses, sends)
    async with house.running():
        await house.wait(3)
        assert len(source.runs) == runs
        if kind is ConfigError:
            assert (house.state("tag").status, house.state("tag").reason) == (
                SourceStatus.LOST,
                "auth_refused",
            )
            await house.wait(290)
            assert len(source.runs) == 2
            await house.wait(20)
        assert len(source.runs) == 3
        assert house.state("tag").status is SourceStatus.LIVE


async def test_one_that_was_never_right_is_not(house: House) -> None:
    async def refuses(publish: Publish, clock: FakeClock) -> None:
        raise ConfigError("rtsp://192.0.2.7/ refuses the user or the password", code="auth_refused")

    source = house.add("tag", refuses, sends)
    async with house.running():
        await house.wait(1000)
        assert len(source.runs) == 1
