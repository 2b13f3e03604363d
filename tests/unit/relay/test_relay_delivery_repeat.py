"""A group sent again, and what may come between: no number is ever given to two packets."""

from __future__ import annotations

import random

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from relay.protocol.pacer import Congestion
from tests.unit.relay.test_relay_delivery import Scene, contiguous


def numbered_twice(scene: Scene) -> list[int]:
    """RTP sequence numbers under which the viewer was sent different packets: with SRTP the end of secrecy
    (RFC 7714 8.1, RFC 3711 9.1), and nothing that the receiver would take."""
    seen: dict[int, bytes] = {}
    return [p.sequence for p in scene.tap.packets if seen.setdefault(p.sequence, p.payload) != p.payload]


def test_a_keyframe_in_the_middle_of_a_repeated_group_gets_numbers_of_its_own() -> None:
    scene = Scene(fixed_bps=6_000_000)
    scene.join()
    for _ in range(29):
        scene.picture(6000)
    scene.delivery.repeat_group(scene.now_ns)
    scene.delivery.pump(scene.now_ns)
    assert scene.delivery.has_backlog
    scene.picture(6000)  # nothing of the repeated group is less than half a second old
    for _ in range(40):
        scene.picture(2000)
    assert scene.tap.pictures[-1] == 69
    assert numbered_twice(scene) == []
    assert contiguous(sorted({p.sequence for p in scene.tap.packets}))


def test_so_does_one_after_a_repeat_that_took_too_long() -> None:
    scene = Scene(fixed_bps=6_000_000)
    scene.join()
    for _ in range(29):
        scene.picture(6000)
    scene.pass_ns(300 * NS_PER_MS)
    scene.delivery.repeat_group(scene.now_ns)
    scene.way.kind, scene.way.waiting_bytes = "tcp", 64 * 1024
    for _ in range(200):
        scene.picture(6000, keyframe=False)
    scene.way.waiting_bytes = 0
    scene.picture(6000, keyframe=True)
    scene.pass_ns(3000 * NS_PER_MS)
    assert scene.tap.pictures[-1] == 229
    assert numbered_twice(scene) == []
    assert contiguous(sorted({p.sequence for p in scene.tap.packets}))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_viewer_asks_for_and_whatever_its_path_takes_the_numbers_stay_in_order(seed: int) -> None:
    dice = random.Random(seed)
    scene = Scene(fixed_bps=dice.choice([2_000_000, 6_000_000, 20_000_000]), kind=dice.choice(["udp", "tcp"]))
    for _ in range(dice.randrange(40)):
        scene.picture(dice.randrange(100, 9000))
    scene.join()
    for _ in range(150):
        scene.picture(dice.choice([100, 3000, 9000, 40_000]), keyframe=dice.random() < 0.05)
        if dice.random() < 0.2:
            scene.delivery.repeat_group(scene.now_ns)
        if dice.random() < 0.3:
            scene.delivery.resend(dice.sample(range(1 << 15), 40), 20.0, scene.now_ns)
        if dice.random() < 0.2:
            scene.way.waiting_bytes = dice.choice([0, 30_000, 64 * 1024])
        if dice.random() < 0.1:
            congestion = Congestion(scene.now_ns) if dice.random() < 0.5 else None
            scene.pacer.on_report(congestion, 1e6, scene.now_ns)
    scene.way.waiting_bytes = 0
    scene.picture(500, keyframe=True)
    scene.pass_ns(3 * NS_PER_S)
    assert scene.tap.pictures[-1] == scene.number - 1
    assert not scene.delivery.failed
    assert numbered_twice(scene) == []
    assert contiguous(sorted({p.sequence for p in scene.tap.packets}))
    assert scene.tap.sequences[0] < 1 << 15


def test_a_packet_that_was_not_sent_yet_is_not_sent_by_a_nack() -> None:
    scene = Scene(fixed_bps=1_000_000)
    scene.join()
    scene.picture(80_000, keyframe=True)
    scene.pass_ns(50 * NS_PER_MS)
    assert scene.delivery.has_backlog
    sent = len(scene.tap.packets)
    newest = scene.tap.sequences[-1]
    scene.delivery.resend(range(newest + 1, newest + 9), None, scene.now_ns)
    assert len(scene.tap.packets) == sent


def test_a_pli_for_a_group_that_is_still_to_come_asks_for_nothing() -> None:
    scene = Scene(kind="tcp")
    scene.way.waiting_bytes = 64 * 1024
    for _ in range(10):
        scene.picture()
    scene.join()
    scene.delivery.repeat_group(scene.now_ns)
    assert not scene.stream.keyframe_wanted
    scene.way.waiting_bytes = 0
    scene.pass_ns(5 * NS_PER_MS)
    assert scene.tap.pictures == list(range(10))
