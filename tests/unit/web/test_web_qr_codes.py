"""QR codes are drawn aside, kept for who asks again, and rationed whatever strangers ask for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.fakes.clock import FakeClock
from web import qr_codes
from web.qr_codes import AT_ONCE, REFILL_NS, QrCodes, qr_of

OURS = "rtp://192.0.2.7:5600"


def others(first: int, count: int) -> list[str]:
    return [f"rtp://198.51.100.{n}:5600" for n in range(first, first + count)]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every code that was drawn, and in which thread."""
    log: list[tuple[str, int]] = []

    def logged(text: str) -> str:
        log.append((text, threading.get_ident()))
        return qr_of(text)

    monkeypatch.setattr(qr_codes, "qr_of", logged)
    return log


async def test_a_code_is_drawn_once_and_not_in_the_event_loop(drawn: list[tuple[str, int]]) -> None:
    codes = QrCodes(FakeClock())
    assert codes.kept(OURS) == ""
    assert await codes.draw([OURS, OURS])
    assert codes.kept(OURS) == qr_of(OURS)
    assert await codes.draw([OURS])
    ((text, thread),) = drawn
    assert text == OURS
    assert thread != threading.get_ident()
    assert not await codes.draw([])


async def test_who_asks_at_the_same_moment_waits_for_one_drawing(drawn: list[tuple[str, int]]) -> None:
    codes = QrCodes(FakeClock())
    assert await asyncio.gather(*(codes.draw([OURS]) for _ in range(50))) == [True] * 50
    assert len(drawn) == 1


async def test_a_flood_of_made_up_names_is_rationed(drawn: list[tuple[str, int]]) -> None:
    clock = FakeClock()
    codes = QrCodes(clock)
    for n in range(5):
        await codes.draw(others(40 * n, 40))
    assert len(drawn) == AT_ONCE
    assert not await codes.draw([OURS])
    clock.advance(3 * REFILL_NS)
    await codes.draw(others(200, 40))
    assert len(drawn) == AT_ONCE + 3
    clock.advance(1000 * REFILL_NS)
    await codes.draw(others(0, 255))
    assert len(drawn) <= 2 * AT_ONCE + 3  # what was saved up is bounded


async def test_what_is_asked_for_again_is_not_pushed_out(
    drawn: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qr_codes, "KEPT_MOST", 8)
    clock = FakeClock()
    codes = QrCodes(clock)
    await codes.draw([OURS])
    for text in others(0, 24):
        clock.advance(REFILL_NS)
        await codes.draw([text])
        assert codes.kept(OURS)
    assert codes.kept(others(0, 1)[0]) == ""
    assert len(drawn) == 24 + 1
