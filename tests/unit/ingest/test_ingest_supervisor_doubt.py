"""A camera that refuses user or password: it may be starting, or the password is wrong."""

from __future__ import annotations

import logging

import pytest

from flow.errors import ConfigError, SourceError
from flow.flights import SourceStatus
from ingest.sources import Publish
from tests.fakes.clock import FakeClock

from .test_ingest_supervisor import House, Script, house, sends, sends_thirty_and_breaks

__all__ = ["house"]

KINDS = pytest.mark.parametrize("kind", [ConfigError, SourceError])
"""401; and 403, by which some cameras answer, too, while they have locked the account."""


def refusing(kind: type[ConfigError | SourceError]) -> Script:
    async def refuses(publish: Publish, clock: FakeClock) -> None:
        raise kind("rtsp://192.0.2.7/ refuses the user or the password", code="auth_refused")

    return refuses


@KINDS
async def test_what_was_right_before_is_tried_again_soon(
    house: House, kind: type[ConfigError | SourceError]
) -> None:
    source = house.add("tag", sends_thirty_and_breaks, refusing(kind), refusing(kind), sends)
    async with house.running():
        await house.wait(2)
        assert len(source.runs) == 2
        state = house.state("tag")
        assert (state.status, state.reason) == (SourceStatus.LOST, "auth_refused")
        assert state.detail.endswith(
            "; the next try is in 3 s, for cameras lock accounts after several wrong ones"
        )
        await house.wait(3)
        assert len(source.runs) == 3
        assert "in 15 s" in house.state("tag").detail
        await house.wait(12)
        assert len(source.runs) == 3
        await house.wait(3)
        assert len(source.runs) == 4
        assert house.state("tag").status is SourceStatus.LIVE


@KINDS
async def test_what_was_never_right_is_tried_soon_twice_and_then_ever_more_rarely(
    house: House, kind: type[ConfigError | SourceError], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lagebild.ingest")
    source = house.add("tag", refusing(kind))
    async with house.running():
        await house.wait(4)
        assert len(source.runs) == 1
        await house.wait(2)
        assert len(source.runs) == 2
        await house.wait(18)
        assert len(source.runs) == 2
        await house.wait(2)
        assert len(source.runs) == 3
        await house.wait(58)
        assert len(source.runs) == 3
        await house.wait(6)
        assert len(source.runs) == 4, "four wrong ones in a minute and a half"
        await house.wait(114)
        assert len(source.runs) == 4
        await house.wait(3600)
        assert len(source.runs) == 17
        assert "in 300 s" in house.state("tag").detail
    assert len([record for record in caplog.records if "refuses" in record.message]) == 6


@KINDS
async def test_a_camera_switched_on_with_the_server_is_there_within_the_first_minute(
    house: House, kind: type[ConfigError | SourceError]
) -> None:
    """It was never seen before, and knows its users only after some seconds."""
    source = house.add("tag", refusing(kind), refusing(kind), sends)
    async with house.running():
        await house.wait(30)
        assert len(source.runs) == 3
        assert house.state("tag").status is SourceStatus.LIVE


async def test_a_camera_whose_password_is_set_right_needs_nobody_here(house: House) -> None:
    source = house.add("tag", *(3 * [refusing(ConfigError)]), sends)
    async with house.running():
        await house.wait(90)
        assert len(source.runs) == 4
        assert house.state("tag").status is SourceStatus.LIVE
