"""The pytest plugin, as a tester uses it."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from flow.codec.rtp import is_rtcp, parse_rtp
from recordings.pytest_plugin import Start, lagebild_replay  # noqa: F401  (registered where it is installed)
from tests.unit.recordings.flown import filmed, flight, said

DEADLINE_S = 60.0


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(DEADLINE_S)
        yield receiver


def test_a_flight_is_played_into_a_port_of_the_test(
    tmp_path: Path,
    receiver: socket.socket,
    lagebild_replay: Start,  # noqa: F811
) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 1.0)}, said(1))
    port = receiver.getsockname()[1]
    replay = lagebild_replay(flight=folder, rtp=port, mavlink=port, seed=7, loss=0.05, from_=0.4)
    same = replay.hash
    assert replay.wait(DEADLINE_S) == 0
    sent = replay.lateness()
    planned = list(replay.schedule())
    assert [(each.port, each.size) for each in sent] == [(send.port, len(send.data)) for send in planned]
    assert all(each.late_ns == each.sent_ns - each.due_ns >= 0 for each in sent)
    assert {len(receiver.recv(65_536)) for _ in sent} == {each.size for each in sent}
    other = lagebild_replay(flight=folder, rtp=port, mavlink=port, seed=8, loss=0.05, from_=0.4)
    assert same == replay.hash != other.hash


def test_it_goes_where_it_is_told_and_ends_with_its_input(
    tmp_path: Path,
    receiver: socket.socket,
    lagebild_replay: Start,  # noqa: F811
) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 1.0)})
    replay = lagebild_replay(flight=folder, rtp=receiver.getsockname()[1], loop=True)
    streams: list[int] = []
    while len(streams) < 2:
        datagram = receiver.recv(65_536)
        if not is_rtcp(datagram) and (ssrc := parse_rtp(datagram).ssrc) not in streams:
            streams.append(ssrc)
            replay.seek(0.5)
    replay.stop()
    assert replay.process.returncode == 0
    assert replay.lateness()


def test_it_is_registered() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    (module,) = project["entry-points"]["pytest11"].values()
    assert import_module(module).lagebild_replay
