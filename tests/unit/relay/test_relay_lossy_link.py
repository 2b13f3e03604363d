"""The bad network that the relay is proved on does what it says, the same each time."""

from __future__ import annotations

import asyncio
import itertools
import socket

import pytest

from flow.clock import NS_PER_MS
from tests.fakes.lossy_link import Conditions, LossyLink
from tests.fakes.lossy_proxy import LossyProxy

PACKETS = [n.to_bytes(4, "big") * 250 for n in range(10_000)]


def arrivals(conditions: Conditions, seed: int = 7) -> list[tuple[int, bytes]]:
    """What arrives of PACKETS, one sent each millisecond, in the order of arrival."""
    link = LossyLink(conditions, seed)
    return sorted(a for n, p in enumerate(PACKETS) for a in link.send(p, n * NS_PER_MS))


def test_a_perfect_link_changes_nothing() -> None:
    assert arrivals(Conditions()) == [(n * NS_PER_MS, p) for n, p in enumerate(PACKETS)]


@pytest.mark.parametrize("loss", [0.05, 0.10])
def test_loss_is_as_large_as_asked_for_and_the_same_for_one_seed(loss: float) -> None:
    came = arrivals(Conditions(loss=loss))
    assert 1 - len(came) / len(PACKETS) == pytest.approx(loss, abs=0.01)
    assert came == arrivals(Conditions(loss=loss))
    assert came != arrivals(Conditions(loss=loss), seed=8)


def test_delay_and_jitter_keep_the_order() -> None:
    came = arrivals(Conditions(delay_ms=20, jitter_ms=10))
    assert [p for _, p in came] == PACKETS
    waits = [at - n * NS_PER_MS for n, (at, _) in enumerate(came)]
    assert min(waits) >= 20 * NS_PER_MS
    assert max(waits) <= 30 * NS_PER_MS
    assert max(waits) - min(waits) > 8 * NS_PER_MS


def test_reordering_duplication_and_truncation_happen_as_often_as_asked_for() -> None:
    came = arrivals(Conditions(reorder=0.1, reorder_ms=5, duplicate=0.05, truncate=0.02))
    assert len(came) == pytest.approx(10_500, abs=60)
    late = sum(a[1][:4] > b[1][:4] for a, b in itertools.pairwise(came))
    assert 700 < late < 1300
    assert sum(len(p) < 1000 for _, p in came) == pytest.approx(210, abs=60)


def test_a_narrow_link_queues_and_then_drops() -> None:
    link = LossyLink(Conditions(rate_bps=8_000_000, queue_bytes=10_000))  # 1000 bytes a millisecond
    burst = [link.send(p, 0) for p in PACKETS[:15]]
    assert [a[0][0] // NS_PER_MS for a in burst if a] == list(range(1, 11))
    assert link.counts["overflowed"] == 5
    assert link.send(PACKETS[15], 5 * NS_PER_MS) == [(11 * NS_PER_MS, PACKETS[15])]


async def test_the_proxy_leads_both_ways_and_keeps_clients_sockets_apart() -> None:
    loop = asyncio.get_running_loop()
    relay, one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    for made in (relay, one, other):
        made.setblocking(False)
        made.bind(("127.0.0.1", 0))
    candidate = "a=candidate:9 1 UDP 21 {} {} typ host\r\n"
    async with LossyProxy() as proxy:
        sdp = proxy.answer(
            "v=0\r\n"
            + candidate.format("::1", 5)
            + candidate.format("127.0.0.1", relay.getsockname()[1])
            + "a=candidate:8 1 tcp 20 127.0.0.1 8189 typ host tcptype passive\r\na=end-of-candidates\r\n"
        )
        [line] = [x for x in sdp.splitlines() if x.startswith("a=candidate")]
        port = int(line.split()[5])
        assert port != relay.getsockname()[1]
        for client, said in ((one, b"1"), (other, b"2")):
            client.sendto(said, ("127.0.0.1", port))
            heard, back = await asyncio.wait_for(loop.sock_recvfrom(relay, 99), 5)
            assert heard == said
            relay.sendto(said * 2, back)
            assert await asyncio.wait_for(loop.sock_recv(client, 99), 5) == said * 2
    for made in (relay, one, other):
        made.close()
