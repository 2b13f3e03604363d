"""What `make prove-relay` makes of a rain of hostile datagrams, and what the rain is made of."""

from __future__ import annotations

from typing import Any

import pytest

from relay.protocol import rtcp
from relay.stream import ssrc_of
from tests.prove.attack import RTCP
from tests.prove.hostile import counted_calls, faults
from tests.prove.house import FEED

GOOD: dict[str, Any] = {
    "promised": 1000,
    "inputs": 1000,
    "reached": {"resend": 9, "repeat_group": 9, "resent_packets": 9},
    "innocent": {"due": 30, "pictures": 30, "packets_missing": 0, "stays": True},
    "errors": [],
    "refused": {"malformed": 5},
    "growth_kb": 100,
    "worst_stall_ms": 5,
}


def test_a_rain_that_does_no_harm_has_no_fault() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"inputs": 999},
        {"reached": {"resend": 0, "repeat_group": 9, "resent_packets": 9}},
        {"reached": {"resend": 9, "repeat_group": 0, "resent_packets": 9}},
        {"reached": {"resend": 9, "repeat_group": 9, "resent_packets": 0}},
        {"innocent": {**GOOD["innocent"], "pictures": 29}},
        {"innocent": {**GOOD["innocent"], "packets_missing": 1}},
        {"innocent": {**GOOD["innocent"], "stays": False}},
        {"errors": ["a defect of Lagebild"]},
        {"refused": {"defect": 1}},
        {"growth_kb": 6000},
        {"worst_stall_ms": 50},
    ],
)
def test_whatever_is_not_good_enough_is_one_fault(bad: dict[str, Any]) -> None:
    assert len(faults({**GOOD, **bad})) == 1


def test_the_hostile_viewers_feedback_is_about_the_stream_that_it_watches() -> None:
    ours, sequence = ssrc_of(FEED), 40_000
    asked = [message for make in RTCP for message in rtcp.parse(make(ours, sequence))]
    assert rtcp.PictureLoss(ours) in asked
    assert rtcp.FullIntra(ours, sequence & 0xFF) in asked
    nacks = [message for message in asked if isinstance(message, rtcp.Nack)]
    assert [nack.sequences[:2] for nack in nacks] == [(sequence, sequence + 1)] * 2
    assert max(len(nack.sequences) for nack in nacks) == rtcp.MAX_NACKED
    assert {nack.media_ssrc for nack in nacks} == {ours}


def test_calls_are_counted_while_the_block_lasts() -> None:
    class Bell:
        def ring(self, times: int) -> str:
            return "ding " * times

    with counted_calls(Bell, "ring") as calls:
        assert calls == {"ring": 0}
        assert Bell().ring(2) == "ding ding "
        assert calls == {"ring": 1}
    Bell().ring(1)
    assert calls == {"ring": 1}
