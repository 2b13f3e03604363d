"""Whoever SRT turns away is told of by the feed that was meant, however many come; the log holds back."""

from __future__ import annotations

import pytest

from flow.clock import NS_PER_S
from flow.errors import ConfigError
from ingest.libsrt import Rejection
from ingest.protocol.events import Gone
from tests.fakes.srt_encoder import SrtEncoder
from tests.unit.ingest.test_ingest_srt_server import House, serving, until


def told(house: House, feed_id: str) -> str:
    *_, gone = (event for event in house.events[feed_id] if isinstance(event, Gone))
    return gone.detail


async def test_wrong_keys_for_two_feeds_in_one_second_are_told_to_both(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(House()) as house:
        for feed_id in ("tag", "nacht", "tag"):
            with SrtEncoder(stream_id=f"publish:{feed_id}:k-secret") as stranger:
                assert stranger.call(house.port) == Rejection.UNAUTHORIZED
        await until(lambda: bool(house.gone("nacht")))
        assert (house.gone("tag"), house.gone("nacht"), house.gone("roh")) == (
            ["key_wrong"],  # once a second
            ["key_wrong"],
            [],
        )
        house.clock.advance(NS_PER_S)
        with SrtEncoder(stream_id="publish:tag:k-secret") as stranger:
            stranger.call(house.port)
        await until(lambda: house.gone("tag") == ["key_wrong"] * 2)
        assert "secret" not in str(house.events)
    assert len(caplog.records) == 2


class Unreadable:
    """Keys in a file that is broken."""

    def check(self, feed_id: str, key: str) -> None:
        raise ConfigError("/var/lib/lagebild/publish-keys.json cannot be read")


async def test_that_keys_cannot_be_read_is_told_without_the_file() -> None:
    async with serving(House(keys=Unreadable())) as house:
        with SrtEncoder(stream_id="publish:tag:k-tag") as phone:
            assert phone.call(house.port) == Rejection.SERVER_ERROR
        await until(lambda: house.gone() == ["keys_unreadable"])
        assert "/var" not in told(house, "tag")


@pytest.mark.parametrize(
    ("ours", "theirs"), [("0123456789", "9876543210"), ("0123456789", ""), ("", "0" * 10)]
)
async def test_a_wrong_passphrase_is_told_to_the_feed_whose_key_is_right(ours: str, theirs: str) -> None:
    """libsrt judges it after us, when the stream id is known."""
    async with serving(House(passphrase=ours)) as house:
        with SrtEncoder(theirs, "publish:tag:k-tag") as phone:
            assert phone.call(house.port) in (Rejection.BADSECRET, Rejection.UNSECURE)
        with SrtEncoder(theirs, "publish:nacht:x") as stranger:
            assert stranger.call(house.port) == Rejection.UNAUTHORIZED
        house.clock.advance(NS_PER_S // 4)
        await until(lambda: bool(house.gone()))
        assert house.gone() == ["passphrase_of_sender"]
        assert house.gone("roh") == []
        assert "a publisher at 127.0.0.1 has the key but could not connect" in told(house, "tag")
        assert "0123456789" not in told(house, "tag")
        with SrtEncoder(ours, "publish:tag:k-tag") as phone:
            assert phone.call(house.port) == 0
